package suite

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Keepalive that changes while the connection is open, and that ends with it.

// TestSetKeepalive changes the configuration of an idle connection.
func TestSetKeepalive(t *testing.T) {
	const s = time.Second
	phased := func(interval, phase time.Duration) keepalive.Config {
		return keepalive.Config{Interval: interval, Timeout: 5 * s, Phase: phase}
	}
	for _, test := range []struct {
		name          string
		before, after keepalive.Config // from 17 s on
		want          []time.Duration  // within 49 s
	}{
		{"off", phased(10*s, 4*s), phased(-1, 0), []time.Duration{4 * s, 14 * s}},
		{"on", phased(-1, 0), phased(10*s, 4*s), []time.Duration{21 * s, 31 * s, 41 * s}},
		{"shorter", phased(10*s, 4*s), phased(8*s, 1*s), []time.Duration{4 * s, 14 * s, 18 * s, 26 * s, 34 * s, 42 * s}},
		{"longer", phased(10*s, 4*s), phased(20*s, 15*s), []time.Duration{4 * s, 14 * s, 32 * s}},
		{"the same", phased(10*s, 4*s), phased(10*s, 1*s), []time.Duration{4 * s, 14 * s, 24 * s, 34 * s, 44 * s}},
		{"still off", phased(-1, 0), phased(-1, 0), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = test.before
					conn, w := e.watched(t, atOnce)
					w.until(17 * s)
					conn.SetKeepalive(test.after)
					w.until(49 * s)
					w.expectPings(t, test.want...)
					alive(t, conn)
				})
			})
		})
	}
}

// TestSetKeepaliveUnanswered changes the configuration while the ping at 4 s is
// unanswered, whose time would be over at 9 s.
func TestSetKeepaliveUnanswered(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name string
		at   time.Duration
		cfg  keepalive.Config
		lost time.Duration // 0: never
	}{
		{"off", 6 * s, keepalive.Config{Interval: -1}, 0},
		{"no timeout", 6 * s, keepalive.Config{Interval: 10 * s, Timeout: -1}, 0},
		{"longer timeout", 6 * s, keepalive.Config{Interval: 10 * s, Timeout: 20 * s}, 24 * s},
		{"shorter timeout", 5 * s, keepalive.Config{Interval: 10 * s, Timeout: 2 * s}, 7 * s},
		{"much shorter timeout", 8 * s, keepalive.Config{Interval: 10 * s, Timeout: 2 * s}, 9 * s},
		{"shorter interval", 6 * s, keepalive.Config{Interval: s, Timeout: 5 * s}, 9 * s},
		{"longer interval", 6 * s, keepalive.Config{Interval: time.Hour, Timeout: 5 * s}, 9 * s},
	} {
		t.Run(test.name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = every10s
					conn, w := e.watched(t, never)
					w.until(test.at)
					conn.SetKeepalive(test.cfg)
					if test.lost > 0 {
						givenUp(t, conn, w.opened, test.lost)
						return
					}
					w.until(time.Hour)
					alive(t, conn)
				})
			})
		})
	}
}

// TestSetKeepaliveOffAndOn turns keepalive off and on many times, in the midst
// of pings and of calls from elsewhere.
func TestSetKeepaliveOffAndOn(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			conn, w := e.watched(t, atOnce)
			var both sync.WaitGroup
			for i := range 2 {
				both.Go(func() {
					for j := range 200 {
						conn.SetKeepalive(keepalive.Config{Interval: time.Duration((i+j)%3-1) * 7 * time.Millisecond, Phase: time.Millisecond})
						time.Sleep(time.Duration(j%5) * time.Millisecond)
					}
				})
			}
			both.Wait()
			conn.SetKeepalive(keepalive.Config{Interval: -1})
			before := len(w.came())
			time.Sleep(time.Hour)
			if n := len(w.came()); n != before {
				t.Errorf("%d pings after keepalive was turned off", n-before)
			}
			conn.SetKeepalive(every10s)
			time.Sleep(time.Minute)
			if n := len(w.came()); n != before+6 {
				t.Errorf("%d pings after keepalive was turned on, want 6", n-before)
			}
			alive(t, conn)
		})
	})
}

// TestCloseAndTimer closes at the very moment when a ping is due, or when its
// time is over: both happen in some order, and nothing is sent after our close
// frame.
func TestCloseAndTimer(t *testing.T) {
	for _, at := range []time.Duration{4 * time.Second, 9 * time.Second} {
		t.Run(at.String(), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				for range 20 {
					synctest.Test(t, func(t *testing.T) {
						e.Options.Keepalive = every10s
						e.Options.CloseTimeout = 30 * time.Second
						conn, w := e.watched(t, never)
						w.until(at)
						err := conn.CloseWith(4000, "on time")
						told := closeError(t, conn.Err())
						if told.Sent == nil || told.Rcvd != nil {
							t.Fatalf("%v", told)
						}
						if told.Sent.Code == 4000 {
							is(t, err, FaultsOf(e.Face).CloseTimeout)
							took(t, w.opened, at+30*time.Second)
						} else {
							timedOut(t, err)
							took(t, w.opened, 9*time.Second)
						}
						<-w.ended
						if got := w.others(); len(got) != 1 {
							t.Errorf("the peer received %v", got)
						}
					})
				}
			})
		})
	}
}

// TestClosingHandshake has the peer take its time for the closing handshake:
// there are no pings any more, no verdict of keepalive's about the last one, and
// the close timeout alone counts.
func TestClosingHandshake(t *testing.T) {
	for _, takes := range []time.Duration{29 * time.Second, 0} { // 0: for ever
		t.Run(fmt.Sprint(takes), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = every10s
					e.Options.CloseTimeout = 30 * time.Second
					conn, w := e.watched(t, never)
					w.until(5 * time.Second) // the ping at 4 s is unanswered
					if takes > 0 {
						time.AfterFunc(takes, func() {
							w.Write(w.CloseFrame(4000, ""))
							w.Conn.(interface{ CloseWrite() error }).CloseWrite()
						})
					}
					err := conn.CloseWith(4000, "")
					w.expectPings(t, 4*time.Second)
					if takes == 0 {
						is(t, err, FaultsOf(e.Face).CloseTimeout)
						took(t, w.opened, 35*time.Second)
						return
					}
					ok(t, err)
					if told := closeError(t, conn.Err()); told.Rcvd.Code != 4000 || told.Sent.Code != 4000 {
						t.Errorf("%v", told)
					}
				})
			})
		})
	}
}

// TestViolationWhileBusy has the peer break the protocol while earlier messages
// wait for the application, which can answer them first. Meanwhile nothing more
// is read, so the peer is not to blame for a missing pong.
func TestViolationWhileBusy(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = keepalive.Config{Interval: time.Second, Timeout: time.Second}
			conn, w := e.watched(t, atOnce)
			w.post(w.Text("one"), w.Text("two"), w.Frame(protocol.OpContinuation, true, "wrong"))
			w.until(8 * time.Second) // less than the close timeout
			expect(t, conn, "one")
			send(t, conn, "answer")
			expect(t, conn, "two")
			told := expectClosed(t, conn)
			if told.Sent == nil || told.Sent.Code != protocol.ProtocolError {
				t.Errorf("%v", told)
			}
		})
	})
}
