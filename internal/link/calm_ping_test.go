package link

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// idling returns a connection that waits for messages without a desk, and is to be
// pinged a second after that.
func idling(t *testing.T, role protocol.Role) (c *Conn, peer net.Conn, received chan string) {
	c, peer = open(t, Options{Role: role, Keepalive: keepalive.Config{Interval: 10 * time.Second, Phase: time.Second}})
	received = make(chan string, 10)
	go func() {
		for m, err := range c.Messages(nil) { // ends with the connection
			if err == nil {
				received <- string(m.Data)
			}
		}
	}()
	time.Sleep(time.Second)
	if holdsDesk(c) {
		t.Fatal("it holds a desk")
	}
	return c, peer, received
}

// atDesk has such a connection receive a message just before it is to be pinged, so that
// it has a desk yet, and is calm.
func atDesk(t *testing.T, role protocol.Role) (c *Conn, peer net.Conn, received chan string) {
	c, peer, received = idling(t, role)
	underLock(c, func() {
		c.keeper.monitor.SetConfig(keepalive.Config{Interval: 11 * time.Second, Phase: time.Second}, time.Now())
	})
	time.Sleep(time.Second - time.Millisecond)
	for range 2 {
		peer.Write(frameTo(c, protocol.OpText, "hello"))
		<-received
	}
	time.Sleep(time.Millisecond)
	if !holdsDesk(c) || !isCalm(c) {
		t.Fatal("it has no calm desk")
	}
	return c, peer, received
}

// tickNow has the connection do what the schedule wants now, and returns how long
// that is content then.
func tickNow(t *testing.T, c *Conn) (wait time.Duration) {
	t.Helper()
	next, ok := c.Tick(time.Now())
	if !ok {
		t.Fatal("it is not to be called any more")
	}
	return time.Until(next)
}

// readPing reads a ping of c's and returns its payload.
func readPing(t *testing.T, c *Conn, peer net.Conn) (payload string) {
	t.Helper()
	frame := frameOf(c.opts.Role, protocol.OpPing, make([]byte, protocol.PingSize))
	got := make([]byte, len(frame))
	if _, err := io.ReadFull(peer, got); err != nil {
		t.Fatal(err)
	}
	got, _ = unmasked(got)
	payload = string(got[len(got)-protocol.PingSize:])
	if string(got) != string(frame[:len(frame)-protocol.PingSize])+payload {
		t.Fatalf("got %q, want a ping", got)
	}
	return payload
}

func isPinged(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mood&pinged != 0
}

// TestCalmPing pings connections that have no desk and need none for it.
func TestCalmPing(t *testing.T) {
	inBothRoles(t, "idle", func(t *testing.T, role protocol.Role) {
		synctest.Test(t, func(t *testing.T) {
			c, peer, _ := idling(t, role)
			payloads := make(map[string]bool)
			for i := range 3 {
				if wait := tickNow(t, c); wait != 10*time.Second || holdsDesk(c) || !isPinged(c) {
					t.Errorf("ping %d: waits %v, holds a desk: %t, pinged: %t", i, wait, c.desk != nil, isPinged(c))
				}
				payload, delay := readPing(t, c, peer), time.Duration(i+1)*time.Millisecond
				payloads[payload] = true
				if want := int64((i + 1) * len(frameOf(role, protocol.OpPing, []byte(payload)))); c.taken != want {
					t.Errorf("%d bytes were written, want %d", c.taken, want)
				}
				time.Sleep(delay)
				peer.Write(frameTo(c, protocol.OpPong, payload))
				synctest.Wait()
				s := c.KeepaliveStats()
				if s.LastRTT != delay || s.PingsSent != uint64(i+1) || s.PongsReceived != s.PingsSent || !s.LastByte.Equal(time.Now()) {
					t.Errorf("ping %d: %+v", i, s)
				}
				if wait := tickNow(t, c); wait != 10*time.Second-delay {
					t.Errorf("it waits for %v after pong %d", wait, i)
				}
				time.Sleep(10*time.Second - delay)
			}
			if len(payloads) != 3 {
				t.Errorf("the payloads are %v", payloads)
			}
		})
	})
}

// TestCalmPingStirred does something between a calm ping and its pong. What is sent
// comes behind the ping, of which is known how much was written since; and the pong
// counts as that of any other.
func TestCalmPingStirred(t *testing.T) {
	for name, test := range map[string]struct {
		stir func(c *Conn, peer net.Conn) error
		sent string
		got  string // by the application
	}{
		"a message":    {func(c *Conn, _ net.Conn) error { return c.Send(nil, protocol.TextMessage("second")) }, "\x81\x06second", ""},
		"a broadcast":  {func(c *Conn, _ net.Conn) error { return spreadTo(c) }, "\x81\x06second", ""},
		"a pong":       {func(c *Conn, _ net.Conn) error { return c.Pong(nil, []byte("pong")) }, "\x8a\x04pong", ""},
		"a look at it": {func(c *Conn, _ net.Conn) error { c.State(); c.Err(); c.Latency(); return nil }, "", ""},
		"another tick": {func(c *Conn, _ net.Conn) error { c.Tick(time.Now()); return nil }, "", ""},
		"a new schedule": {func(c *Conn, _ net.Conn) error {
			c.lock()
			defer c.unlock()
			c.keeper.monitor.SetConfig(keepalive.Config{Interval: time.Minute}, time.Now())
			return nil
		}, "", ""},
		"a stranger's pong": {func(c *Conn, peer net.Conn) error {
			_, err := peer.Write(frameTo(c, protocol.OpPong, "else"))
			return err
		}, "", ""},
		"a message comes": {func(c *Conn, peer net.Conn) error {
			_, err := peer.Write(frameTo(c, protocol.OpText, "hello"))
			return err
		}, "", "hello"},
		"a part of one": {func(c *Conn, peer net.Conn) error {
			frame := frameTo(c, protocol.OpText, "hello")
			_, err := peer.Write(append(frame, frame[:4]...))
			time.Sleep(time.Millisecond)
			peer.Write(frame[4:])
			return err
		}, "", "hellohello"},
		"a ping comes": {func(c *Conn, peer net.Conn) error {
			_, err := peer.Write(frameTo(c, protocol.OpPing, "ping"))
			return err
		}, "\x8a\x04ping", ""},
	} {
		for where, opening := range map[string]func(*testing.T, protocol.Role) (*Conn, net.Conn, chan string){"away": idling, "calm": atDesk} {
			inBothRoles(t, name+", "+where, func(t *testing.T, role protocol.Role) {
				synctest.Test(t, func(t *testing.T) {
					c, peer, received := opening(t, role)
					tr := &unacked{transport: c.tr()}
					c.mu.Lock()
					c.setTransport(tr)
					c.mu.Unlock()
					begun := time.Now()
					tickNow(t, c)
					payload := readPing(t, c, peer)
					if !isPinged(c) {
						t.Fatal("it has no calm ping")
					}
					if err := test.stir(c, peer); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					want := test.sent
					if role == protocol.Client {
						want = masked(want)
					}
					got := make([]byte, len(want))
					_, err := io.ReadFull(peer, got)
					if got, _ := unmasked(got); err != nil || string(got) != want {
						t.Errorf("the peer has received %q, %v", got, err)
					}
					tr.acks(t, c, int64(len(want)))

					time.Sleep(time.Second)
					rtt := time.Since(begun)
					peer.Write(append(frameTo(c, protocol.OpPong, payload), frameTo(c, protocol.OpText, "bye")...))
					for all := ""; all != test.got+"bye"; {
						if all += <-received; !strings.HasPrefix(test.got+"bye", all) {
							t.Fatalf("received %q", all)
						}
					}
					if s := c.KeepaliveStats(); s.PingsSent != 1 || s.PongsReceived != 1 || s.LastRTT != rtt {
						t.Errorf("after %v: %+v", rtt, s)
					}
					underLock(c, func() {
						if c.gather(time.Now()); !c.seen.Answered.Equal(begun) || len(c.waiting) > 0 {
							t.Errorf("the ping of %v counts as answered that was due %v; %d wait", begun, c.seen.Answered, len(c.waiting))
						}
					})
				})
			})
		}
	}
}

// TestCalmPingUnanswered: the second ping leaves although the first has not been answered,
// and the pong of either counts.
func TestCalmPingUnanswered(t *testing.T) {
	for answered := range 2 {
		inBothRoles(t, fmt.Sprintf("ping %d", answered), func(t *testing.T, role protocol.Role) {
			synctest.Test(t, func(t *testing.T) {
				c, peer, _ := idling(t, role)
				var payloads [2]string
				for i := range payloads {
					c.Tick(time.Now())
					payloads[i] = readPing(t, c, peer)
					time.Sleep(10 * time.Second)
				}
				peer.Write(frameTo(c, protocol.OpPong, payloads[answered]))
				synctest.Wait()
				s, want := c.KeepaliveStats(), time.Duration(2-answered)*10*time.Second
				if s.PingsSent != 2 || s.PongsReceived != 1 || s.LastRTT != want {
					t.Errorf("%+v, want %v", s, want)
				}
			})
		})
	}
}

// TestPingWithoutReader: a ping is not calm when nobody reads, though the connection is:
// somebody has to, for the round trip is not to be that of the application.
func TestPingWithoutReader(t *testing.T) {
	inBothRoles(t, "calm", func(t *testing.T, role protocol.Role) {
		synctest.Test(t, func(t *testing.T) {
			c, peer := calmDownWith(t, Options{Role: role, Keepalive: keepalive.Config{Interval: time.Second, Phase: time.Millisecond}})
			time.Sleep(time.Millisecond)
			if !isCalm(c) {
				t.Fatal("it is not calm")
			}
			tickNow(t, c)
			payload := readPing(t, c, peer)
			time.Sleep(time.Millisecond)
			peer.Write(frameTo(c, protocol.OpPong, payload))
			time.Sleep(time.Millisecond)
			if s := c.KeepaliveStats(); s.LastRTT != time.Millisecond {
				t.Errorf("%+v", s)
			}
		})
	})
}

// TestPingWhileSendingCalmly: a ping comes behind what a Send is writing.
func TestPingWhileSendingCalmly(t *testing.T) {
	for _, most := range []int{1 << 20, 3, 0} {
		inBothRoles(t, fmt.Sprintf("%d bytes at once", most), func(t *testing.T, role protocol.Role) {
			synctest.Test(t, func(t *testing.T) {
				c, peer, _ := atDesk(t, role)
				c.mu.Lock()
				c.setTransport(&slowly{transport: c.tr(), most: most})
				c.mu.Unlock()
				go c.Send(nil, protocol.TextMessage("first"))
				time.Sleep(5 * time.Millisecond)
				tickNow(t, c)
				got := make([]byte, len(frameOf(role, protocol.OpText, []byte("first"))))
				io.ReadFull(peer, got)
				if got, _ := unmasked(got); string(got) != string(frameOf(role, protocol.OpText, []byte("first"))) {
					t.Errorf("the peer has received %q", got)
				}
				readPing(t, c, peer)
			})
		})
	}
}

// stingy is a transport whose next write takes no more than so many bytes.
type stingy struct {
	transport
	most int
	err  error
}

func (s *stingy) writeOnce(w *once) (ok bool, err error) {
	if s.most < 0 {
		return s.transport.writeOnce(w)
	}
	part := once{frame: w.frame[:s.most]}
	s.most = -1
	if s.err != nil {
		return true, s.err
	}
	ok, err = s.transport.writeOnce(&part)
	w.n = part.n
	return ok, err
}

// TestCalmPingInPart: what the transport has not taken of a ping leaves as soon as may
// be, and then has the ping left.
func TestCalmPingInPart(t *testing.T) {
	for most := range 6 {
		inBothRoles(t, fmt.Sprintf("%d bytes", most), func(t *testing.T, role protocol.Role) {
			synctest.Test(t, func(t *testing.T) {
				c, peer, _ := idling(t, role)
				tr := &stingy{transport: c.tr(), most: most}
				setTransport(c, tr)
				tickNow(t, c)
				if tr.most >= 0 {
					t.Error("it was not asked to write")
				}
				if most > 0 {
					acked := &unacked{transport: tr}
					setTransport(c, acked)
					acked.acks(t, c, 0)
				}
				payload := readPing(t, c, peer)
				peer.Write(frameTo(c, protocol.OpPong, payload))
				synctest.Wait()
				if s := c.KeepaliveStats(); s.PingsSent != 1 || s.PongsReceived != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestCalmPingWhereFull: where the transport takes nothing the peer is given up when it
// would be had the ping left when it was due.
func TestCalmPingWhereFull(t *testing.T) {
	inBothRoles(t, "full", func(t *testing.T, role protocol.Role) {
		synctest.Test(t, func(t *testing.T) {
			c, peer := open(t, Options{Role: role, Keepalive: keepalive.Config{Interval: 20 * time.Second, Timeout: 10 * time.Second, Phase: time.Second}})
			go c.Receive(nil) // ends with the connection
			time.Sleep(time.Second)
			if holdsDesk(c) {
				t.Fatal("it holds a desk")
			}
			c.tr().(*pipeEnd).Write(make([]byte, 2*pipeBuffer)) // what the peer does not read, and what waits for it
			const late = 900 * time.Millisecond
			time.Sleep(late)
			if wait := tickNow(t, c); wait != 10*time.Second-late {
				t.Errorf("it waits for %v", wait)
			}
			io.CopyN(io.Discard, peer, 2*pipeBuffer)
			readPing(t, c, peer)
		})
	})
}

// TestCalmPingFails: a ping that cannot be written ends the connection.
func TestCalmPingFails(t *testing.T) {
	inBothRoles(t, "broken", func(t *testing.T, role protocol.Role) {
		synctest.Test(t, func(t *testing.T) {
			c, peer, _ := idling(t, role)
			setTransport(c, &stingy{transport: c.tr(), err: syscall.EPIPE})
			c.Tick(time.Now())
			if err := c.Send(nil, protocol.TextMessage("late")); !errors.Is(err, protocol.ErrClosed) || !errors.Is(err, syscall.EPIPE) {
				t.Errorf("Send returned %v", err)
			}
			peer.Close()
			<-c.Done()
			if holdsDesk(c) {
				t.Error("it holds its desk")
			}
		})
	})
}

// TestTakePong: a reader takes the pong of a calm ping, and nothing else.
func TestTakePong(t *testing.T) {
	window := make([]byte, 100)
	for name, test := range map[string]struct {
		prepare func(c *Conn)
		change  func(pong []byte) []byte
		taken   bool
	}{
		"the pong":       {func(*Conn) {}, nil, true},
		"at a calm desk": {func(c *Conn) { c.sitIfAway(); c.calmDown() }, nil, true},
		"at a desk":      {func(c *Conn) { c.sitIfAway() }, nil, false},
		"in a batch":     {func(c *Conn) { c.sitIfAway(); c.calmDown(); c.mood |= inBatch }, nil, false},
		"stirred":        {func(c *Conn) { c.sitIfAway(); c.stir() }, nil, false},
		"elsewhere":      {func(c *Conn) { c.in.window = &window }, nil, false},
		"directly":       {func(c *Conn) { c.in.direct = 8 }, nil, false},
		"another one":    {func(*Conn) {}, func(pong []byte) []byte { pong[len(pong)-1] ^= 1; return pong }, false},
		"a part":         {func(*Conn) {}, func(pong []byte) []byte { return pong[:len(pong)-1] }, false},
		"and more":       {func(*Conn) {}, func(pong []byte) []byte { return append(pong, 0x8a) }, false},
	} {
		inBothRoles(t, name, func(t *testing.T, role protocol.Role) {
			synctest.Test(t, func(t *testing.T) {
				c, peer, _ := idling(t, role)
				tickNow(t, c)
				pong := frameTo(c, protocol.OpPong, readPing(t, c, peer))
				if test.change != nil {
					pong = test.change(pong)
				}
				time.Sleep(time.Millisecond)
				c.mu.Lock()
				c.in.borrow()
				n := copy(c.in.block[:], pong)
				test.prepare(c)
				c.mu.Unlock()
				if got := c.takePong(n); got != test.taken {
					t.Errorf("taken: %t", got)
				}
				c.mu.Lock()
				defer c.mu.Unlock()
				if s := &c.stats; (s.pongsReceived == 1 && s.lastRTT == time.Millisecond && c.keeper.pongDue == time.Second) != test.taken || s.pongsReceived > 1 {
					t.Errorf("%+v, due %v", s, c.keeper.pongDue)
				}
				c.mu.Unlock()
				if test.taken && c.takePong(n) {
					t.Error("it was taken twice")
				}
				c.mu.Lock()
				c.mood &^= inBatch
				c.in.direct, c.in.window = 0, nil
				c.in.giveBack()
			})
		})
	}
}

// TestTakePongWhileLocked: who reads does not wait for the lock within the read, and takes
// the pong behind it.
func TestTakePongWhileLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer, _ := idling(t, protocol.Server)
		tickNow(t, c)
		pong := frameTo(c, protocol.OpPong, readPing(t, c, peer))
		c.mu.Lock()
		c.in.borrow()
		if c.takePong(copy(c.in.block[:], pong)) {
			t.Error("taken")
		}
		c.in.giveBack()
		c.mu.Unlock()
		peer.Write(pong)
		synctest.Wait()
		if s := c.KeepaliveStats(); s.PongsReceived != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestCalmPingOverTCP: the pong is taken within the read that waits for messages, which
// goes on. The end of the connection is seen although it came at the same time.
func TestCalmPingOverTCP(t *testing.T) {
	inBothRoles(t, "pings", func(t *testing.T, role protocol.Role) {
		made := countDesks(t)
		peer, ours := tcpPair(t)
		peer.SetDeadline(time.Now().Add(time.Minute))
		c := opened(ours, Options{Role: role, Counters: new(Counters), Keepalive: keepalive.Config{Interval: time.Hour, Timeout: -1, Phase: time.Millisecond}})
		defer end(c)
		received := make(chan error, 2)
		go func() {
			for range 2 {
				_, err := c.Receive(nil)
				received <- err
			}
		}()
		awaitIdle(c)
		desks.pool.Get() // the one that it had
		before, due := made.Load(), c.keeper.monitor.Asked()
		for i := range 3 {
			c.Tick(due)
			due = due.Add(time.Hour)
			pong := frameTo(c, protocol.OpPong, readPing(t, c, peer))
			if i == 2 {
				pong = append(pong, frameTo(c, protocol.OpText, "hello")...) // not alone
			}
			peer.Write(pong)
			awaitPongs(c, i+1)
			if i < 2 && made.Load() != before {
				t.Errorf("it had a desk for ping %d", i)
			}
		}
		if err := <-received; err != nil {
			t.Error(err)
		}
		awaitIdle(c)
		c.Tick(due)
		peer.Write(frameTo(c, protocol.OpPong, readPing(t, c, peer)))
		peer.Close()
		if err := <-received; !errors.Is(err, protocol.ErrClosed) {
			t.Errorf("it has ended with %v", err)
		}
		if got := c.KeepaliveStats().PongsReceived; got != 4 {
			t.Errorf("%d pongs, want 4", got)
		}
	})
}

// countDesks counts the desks that are made during a test.
func countDesks(t *testing.T) (made *atomic.Int64) {
	before := desks
	t.Cleanup(func() { desks = before })
	made = new(atomic.Int64)
	desks = newStock(func() *desk {
		made.Add(1)
		return newDesk()
	})
	return made
}

// awaitIdle waits until the connection has left its desk.
func awaitIdle(c *Conn) {
	for !isAway(c) {
		runtime.Gosched()
	}
}

func isAway(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.desk == nil
}

// awaitPongs waits until so many pings of a server's only connection were answered. It does
// not take the lock, for then the pong could not be taken calmly.
func awaitPongs(c *Conn, n int) {
	for answered := uint64(0); answered < uint64(n); runtime.Gosched() {
		answered = 0
		for _, count := range c.opts.Counters.Totals().RTT.Counts {
			answered += count
		}
	}
}
