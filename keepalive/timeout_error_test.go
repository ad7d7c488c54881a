package keepalive

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// givenUp returns the error of a connection whose ping, due at 20s, was
// unanswered at 30s, on what ev and tr tell.
func givenUp(t *testing.T, ev Evidence, tr Transport) *TimeoutError {
	t.Helper()
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.next(20 * sec)
	d.ev, d.transport = ev, tr
	if d.next(30 * sec); d.m.err == nil {
		t.Fatal("did not give up")
	}
	return d.m.err
}

// Who is to blame follows from what was seen.
func TestCause(t *testing.T) {
	sent := Evidence{PingSent: true}
	for name, test := range map[string]struct {
		ev   Evidence
		tr   Transport
		want Cause
	}{
		"nothing is known":                  {sent, Transport{}, Unknown},
		"our write does not get on":         {Evidence{Unsent: 10}, Transport{}, PeerNotReading},
		"no acknowledgement since the ping": {sent, Transport{Known: true, Unacked: 6, SinceAck: 10 * sec, SendWindow: 100}, NetworkDead},
		"nor is the window known":           {sent, Transport{Known: true, Unacked: 6, SinceAck: 10 * sec, SendWindow: -1}, NetworkDead},
		"the ping was sent again":           {sent, Transport{Known: true, Unacked: 6, SinceAck: 9 * sec, SendWindow: 100, Retransmits: 1}, NetworkDead},
		"not sent, network dead":            {Evidence{}, Transport{Known: true, Unacked: 6, SinceAck: 20 * sec, SendWindow: 100}, NetworkDead},
		"the ping arrived":                  {sent, Transport{Known: true, PingAcked: true, SinceAck: 9 * sec, SendWindow: 100}, PeerStuck},
		"and what is behind it did not":     {sent, Transport{Known: true, PingAcked: true, Unacked: 5, SinceAck: sec, SendWindow: 100}, PeerStuck},
		"everything arrived":                {sent, Transport{Known: true, SinceAck: 10 * sec, SendWindow: 100}, PeerStuck},
		"the window is closed":              {sent, Transport{Known: true, Unacked: 6, SinceAck: 10 * sec}, PeerNotReading},
		"... with a probe out":              {sent, Transport{Known: true, Unacked: 6, SinceAck: 10 * sec, Retransmits: 1}, PeerNotReading},
		"... and two without an answer":     {sent, Transport{Known: true, Unacked: 6, SinceAck: 10 * sec, Retransmits: 2}, NetworkDead},
		"not sent, the network lives":       {Evidence{}, Transport{Known: true, SendWindow: 100}, PeerNotReading},
		"the ping waits, the network lives": {sent, Transport{Known: true, Unacked: 6, SinceAck: 9 * sec, SendWindow: 100}, PeerNotReading},
	} {
		if got := givenUp(t, test.ev, test.tr).Cause; got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// What the system has given up by itself is lost to the network, unless the peer
// lives and only does not read.
func TestLost(t *testing.T) {
	off, pings := Config{Interval: -1}, Config{Interval: 20 * sec, Timeout: 30 * sec, Phase: 20 * sec}
	for name, test := range map[string]struct {
		cfg  Config
		tr   Transport
		want Cause
		text string
	}{
		"nothing is known": {off, Transport{}, NetworkDead,
			"timed out: the network is dead: nothing acknowledges what we send (last byte received 25s ago)"},
		"nothing is acknowledged": {off, Transport{Known: true, Unacked: 5, SinceAck: 20 * sec, SendWindow: 100}, NetworkDead,
			"timed out: the network is dead: nothing acknowledges what we send (last byte received 25s ago, " +
				"5 bytes unacknowledged, last acknowledgement 20s ago)"},
		"the window is closed": {off, Transport{Known: true, Unacked: 5, SinceAck: 2 * sec, Retransmits: 1}, PeerNotReading,
			"timed out: the peer is not reading: it makes no room for what we send (last byte received 25s ago, " +
				"5 bytes unacknowledged, last acknowledgement 2s ago, its window is closed, 1 retransmissions)"},
		"... and nobody answers": {off, Transport{Known: true, Unacked: 5, SinceAck: 20 * sec, Retransmits: 2}, NetworkDead, ""},
		"a ping was out": {pings, Transport{}, NetworkDead,
			"timed out: the network is dead: nothing acknowledges what we send (5s since the ping was due, " +
				"latest ping sent 5s ago, last byte received 25s ago)"},
	} {
		d := newDrive(t, test.cfg)
		d.next(20 * sec)
		d.ev.PingSent, d.ev.WriteProgress = true, time.Time{}
		if test.cfg.Interval > 0 {
			d.ev.WriteProgress = at(20 * sec)
		}
		d.ev.Inspected, d.ev.Transport = true, test.tr
		err := errors.New("timed out")
		e := d.m.Lost(at(25*sec), &d.ev, err)
		if e.Cause != test.want || !errors.Is(e, err) || !errors.Is(e, ErrTimeout) || test.text != "" && e.Error() != test.text {
			t.Errorf("%s: %v, %v\n\twant %v, %v", name, e.Cause, e, test.want, test.text)
		}
	}
}

// The error carries what was seen, all of it.
func TestTimeoutErrorFields(t *testing.T) {
	ev := Evidence{
		LastByte: at(12 * sec), Paused: 3 * sec, PingSent: true, Written: 1000, Unsent: 77,
		Queued: 4, QueuedBytes: 400, RTT: 30 * ms, WriteProgress: at(21 * sec),
	}
	tr := Transport{Known: true, Unacked: 6, SinceAck: 11 * sec, SendWindow: 100, Retransmits: 5}
	want := TimeoutError{
		Cause: NetworkDead, PingInterval: 20 * sec, PingTimeout: 10 * sec,
		PingDue: at(20 * sec), Waited: 10 * sec, PingSent: true, SentAt: at(21 * sec), SinceSent: 9 * sec,
		LastByte: at(12 * sec), SinceByte: 18 * sec,
		Paused: 3 * sec, Queued: 4, QueuedBytes: 400, Unsent: 77, RTT: 30 * ms, Transport: tr,
	}
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.paused(3*sec, false)
	d.next(20 * sec)
	d.ev, d.transport = ev, tr
	if d.next(30 * sec); d.m.err == nil || *d.m.err != want {
		t.Errorf("%+v\n\twant %+v", d.m.err, want)
	}
}

// The text says what became of the connection and what was seen, and nothing
// that was not.
func TestTimeoutErrorText(t *testing.T) {
	for _, test := range []struct {
		e    TimeoutError
		want string
	}{
		{TimeoutError{PingDue: epoch, Waited: 20 * sec, PingSent: true, SinceByte: 39123456 * time.Microsecond},
			"keepalive ping timeout: no answer to a ping (20s since the ping was due, last byte received 39.123s ago)"},
		{TimeoutError{
			Cause: NetworkDead, PingDue: epoch, Waited: 1234567, SinceByte: sec, Paused: 2 * sec, PausedNow: true,
			Queued: 3, QueuedBytes: 30, Unsent: 7, RTT: 1234567,
			Transport: Transport{Known: true, Unacked: 9, SinceAck: 3 * sec, SendWindow: 1, Retransmits: 4},
		}, "keepalive ping timeout: the network is dead: nothing acknowledges what we send; " +
			"and we were busy: reading was paused because the application does not receive (" +
			"1.23ms since the ping was due, it was not sent, last byte received 1s ago, reading paused for 2s, " +
			"3 messages (30 bytes) not received by the application, 7 bytes not written, " +
			"9 bytes unacknowledged, last acknowledgement 3s ago, 4 retransmissions, usual round trip 1.23ms)"},
		{TimeoutError{Cause: PeerStuck, PingDue: epoch, PingSent: true, Transport: Transport{Known: true, SendWindow: -1}},
			"keepalive ping timeout: the peer is stuck: its system acknowledged the ping, its program did not answer (" +
				"0s since the ping was due, last byte received 0s ago, 0 bytes unacknowledged, last acknowledgement 0s ago)"},
		{TimeoutError{Cause: WeWereBusy, PingDue: epoch, PingTimeout: sec, Waited: 3 * sec, PingSent: true, Late: 2 * sec},
			"keepalive ping timeout: we were busy: this process was stopped, or had no turn, each time when an answer was due (" +
				"3s since the ping was due, last byte received 0s ago, noticed 2s late)"},
	} {
		if got := test.e.Error(); got != test.want {
			t.Errorf("%s\n\twant %s", got, test.want)
		}
	}
}

// Each cause has a name and is explained in words of its own.
func TestCauseString(t *testing.T) {
	explained := map[string]bool{}
	for cause, want := range map[Cause]string{
		Unknown: "unknown", NetworkDead: "network dead", PeerStuck: "peer stuck",
		PeerNotReading: "peer not reading", WeWereBusy: "we were busy",
	} {
		if cause.String() != want {
			t.Errorf("Cause %d is %q, want %q", cause, cause, want)
		}
		text := (&TimeoutError{Cause: cause}).Error()
		if explained[cause.explanation()] || !strings.Contains(text, cause.explanation()) {
			t.Errorf("%v is explained as %q", cause, text)
		}
		explained[cause.explanation()] = true
	}
	if got := Cause(99).String(); got != "unknown" {
		t.Errorf("Cause 99 is %q", got)
	}
	if Cause(99).explanation() != Unknown.explanation() {
		t.Error("Cause 99 is explained in another way than Unknown")
	}
}

// The error is found by errors.Is and errors.As, also when it is wrapped, and
// is a net.Error that is a timeout.
func TestTimeoutErrorIsFound(t *testing.T) {
	given := givenUp(t, Evidence{PingSent: true}, Transport{})
	err := fmt.Errorf("connection lost: %w", given)
	if !errors.Is(err, ErrTimeout) {
		t.Error("errors.Is does not find ErrTimeout")
	}
	if errors.Is(err, net.ErrClosed) || errors.Is(ErrTimeout, given) {
		t.Error("errors.Is finds what is not there")
	}
	var found *TimeoutError
	if !errors.As(err, &found) || found != given {
		t.Error("errors.As does not find the *TimeoutError")
	}
	var netErr net.Error
	if !errors.As(err, &netErr) || !netErr.Timeout() {
		t.Error("it is not a net.Error that is a timeout")
	}
	if given.Temporary() {
		t.Error("a lost connection is temporary")
	}
	if !strings.HasPrefix(given.Error(), ErrTimeout.Error()) {
		t.Errorf("%q does not begin with %q", given, ErrTimeout)
	}
}
