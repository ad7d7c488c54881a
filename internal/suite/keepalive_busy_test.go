package suite

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// The application does not receive, or not as fast as the peer sends: the peer
// is not to blame for that.

var every10s = keepalive.Config{Interval: 10 * time.Second, Timeout: 5 * time.Second, Phase: 4 * time.Second}

// TestNeverReceives has an application that only sends, or does nothing at all:
// pongs are counted, pings answered and the peer's close is seen all the same.
func TestNeverReceives(t *testing.T) {
	for _, sends := range []bool{true, false} {
		t.Run(fmt.Sprintf("sends=%v", sends), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = every10s
					conn, w := e.watched(t, after(100*time.Millisecond))
					for range 3600 {
						if sends {
							send(t, conn, "report")
						}
						time.Sleep(time.Second)
					}
					alive(t, conn)
					if stats := conn.KeepaliveStats(); stats.PingsSent != 360 || stats.PongsReceived != 360 || stats.LastRTT != 100*time.Millisecond {
						t.Errorf("%+v", stats)
					}
					w.post(w.CloseFrame(4000, "enough"))
					synctest.Wait()
					if conn.State() == protocol.Open {
						t.Error("the peer's close was not seen")
					}
				})
			})
		})
	}
}

// TestSlowApplication has a peer that sends more than the application receives
// for hours: the queue is full, reading pauses, pongs lie unread behind
// messages, and the peer is not given up. In the end every message is there.
func TestSlowApplication(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		for _, strict := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				e.Options.Keepalive = every10s
				e.Options.Keepalive.Strict = strict
				e.Options.MaxQueue = 4
				conn, w := e.watched(t, atOnce)
				const messages = 300
				for i := range messages {
					w.post(w.Text(fmt.Sprint(i, strings.Repeat(" ", 1000))))
				}
				for i := range messages {
					m, err := conn.Recv(0)
					if err != nil || !strings.HasPrefix(string(m.Data), fmt.Sprint(i, " ")) {
						t.Fatalf("message %d: %.10q %v", i, m.Data, err)
					}
					time.Sleep(47 * time.Second)
				}
				alive(t, conn)
				if n, want := len(w.came()), messages*47/10; n < want || n > want+1 {
					t.Errorf("%d pings, want %d", n, want)
				}
			})
		}
	})
}

// TestPaused has an application that receives nothing for six hours while the
// peer has filled the queue and the path. When the link goes dark the transport
// tells, for the pings are not acknowledged; the error says that reading was
// paused. The transport is asked when the oldest ping without acknowledgement
// has been out for the timeout.
func TestPaused(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			conn, w, ours, theirs := e.watchedOver(t, atOnce)
			for range 400 {
				w.post(w.Text(strings.Repeat("x", 1000)))
			}
			w.until(6 * time.Hour)
			alive(t, conn)
			if n := len(w.came()); n != 2160 {
				t.Errorf("%d pings in six hours, want 2160", n)
			}
			dark(ours, theirs) // the ping that is lost is due 4 s later
			cause := givenUp(t, conn, w.opened, 6*time.Hour+4*time.Second+5*time.Second)
			if cause.Cause != keepalive.NetworkDead || !cause.PausedNow || cause.Queued != 16 || cause.QueuedBytes != 16*1000 {
				t.Errorf("%v: %+v", cause, *cause)
			}
			for _, says := range []string{"network is dead", "reading paused for 6h0m", "16 messages (16000 bytes) not received by the application"} {
				if !strings.Contains(cause.Error(), says) {
					t.Errorf("%q does not say %q", cause, says)
				}
			}
			for range 16 {
				if _, err := conn.Recv(0); err != nil {
					t.Fatal(err)
				}
			}
			_, err := conn.Recv(0)
			timedOut(t, err)
		})
	})
}

// TestBothPaused has both applications send and not receive, until everything
// is full both ways: no ping gets through, and nobody is given up for that. When
// the link goes dark the window is still closed, and its probes are unanswered:
// then both ends are.
func TestBothPaused(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.Keepalive, s.ServerOptions.Keepalive = every10s, every10s
			client, server, clientEnd, serverEnd := s.Over(t)
			both := []Conn{client, server}
			var sending sync.WaitGroup
			for _, conn := range both {
				sending.Go(func() {
					for conn.Send(protocol.BinaryMessage(pattern(50000)), 0) == nil {
					}
				})
			}
			time.Sleep(time.Hour)
			alive(t, client)
			alive(t, server)
			dark(clientEnd, serverEnd)
			opened := time.Now()
			for _, conn := range both {
				<-conn.Done()
				if cause := timedOut(t, conn.Err()); cause.Cause != keepalive.NetworkDead || !cause.PausedNow {
					t.Error(cause)
				}
				if d := time.Since(opened); d > every10s.Interval+every10s.Timeout {
					t.Errorf("it took %v", d)
				}
			}
			sending.Wait()
		})
	})
}

// TestResumed has an application receive again after an hour, when the peer
// has died meanwhile: the pause does not count, and the peer is given up within
// interval + timeout of the end of it, though not before what has arrived was
// looked at.
func TestResumed(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.MaxQueue = 2
			conn, w := e.watched(t, firstOf(10)) // its system goes on: the transport cannot tell
			for range 4 {
				w.post(w.Text("message"))
			}
			w.until(time.Hour)
			alive(t, conn)
			for range 4 {
				expect(t, conn, "message")
			}
			_, err := conn.Recv(0)
			if timedOut(t, err).Cause != keepalive.PeerStuck {
				t.Error(err)
			}
			if d := time.Since(w.opened) - time.Hour; d <= 0 || d > 15*time.Second {
				t.Errorf("given up %v after the application received", d)
			}
		})
	})
}

// TestResumedAlive is TestResumed with a peer that lives, and an application
// that stops receiving and goes on again and again, at any time of the schedule.
func TestResumedAlive(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.MaxQueue = 2
			conn, w := e.watched(t, atOnce)
			for i := range 200 {
				for range 4 {
					w.post(w.Text("message"))
				}
				time.Sleep(17*time.Second + time.Duration(i)*83*time.Millisecond)
				alive(t, conn)
				for range 4 {
					expect(t, conn, "message")
				}
			}
			time.Sleep(time.Second)
			if stats := conn.KeepaliveStats(); stats.PongsReceived < stats.PingsSent {
				t.Errorf("%d pings, %d pongs", stats.PingsSent, stats.PongsReceived)
			}
		})
	})
}

// TestHalfRead has an application that leaves a message half read for an hour
// while the rest of it arrives in many fragments: it is like one that does not
// receive.
func TestHalfRead(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			conn, w := e.watched(t, atOnce)
			w.post(w.Frame(protocol.OpText, false, "begin"))
			_, r, err := conn.RecvReader()
			ok(t, err)
			for range 500 {
				w.post(w.Frame(protocol.OpContinuation, false, strings.Repeat("x", 1000)))
			}
			w.post(w.Frame(protocol.OpContinuation, true, "end"))
			_, err = r.Read(make([]byte, 1))
			ok(t, err)
			w.until(time.Hour)
			alive(t, conn)
			rest, err := io.ReadAll(r)
			if err != nil || string(rest) != "egin"+strings.Repeat("x", 500*1000)+"end" {
				t.Fatalf("%d bytes, %v", len(rest), err)
			}
			w.until(2 * time.Hour)
			alive(t, conn)
		})
	})
}

// TestBlockedSend has a Send wait for a peer that stops reading, at once or
// after the ping at 14 s. The writer holds the door, and is thrown out on time;
// the error tells that the peer does not read. It makes no difference when the
// Send began, unless that was after the ping was due.
func TestBlockedSend(t *testing.T) {
	for _, test := range []struct{ stopped, begin, due time.Duration }{
		{0, 0, 4 * time.Second},
		{0, time.Second, 4 * time.Second},
		{0, 4*time.Second - 1, 4 * time.Second},
		{0, 5 * time.Second, 4 * time.Second},
		{14 * time.Second, 14*time.Second + 1, 24 * time.Second},
		{14 * time.Second, 17 * time.Second, 24 * time.Second},
		{14 * time.Second, 24*time.Second - 1, 24 * time.Second},
		{14 * time.Second, 25 * time.Second, 24 * time.Second},
	} {
		t.Run(test.begin.String(), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = every10s
					opened := time.Now()
					conn := e.stopping(t, test.stopped)
					time.Sleep(test.begin)
					sent := make(chan error, 1)
					go func() { sent <- conn.Send(protocol.BinaryMessage(pattern(1<<20)), 0) }()
					cause := givenUp(t, conn, opened, test.due+every10s.Timeout)
					if err := <-sent; timedOut(t, err) != cause {
						t.Errorf("Send returned %v, the connection %v", err, cause)
					}
					took(t, opened, test.due+every10s.Timeout)
					expectBlocked(t, cause, test.begin > test.due)
				})
			})
		})
	}
}

// expectBlocked looks at how a connection was given up on which the peer reads
// nothing and a Send waits; pinged tells whether the ping left before it.
func expectBlocked(t *testing.T, cause *keepalive.TimeoutError, pinged bool) {
	t.Helper()
	if cause.Cause != keepalive.PeerNotReading || cause.PingSent != pinged || cause.Unsent < 1 {
		t.Errorf("%+v", *cause)
	}
	for _, says := range []string{"peer is not reading", "bytes not written"} {
		if !strings.Contains(cause.Error(), says) {
			t.Errorf("%q does not say %q", cause, says)
		}
	}
}

// stopping is a connection whose peer reads nothing at all, or nothing more
// after the ping that it gets at the given time.
func (e End) stopping(t *testing.T, at time.Duration) (conn Conn) {
	if at == 0 {
		conn, _ = e.Against(t)
		return conn
	}
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	conn, _ = e.watched(t, func(w *watcher, _ int, payload string) {
		if w.pong(payload); time.Since(w.opened) == at {
			<-over
		}
	})
	return conn
}
