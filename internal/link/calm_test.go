package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestCalm is about what ends the calm, and that a receive call brings it back when
// nothing is under way. What is sent and received is the business of the random tests.
func TestCalm(t *testing.T) {
	for name, test := range map[string]struct {
		between    func(c *Conn, peer net.Conn)
		calm, next bool // behind that, and after the next message
	}{
		"nothing":        {func(*Conn, net.Conn) {}, true, true},
		"a message":      {func(c *Conn, _ net.Conn) { c.Send(nil, protocol.TextMessage("ä")) }, true, true},
		"a large one":    {func(c *Conn, _ net.Conn) { c.Send(nil, protocol.BinaryMessage(pattern(20_000))) }, false, true},
		"a wrong one":    {func(c *Conn, _ net.Conn) { c.Send(nil, protocol.Message{}) }, false, true},
		"a compressed":   {func(c *Conn, _ net.Conn) { c.Send(nil, protocol.BinaryMessage(pattern(2000))) }, false, true},
		"a broadcast":    {func(c *Conn, _ net.Conn) { spreadTo(c) }, true, true},
		"a look at it":   {func(c *Conn, _ net.Conn) { c.State(); c.Err(); c.Done() }, true, true},
		"a ping":         {func(c *Conn, _ net.Conn) { c.Ping(nil, nil) }, false, false}, // whose pong is awaited
		"a pong":         {func(c *Conn, _ net.Conn) { c.Pong(nil, nil) }, false, true},
		"an open writer": {func(c *Conn, _ net.Conn) { c.SendWriter(nil, protocol.Text, 0) }, false, false},
		"another limit":  {func(c *Conn, _ net.Conn) { c.SetMaxMessageSize(100) }, false, false},
		"heartbeats":     {func(c *Conn, _ net.Conn) { c.lock(); c.setHeartbeat(new(keepalive.Heartbeat)); c.unlock() }, false, false},
		"two messages": {func(c *Conn, peer net.Conn) {
			peer.Write(bytes.Repeat(frameTo(c, protocol.OpText, "hello"), 2))
		}, true, true},
		"a message and a part": {func(c *Conn, peer net.Conn) {
			frame := frameTo(c, protocol.OpText, "hello")
			peer.Write(append(frame, frame[:5]...))
			c.Receive(nil)
			peer.Write(frame[5:])
		}, false, false},
		"silence":         {func(*Conn, net.Conn) { time.Sleep(3 * gracePeriod) }, false, false}, // an attendant has read
		"much of nothing": {func(*Conn, net.Conn) { time.Sleep(gracePeriod / 2) }, true, true},
	} {
		inBothRoles(t, name, func(t *testing.T, role protocol.Role) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := open(t, Options{Role: role}, deflates(t, 1000))
				go io.Copy(io.Discard, peer)
				receive := func() {
					peer.Write(frameTo(c, protocol.OpText, "hello"))
					if _, err := c.Receive(nil); err != nil {
						t.Error(err)
					}
				}
				receive()
				receive() // the first one may have been there before the call
				if !isCalm(c) {
					t.Fatal("it is not calm")
				}
				test.between(c, peer)
				if got := isCalm(c); got != (test.calm && (role == protocol.Server || name != "a broadcast")) {
					t.Errorf("calm: %t", got) // a client's broadcast is encoded at its desk
				}
				receive()
				if got := isCalm(c); got != test.next {
					t.Errorf("calm after the next message: %t", got)
				}
			})
		})
	}
}

func isCalm(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isCalm()
}

func spreadTo(c *Conn) error {
	p, err := Prepare(protocol.TextMessage("second"), protocol.CompressAuto)
	if err != nil {
		return err
	}
	d := &delivery{shipment: shipment{prepared: p}, bounds: Backlog{Messages: 2, Bytes: -1}}
	if done, err := c.postQuickly(newOneShot(p), d); done {
		return err
	}
	_, err = c.post(d, false)
	return err
}

// TestCalmKeys: each message of a client's has a key of its own (RFC 6455, section 5.3).
func TestCalmKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := calmDown(t, protocol.Client)
		keys := make(map[[4]byte]bool)
		for range 2 * len(keyBuffer{}.bytes) / 4 {
			if err := c.Send(nil, protocol.TextMessage("hello")); err != nil || !isCalm(c) {
				t.Fatalf("calm: %t, %v", isCalm(c), err)
			}
			got := make([]byte, 2+4+len("hello"))
			if _, err := io.ReadFull(peer, got); err != nil {
				t.Fatal(err)
			}
			keys[[4]byte(got[2:])] = true
		}
		if want := 2*len(keyBuffer{}.bytes)/4 - 1; len(keys) < want { // two may be the same by chance
			t.Errorf("%d keys, not %d", len(keys), want)
		}
	})
}

// slowly is a transport whose writes that must not wait take 10 ms, and write no more
// than so many bytes, or fail.
type slowly struct {
	transport
	most int
	err  error
	busy atomic.Bool // one write at a time
}

func (s *slowly) writeOnce(w *once) (ok bool, err error) {
	if s.busy.Swap(true) {
		panic("two write at once")
	}
	defer s.busy.Store(false)
	time.Sleep(10 * time.Millisecond)
	if s.err != nil {
		return true, s.err
	}
	part := once{frame: w.frame[:min(s.most, len(w.frame))]}
	if ok, err = s.transport.writeOnce(&part); err == nil && part.n == len(w.frame) && len(w.body) > 0 {
		ok, err = s.transport.writeOnce(&once{frame: w.body})
		part.n += len(w.body)
	}
	w.n, w.errno = part.n, 0
	return ok, err
}

// TestStirred does something while a Send writes of which the desk does not know: it
// comes behind that, whether all of it could be written at once, a part, or nothing.
func TestStirred(t *testing.T) {
	first, large := "\x81\x05first", strings.Repeat("x", 20_000)
	for name, test := range map[string]struct {
		stir func(c *Conn) error
		sent string
	}{
		"a message":      {func(c *Conn) error { return c.Send(nil, protocol.TextMessage("second")) }, "\x81\x06second"},
		"a large one":    {func(c *Conn) error { return c.Send(nil, protocol.TextMessage(large)) }, "\x81\x7e\x4e\x20" + large},
		"a ping":         {func(c *Conn) error { _, err := c.Ping(nil, []byte("ping")); return err }, "\x89\x04ping"},
		"a pong":         {func(c *Conn) error { return c.Pong(nil, []byte("pong")) }, "\x8a\x04pong"},
		"a flush":        {func(c *Conn) error { return c.Flush(nil) }, ""},
		"a broadcast":    {spreadTo, "\x81\x06second"},
		"fragments":      {sendPieces, "\x01\x03sec\x00\x03ond\x80\x00"},
		"another limit":  {func(c *Conn) error { c.SetMaxMessageSize(5); return nil }, ""},
		"its latency":    {func(c *Conn) error { c.Latency(); return nil }, ""},
		"closing":        {func(c *Conn) error { go c.Close(nil, protocol.NormalClosure, "bye"); return nil }, "\x88\x05\x03\xe8bye"},
		"a Send and end": {func(c *Conn) error { go c.Send(nil, protocol.TextMessage("second")); return nil }, "\x81\x06second"},
	} {
		for _, most := range []int{1 << 20, 3, 0} {
			inBothRoles(t, fmt.Sprintf("%s, %d bytes at once", name, most), func(t *testing.T, role protocol.Role) {
				synctest.Test(t, func(t *testing.T) {
					c, peer := calmDown(t, role)
					c.setTransport(&slowly{transport: c.tr(), most: most})
					outcome := make(chan error, 1)
					go func() {
						time.Sleep(5 * time.Millisecond)
						if c.mu.Lock(); c.mood&sendingCalmly == 0 {
							t.Error("it sends in another way")
						}
						c.mu.Unlock()
						outcome <- test.stir(c)
					}()
					if err := c.Send(nil, protocol.TextMessage("first")); err != nil {
						t.Error("first:", err)
					}
					if err := <-outcome; err != nil {
						t.Error(err)
					}
					want := first + test.sent
					if role == protocol.Client {
						want = masked(want)
					}
					got := make([]byte, len(want))
					_, err := io.ReadFull(peer, got)
					if got, _ = unmasked(got); err != nil || string(got) != want {
						t.Errorf("the peer has received %.100q, %v", got, err)
					}
					synctest.Wait()
					c.lock()
					defer c.unlock()
					if c.message.held || c.write.held {
						t.Error("it is still sending")
					}
				})
			})
		}
	}
}

// TestReceiveWhileSending begins to receive while a Send writes from the block that the
// last message came in: both are calm, and the block is not put where it was, for whoever
// reads may be reading there.
func TestReceiveWhileSending(t *testing.T) {
	inBothRoles(t, "both are calm", func(t *testing.T, role protocol.Role) {
		synctest.Test(t, func(t *testing.T) {
			c, peer := calmDown(t, role)
			c.setTransport(&slowly{transport: c.tr(), most: 1 << 20})
			go func() {
				time.Sleep(20 * time.Millisecond)
				c.mu.Lock()
				if !c.isCalm() || c.mood&sendingCalmly != 0 || c.reader != application || c.in.block != nil {
					t.Errorf("mood %b, reader %d, block %p", c.mood, c.reader, c.in.block)
				}
				c.mu.Unlock()
				peer.Write(frameTo(c, protocol.OpText, "second"))
			}()
			sent := make(chan error, 1)
			go func() { sent <- c.Send(nil, protocol.TextMessage("first")) }()
			time.Sleep(5 * time.Millisecond)
			if m, err := c.Receive(nil); err != nil || string(m.Data) != "second" {
				t.Errorf("received %q, %v", m.Data, err)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
			got := make([]byte, 100)
			n, _ := peer.Read(got)
			if got, _ := unmasked(got[:n]); string(got) != string(frameOf(role, protocol.OpText, []byte("first"))) {
				t.Errorf("the peer has received %q", got)
			}
		})
	})
}

// calmDown returns a connection that is calm, and the other end.
func calmDown(t *testing.T, role protocol.Role) (c *Conn, peer net.Conn) {
	return calmDownWith(t, Options{Role: role})
}

func calmDownWith(t *testing.T, opts Options) (c *Conn, peer net.Conn) {
	c, peer = open(t, opts)
	for range 2 {
		peer.Write(frameTo(c, protocol.OpText, "hello"))
		if _, err := c.Receive(nil); err != nil {
			t.Fatal(err)
		}
	}
	return c, peer
}

func sendPieces(c *Conn) error {
	w, err := c.SendWriter(nil, protocol.Text, protocol.CompressAuto)
	for _, piece := range []string{"sec", "ond"} {
		if err == nil {
			_, err = io.WriteString(w, piece)
		}
		time.Sleep(2 * DefaultHold) // each leaves on its own
	}
	if err == nil {
		err = w.Close()
	}
	return err
}

// TestStirredByEnd has the connection end while such a Send writes, in all ways.
func TestStirredByEnd(t *testing.T) {
	for name, test := range map[string]struct {
		end   func(c *Conn, peer net.Conn)
		write error // what becomes of the write
		cause error // nil: the Send succeeds
	}{
		"we cut it, in vain": {func(c *Conn, _ net.Conn) { c.Abort(ErrAborted) }, syscall.EPIPE, ErrAborted},
		"the peer ends it":   {func(c *Conn, peer net.Conn) { peer.Close(); c.Receive(nil) }, syscall.EPIPE, io.EOF},
		"the write fails":    {func(*Conn, net.Conn) {}, syscall.ECONNRESET, syscall.ECONNRESET},
		"the peer breaks it": {func(c *Conn, peer net.Conn) { peer.Write([]byte{0xff}); c.Receive(nil) }, nil, nil},
		"it is to be closed": {func(c *Conn, _ net.Conn) { go c.Close(nil, protocol.NormalClosure, "") }, syscall.EPIPE, io.EOF},
		"the peer closes it": {func(c *Conn, peer net.Conn) { peer.Write(frameTo(c, protocol.OpClose, "")); c.Receive(nil) }, nil, nil},
	} {
		inBothRoles(t, name, func(t *testing.T, role protocol.Role) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := calmDown(t, role)
				c.setTransport(&slowly{transport: c.tr(), most: 1 << 20, err: test.write})
				go func() {
					time.Sleep(5 * time.Millisecond)
					test.end(c, peer)
				}()
				err := c.Send(nil, protocol.TextMessage("first"))
				if test.cause == nil && err != nil || test.cause != nil && !errors.Is(err, protocol.ErrClosed) {
					t.Errorf("Send returned %v", err)
				}
				peer.Close()
				if <-c.Done(); test.cause != nil && !errors.Is(c.Err(), test.cause) {
					t.Errorf("it has ended with %v", c.Err())
				}
				if holdsDesk(c) {
					t.Error("it holds its desk")
				}
			})
		})
	}
}

// TestCalmLimit: what is to be sent within a limit that is reached is neither sent nor
// held, whether the connection is calm and more is here to be answered or not.
func TestCalmLimit(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for requests := 1; requests <= 2; requests++ {
		inBothRoles(t, fmt.Sprintf("%d requests", requests), func(t *testing.T, role protocol.Role) {
			synctest.Test(t, func(t *testing.T) {
				for _, test := range []struct {
					limit *Limit
					err   error
				}{{&Limit{Context: over}, context.Canceled}, {After(0), os.ErrDeadlineExceeded}} {
					c, peer := calmDown(t, role)
					peer.Write(bytes.Repeat(frameTo(c, protocol.OpText, "hello"), requests))
					c.Receive(nil)
					if !isCalm(c) {
						t.Fatal("it is not calm")
					}
					if err := c.Send(test.limit, protocol.TextMessage("late")); !errors.Is(err, test.err) {
						t.Errorf("%v, not %v", err, test.err)
					}
					if err := c.Send(nil, protocol.TextMessage("in time")); err != nil {
						t.Error(err)
					}
					got := make([]byte, 100)
					n, _ := peer.Read(got)
					if got, _ := unmasked(got[:n]); string(got) != string(frameOf(role, protocol.OpText, []byte("in time"))) {
						t.Errorf("the peer has received %q", got)
					}
				}
			})
		})
	}
}
