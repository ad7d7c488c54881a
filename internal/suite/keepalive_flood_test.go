package suite

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// The other direction: the peer pings, and whatever the application does its
// pings are answered.

// TestAnswersWhileBusy has an application that receives now and then, or never:
// a pong takes no longer than two grace periods, after which an attendant reads.
func TestAnswersWhileBusy(t *testing.T) {
	const most = 2 * 50 * time.Millisecond // see internal/link/attendant.go
	for _, pause := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 70 * time.Millisecond, 10 * time.Second} {
		t.Run(pause.String(), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = every10s
					conn, raw := e.Against(t)
					var receiving sync.WaitGroup
					if pause > 0 {
						receiving.Go(func() { receiveNowAndThen(conn, pause) })
					}
					for i := range 100 {
						begun := time.Now()
						payload := fmt.Sprint("ping ", i)
						raw.Send(t, raw.Frame(protocol.OpPing, true, payload))
						for got := ""; got != payload; {
							h, text, err := raw.Next()
							ok(t, err)
							switch h.Opcode {
							case protocol.OpPong:
								got = text
							case protocol.OpPing:
								raw.Send(t, raw.Frame(protocol.OpPong, true, text))
							}
						}
						if d := time.Since(begun); d > most {
							t.Errorf("the pong took %v", d)
						}
						time.Sleep(time.Duration(i) * time.Millisecond)
					}
					conn.CloseNow()
					receiving.Wait()
				})
			})
		})
	}
}

// receiveNowAndThen receives what is there, and does something else meanwhile.
func receiveNowAndThen(conn Conn, pause time.Duration) {
	for {
		if _, err := conn.Recv(time.Millisecond); err != nil && conn.State() != protocol.Open {
			return
		}
		time.Sleep(pause)
	}
}

// TestPingFlood has the peer ping without a pause, while the application does
// nothing, receives, or sends: every ping is answered, in order, and our own
// pings come on time.
func TestPingFlood(t *testing.T) {
	for name, busy := range map[string]func(Conn){
		"nothing": func(Conn) {},
		"recv":    func(conn Conn) { conn.Recv(0) },
		"send": func(conn Conn) {
			for conn.Send(protocol.BinaryMessage(pattern(300<<10)), 0) == nil {
				// Never when a ping is due: it might leave DefaultHold later.
				time.Sleep(1100 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = every10s
					conn, w := e.watched(t, atOnce)
					var application sync.WaitGroup
					application.Go(func() { busy(conn) })
					const every, pings = 20 * time.Millisecond, 1000
					for i := range pings {
						for j := range 3 {
							w.post(w.Frame(protocol.OpPing, true, fmt.Sprint(3*i+j)))
						}
						time.Sleep(every)
					}
					w.expectPings(t, 4*time.Second, 14*time.Second)
					if pongs := w.pongs(); len(pongs) != 3*pings || pongs[3*pings-1] != fmt.Sprint(3*pings-1) {
						t.Errorf("%d pongs, want %d", len(pongs), 3*pings)
					}
					alive(t, conn)
					conn.CloseNow()
					application.Wait()
				})
			})
		})
	}
}

// TestFloodedByDeafPeer has a peer that pings without a pause and reads nothing:
// it is alive, and yet in strict mode it is given up on time, for our ping never
// gets through.
func TestFloodedByDeafPeer(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.Keepalive.Strict = true
			e.Options.MaxControlFrames = -1
			opened := time.Now()
			conn, raw := e.Against(t)
			flood := bytes.Repeat(raw.Frame(protocol.OpPing, true, string(pattern(100))), 100)
			var flooding sync.WaitGroup
			flooding.Go(func() {
				for conn.State() == protocol.Open {
					raw.Write(flood)
					time.Sleep(10 * time.Millisecond)
				}
			})
			cause := givenUp(t, conn, opened, 9*time.Second)
			if cause.Cause != keepalive.PeerNotReading || cause.PingSent || cause.Unsent > 64<<10 {
				t.Errorf("%+v", *cause)
			}
			flooding.Wait()
		})
	})
}

// TestPongBetweenFragments has the peer ping while a large message goes out over
// a slow link: the pong waits for no more than a fragment and what the transport
// holds.
func TestPongBetweenFragments(t *testing.T) {
	const rate, fragment, held = 100000, 100000, 64 << 10
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive.Interval = noPings
			e.Options.MaxFragmentSize = fragment
			conn, w, ours, _ := e.watchedOver(t, atOnce)
			link.Impair(ours, slow(rate))
			go conn.Send(protocol.BinaryMessage(pattern(20*fragment)), 0)
			time.Sleep(3 * time.Second)
			w.post(w.Frame(protocol.OpPing, true, "quick"))
			time.Sleep(time.Second*(fragment+held)/rate + 100*time.Millisecond)
			if pongs := w.pongs(); len(pongs) != 1 {
				t.Errorf("%d pongs", len(pongs))
			}
			alive(t, conn)
		})
	})
}
