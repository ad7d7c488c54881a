package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// open makes a connection over one end of a pipe, and returns the other end.
func open(t *testing.T, opts Options, extensions ...protocol.Extension) (*Conn, net.Conn) {
	t.Helper()
	ours, theirs := NewPipe()
	if opts.Role == 0 {
		opts.Role = protocol.Server
	}
	c := new(Conn)
	c.Init(ours, nil, opts.WithDefaults(), extensions...)
	t.Cleanup(func() {
		theirs.Close()
		c.Abort(ErrAborted)
		<-c.Done()
	})
	return c, theirs
}

// tcpPair returns both ends of a connection through the loopback device.
func tcpPair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	here, err = net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close() })
	there, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	return here, there
}

// clientFrame returns a frame as a client sends it, with a masking key of zeros.
func clientFrame(op protocol.Opcode, payload []byte) []byte {
	return frameOf(protocol.Client, op, payload)
}

// frameOf returns a frame as one of this role sends it, if a client with such a key.
func frameOf(role protocol.Role, op protocol.Opcode, payload []byte) []byte {
	h := protocol.Header{Fin: true, Opcode: op, Masked: role == protocol.Client, Length: int64(len(payload))}
	return append(protocol.AppendHeader(nil, h), payload...)
}

// frameTo returns one as the peer of c sends it.
func frameTo(c *Conn, op protocol.Opcode, payload string) []byte {
	return frameOf(protocol.Client+protocol.Server-c.opts.Role, op, []byte(payload))
}

// inBothRoles runs a test with each role.
func inBothRoles(t *testing.T, name string, test func(*testing.T, protocol.Role)) {
	for _, role := range []protocol.Role{protocol.Client, protocol.Server} {
		t.Run(fmt.Sprintf("%s, %v", name, role), func(t *testing.T) { test(t, role) })
	}
}

// unmasked returns what was sent by a client as if its keys, which are random, were
// zeros, and how much of it is whole frames.
func unmasked(sent []byte) (plain []byte, whole int) {
	plain = bytes.Clone(sent)
	for rest := plain; ; rest = plain[whole:] {
		h, size, _ := protocol.ParseHeader(rest)
		if size == 0 {
			clear(partOfKey(rest))
			return plain, whole
		}
		payload := rest[size:min(len(rest), size+int(h.Length))]
		if h.Masked {
			protocol.Mask(payload, payload, h.Mask, 0)
			clear(rest[size-4 : size])
		}
		if len(payload) < int(h.Length) {
			return plain, whole
		}
		whole += size + len(payload)
	}
}

// masked returns what a client sends with such keys where a server sends these frames.
func masked(frames string) string {
	var sent []byte
	for rest := []byte(frames); len(rest) > 0; {
		h, size, _ := protocol.ParseHeader(rest)
		h.Masked = true
		sent = append(protocol.AppendHeader(sent, h), rest[size:size+int(h.Length)]...)
		rest = rest[size+int(h.Length):]
	}
	return string(sent)
}

// partOfKey returns what is there of the key in a part of a client's header.
func partOfKey(header []byte) []byte {
	before := 2
	if len(header) > 2 {
		before += map[byte]int{126: 2, 127: 8}[header[1]&127]
	}
	return header[min(before, len(header)):]
}

// TestPingFlood has a peer ping in a loop and never read. What is kept for it
// stays within the bounds that the protocol sets for owed pongs.
func TestPingFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{MaxControlFrames: -1})
		ping := clientFrame(protocol.OpPing, make([]byte, protocol.MaxControlPayload))
		const atOnce, frame = 64, 2 + protocol.MaxControlPayload // see protocol: maxPongs
		for range 10000 {
			if _, err := peer.Write(ping); err != nil {
				t.Fatal(err)
			}
			c.lock()
			kept := len(c.pend.buf)
			c.unlock()
			if kept > 2*atOnce*frame {
				t.Fatalf("%d bytes wait to be written", kept)
			}
		}
		synctest.Wait()
		c.lock()
		owed, err := c.proto.AppendOwed(nil, time.Now())
		c.unlock()
		if len(owed) > atOnce*frame || err != nil {
			t.Errorf("%d bytes are owed, %v", len(owed), err)
		}
	})
}

// TestLastPongs answers the newest pings of a flood once the peer reads, and
// all those that fit, in order.
func TestLastPongs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, peer := open(t, Options{MaxControlFrames: -1})
		const n = 5000
		go func() {
			for i := range n {
				peer.Write(clientFrame(protocol.OpPing, []byte{byte(i >> 8), byte(i)}))
			}
		}()
		last := -1
		for last < n-1 {
			var pong [4]byte
			if _, err := io.ReadFull(peer, pong[:]); err != nil {
				t.Fatal(err)
			}
			i := int(pong[2])<<8 | int(pong[3])
			if pong[0] != 0x8a || pong[1] != 2 || i <= last {
				t.Fatalf("% x after pong %d", pong, last)
			}
			last = i
		}
	})
}

// TestTokenOrder hands a token over in the order of arrival, past those who
// have given up.
func TestTokenOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t, Options{})
		var tok token
		c.lock()
		if err := tok.acquire(c, nil); err != nil {
			t.Fatal(err)
		}
		c.unlock()
		var waiting sync.WaitGroup
		var order []int
		for i := range 11 {
			if i == 10 { // comes when the last has given up
				time.Sleep(2 * time.Second)
			}
			waiting.Go(func() {
				l := After(time.Hour)
				if i%3 == 0 { // the first and the last among them
					l = After(time.Second)
				}
				c.lock()
				defer c.unlock()
				err := tok.acquire(c, l)
				if gone := i%3 == 0; gone != errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%d: %v", i, err)
				}
				if err == nil {
					order = append(order, i)
					tok.release()
				}
			})
			synctest.Wait()
		}
		c.lock()
		tok.release()
		c.unlock()
		waiting.Wait()
		if !slices.Equal(order, []int{1, 2, 4, 5, 7, 8, 10}) {
			t.Errorf("order %v", order)
		}
		if tok.held || tok.first != nil || tok.last != nil {
			t.Errorf("the token is not free: %+v", tok)
		}
	})
}

// TestTokenGrantedTooLate grants a token at the moment at which its claim gives
// up: it goes on to the next.
func TestTokenGrantedTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t, Options{})
		var tok token
		c.lock()
		tok.held = true
		c.unlock()
		late := make(chan error, 1)
		go func() {
			c.lock()
			defer c.unlock()
			late <- tok.acquire(c, After(time.Second))
		}()
		synctest.Wait()
		time.Sleep(time.Second) // its time is up; it may or may not have noticed
		c.lock()
		tok.release()
		c.unlock()
		if err := <-late; err == nil {
			c.lock()
			tok.release()
			c.unlock()
		}
		if tok.held {
			t.Error("nobody has the token, and it is held")
		}
	})
}

// TestWriteGrantedTooLate lets go of the write token, with a pong owed, at the
// moment at which who waits for it gives up. The pong leaves all the same. It
// is chance which of the two comes first, so it is done many times.
func TestWriteGrantedTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		receiving := make(chan struct{})
		go func() { defer close(receiving); c.Receive(nil) }() // ends with the connection
		for range 50 {
			c.lock()
			c.write.held = true // as if somebody were writing
			c.unlock()
			ctx, cancel := context.WithCancel(t.Context())
			flushing := make(chan struct{})
			go func() { defer close(flushing); c.Flush(&Limit{Context: ctx}) }()
			peer.Write(clientFrame(protocol.OpPing, nil))
			synctest.Wait()
			c.lock()
			cancel()
			c.releaseWrite()
			c.unlock()
			<-flushing
			peer.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := io.ReadFull(peer, make([]byte, 2)); err != nil {
				t.Fatalf("no pong: %v", err)
			}
		}
		peer.Close()
		<-receiving
	})
}

// TestQueueBounds stops reading at either bound, and resumes at a quarter.
func TestQueueBounds(t *testing.T) {
	for name, opts := range map[string]Options{
		"messages": {MaxQueue: 8, MaxQueueBytes: -1},
		"bytes":    {MaxQueue: -1, MaxQueueBytes: 800},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := open(t, opts)
				for range 20 {
					peer.Write(clientFrame(protocol.OpBinary, make([]byte, 100)))
				}
				for i := range 20 {
					time.Sleep(time.Second)
					c.lock()
					queued, paused := c.queue.len(), c.pausing
					c.unlock()
					if queued > 8 || i == 0 && (queued != 8 || !paused) || paused && queued < 3 || i < 6 && (queued != 8-i || !paused) {
						t.Fatalf("received %d, %d queued, paused: %v", i, queued, paused)
					}
					if _, err := c.Receive(After(time.Second)); err != nil {
						t.Fatal(err)
					}
				}
				c.lock()
				defer c.unlock()
				if c.queue.len() != 0 || c.queue.bytes != 0 || c.pausedBefore() == 0 {
					t.Errorf("queue %+v, paused for %v", c.queue, c.pausedBefore())
				}
			})
		})
	}
}

// TestIdleHoldsNothing looks at what a connection keeps while it waits.
func TestIdleHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		go c.Receive(nil)
		peer.Write(clientFrame(protocol.OpPing, []byte("ping")))
		io.ReadFull(peer, make([]byte, 6))
		time.Sleep(2 * gracePeriod) // until then the next message is thought to be near
		synctest.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.desk != nil {
			t.Errorf("an idle connection holds its desk: %+v", c.desk)
		}
	})
}

// TestEndHoldsNothing: an application may keep a connection that has ended, and
// go on sending.
func TestEndHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t, Options{})
		c.Abort(nil)
		<-c.Done()
		if err := c.Send(nil, protocol.Message{Type: protocol.Text, Data: []byte("late")}); err == nil {
			t.Error("a message was sent after the end")
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.desk != nil || c.in.block != nil {
			t.Error("a connection that has ended holds a desk or a block")
		}
	})
}
