package suite

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A server with a rule of a ping each 10 s, of which two may be early, has
// clients that ping in many ways.
var aPingEach10s = keepalive.Enforcement{MinInterval: 10 * time.Second}

// eachServer is EachEnd for servers alone: clients have no rule.
func eachServer(t *testing.T, test func(t *testing.T, e End)) {
	EachEnd(t, func(t *testing.T, e End) {
		if e.Role == protocol.Server {
			synctest.Test(t, func(t *testing.T) { test(t, e) })
		}
	})
}

// TestEnforcement: the fourth ping within a few seconds is one too many. The
// peer gets its pongs and then the reason.
func TestEnforcement(t *testing.T) {
	eachServer(t, func(t *testing.T, e End) {
		e.Options.Enforcement = aPingEach10s
		conn, raw := e.Against(t)
		for range 4 {
			raw.Send(t, raw.Frame(protocol.OpPing, true, "p"))
			raw.Expect(t, protocol.OpPong, "p")
			time.Sleep(time.Second)
		}
		raw.ExpectClose(t, protocol.PolicyViolation, "too many pings")
		raw.Close()
		<-conn.Done()
		is(t, conn.Err(), keepalive.ErrPingsTooOften)
		is(t, conn.Err(), protocol.ErrClosedError)
		// The attendant may read a ping up to two grace periods late.
		err := as[*keepalive.EnforcementError](conn.Err())
		if err == nil || err.MinInterval != 10*time.Second || err.Strikes != 2 || (err.SincePing-time.Second).Abs() > 100*time.Millisecond {
			t.Errorf("error %+v", err)
		}
	})
}

// TestEnforcementLetsLive: who keeps to the rule is not closed, nor who is not
// told one; pongs and messages count for nothing.
func TestEnforcementLetsLive(t *testing.T) {
	for name, test := range map[string]struct {
		rule  keepalive.Enforcement
		every time.Duration
	}{
		"in time": {aPingEach10s, 10 * time.Second},
		"off":     {keepalive.Enforcement{}, 10 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, e End) {
				e.Options.Enforcement = test.rule
				conn, raw := e.Against(t)
				go func() {
					for conn.State() == protocol.Open {
						conn.Recv(0)
					}
				}()
				for range 300 {
					raw.Send(t, raw.Frame(protocol.OpPing, true, "p"), raw.Frame(protocol.OpPong, true, ""), raw.Text("hello"))
					raw.Expect(t, protocol.OpPong, "p")
					time.Sleep(test.every)
				}
				alive(t, conn)
			})
		})
	}
}

// TestEnforcementAfterAStall: the way stands still for a minute and then brings what
// the client has sent in that time, a ping each 10 s, a read for each: with TLS
// nothing else can be.
func TestEnforcementAfterAStall(t *testing.T) {
	eachServer(t, func(t *testing.T, e End) {
		e.Options.Enforcement = aPingEach10s
		e.Options.Keepalive.Interval = -1
		conn, raw := e.Against(t)
		go func() {
			for conn.State() == protocol.Open {
				conn.Recv(0)
			}
		}()
		for range 3 { // at the start, and when pings have come before
			time.Sleep(time.Minute)
			for range 6 {
				raw.Send(t, raw.Frame(protocol.OpPing, true, "p"))
				raw.Expect(t, protocol.OpPong, "p")
				time.Sleep(time.Millisecond)
			}
		}
		alive(t, conn)
	})
}

// TestEnforcementWhilePaused: the application does not receive for ten minutes,
// and then one message each 100 ms. The pings that lay between the messages
// came in time. The messages are so large that no two are read at once.
func TestEnforcementWhilePaused(t *testing.T) {
	eachServer(t, func(t *testing.T, e End) {
		e.Options.Enforcement, e.Options.MaxQueue = aPingEach10s, 1
		conn, w := e.watched(t, never)
		large := strings.Repeat("x", 200<<10)
		for range 60 {
			w.post(w.Text(large), w.Frame(protocol.OpPing, true, ""))
			time.Sleep(10 * time.Second)
		}
		for range 60 {
			if _, err := conn.Recv(time.Second); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		alive(t, conn)
		if n := len(w.pongs()); n != 60 {
			t.Errorf("%d pongs, want 60", n)
		}
	})
}
