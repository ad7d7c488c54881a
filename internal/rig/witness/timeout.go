package witness

import (
	"errors"
	"testing"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Quick is keepalive that notices soon.
var Quick = keepalive.Config{Interval: time.Second, Timeout: 2 * time.Second}

// Off is keepalive that never pings.
var Off = keepalive.Config{Interval: -1}

// TimedOut waits for the end's *keepalive.TimeoutError, which is in time when
// it comes within interval + timeout of when the peer fell silent, the first
// moment of which is not later than silent. It returns nil, and has failed the
// test, if another error comes or none.
func (e *End) TimedOut(t testing.TB, silent time.Time) *keepalive.TimeoutError {
	t.Helper()
	if !e.AwaitEnd(patience) {
		t.Errorf("%s: after %v the connection is still open", e.Name, patience)
		return nil
	}
	after := e.Ended.Sub(silent)
	t.Logf("%s: after %v: %v", e.Name, after.Round(time.Millisecond), e.Why)
	var closed *protocol.CloseError
	var timeout *keepalive.TimeoutError
	if !errors.As(e.Why, &closed) || closed.Rcvd != nil || !errors.As(closed, &timeout) {
		t.Errorf("%s: %v; want a *keepalive.TimeoutError and no close frame received", e.Name, e.Why)
		return nil
	}
	if limit := promise(timeout, silent, e.Ended); after > limit {
		t.Errorf("%s: reported %v after the peer fell silent; want at most %v", e.Name, after, limit)
	}
	if timeout.SinceByte < timeout.PingTimeout {
		t.Errorf("%s: given up %v after a byte; the timeout is %v", e.Name, timeout.SinceByte, timeout.PingTimeout)
	}
	return timeout
}

// promise returns how long it may take to give up a peer that fell silent,
// with a little room for a machine that has other work. Nobody can be on time
// while the machine does not let him run; and who was late by a quarter of the
// timeout probes again, up to three times, before he blames the peer. TCP is
// trusted until it sends again.
func promise(e *keepalive.TimeoutError, silent, ended time.Time) time.Duration {
	limit := e.PingInterval + e.PingTimeout
	limit += limit/10 + 500*time.Millisecond
	limit += max(e.Transport.RTO-e.PingTimeout, 0)
	all, worst := stalled(silent, ended)
	if worst > e.PingTimeout/4 {
		limit += 3 * e.PingTimeout
	}
	return limit + all
}
