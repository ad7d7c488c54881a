package link

import (
	"errors"
	"io"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// holdsDesk reports whether a connection holds a desk, when all has come to rest.
func holdsDesk(c *Conn) bool {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.desk != nil
}

// calls are what can be called on a connection that has ended, and what it
// returns then.
var calls = map[string]func(*Conn) error{
	"Receive":       func(c *Conn) error { _, err := c.Receive(nil); return err },
	"ReceiveReader": func(c *Conn) error { _, _, err := c.ReceiveReader(nil); return err },
	"Send":          func(c *Conn) error { return c.Send(nil, protocol.TextMessage("late")) },
	"SendWriter":    func(c *Conn) error { _, err := c.SendWriter(nil, protocol.Text, protocol.CompressAuto); return err },
	"Flush":         func(c *Conn) error { return c.Flush(nil) },
	"Ping":          func(c *Conn) error { _, err := c.Ping(nil, nil); return err },
	"Pong":          func(c *Conn) error { return c.Pong(nil, nil) },
	"Err":           (*Conn).Err,
}

// TestEndLeavesDesk: a connection that has ended holds its desk only as long as
// there is something to receive, and another one may work there then. It answers
// all the same, again and again.
func TestEndLeavesDesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		peer.Write(clientFrame(protocol.OpText, []byte("one")))
		peer.Write(clientFrame(protocol.OpText, []byte("two")))
		peer.Write(clientFrame(protocol.OpClose, []byte{3, 0xe9, 'b', 'y', 'e'}))
		go io.Copy(io.Discard, peer)
		<-c.Done()
		for _, want := range []string{"one", "two"} {
			if !holdsDesk(c) {
				t.Fatalf("the desk is gone before %q was received", want)
			}
			if m, err := c.Receive(nil); string(m.Data) != want || err != nil {
				t.Fatalf("received %q, %v, want %q", m.Data, err, want)
			}
		}
		other, _ := open(t, Options{})
		for range 2 {
			answers(t, c)
		}
		if other.State() != protocol.Open || other.Err() != nil {
			t.Errorf("the next connection is %v: %v", other.State(), other.Err())
		}
	})
}

// TestEndLeavesDeskOfViolation: so it is when the peer has broken the protocol behind
// messages that could be received first, whether they were in time or not.
func TestEndLeavesDeskOfViolation(t *testing.T) {
	for _, inTime := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c, peer := open(t, Options{})
			peer.Write(append(clientFrame(protocol.OpText, []byte("one")), 0xff))
			go io.Copy(io.Discard, peer)
			time.Sleep(time.Second) // the attendant has seen both
			if !inTime {
				<-c.Done()
			}
			if m, err := c.Receive(nil); string(m.Data) != "one" || err != nil {
				t.Fatalf("received %q, %v", m.Data, err)
			}
			var violation *protocol.ViolationError
			if _, err := c.Receive(nil); !errors.As(err, &violation) {
				t.Errorf("then %v", err)
			}
			if <-c.Done(); holdsDesk(c) {
				t.Errorf("in time %t: it holds its desk", inTime)
			}
			time.Sleep(time.Hour) // nothing rings
		})
	}
}

// answers checks that a connection that the peer has closed with 1001 "bye" says
// so whatever it is asked, and has no desk between two calls.
func answers(t *testing.T, c *Conn) {
	for name, call := range calls {
		if holdsDesk(c) {
			t.Errorf("it holds a desk before %s", name)
		}
		var closed *protocol.CloseError
		if err := call(c); !errors.As(err, &closed) || closed.Rcvd == nil || closed.Sent == nil ||
			*closed.Rcvd != (protocol.Close{Code: protocol.GoingAway, Reason: "bye"}) || !closed.RcvdThenSent || closed.Err != nil {
			t.Errorf("%s returned %v", name, err)
		}
	}
	if err := c.Close(nil, protocol.NormalClosure, ""); err != nil || c.State() != protocol.Closed {
		t.Errorf("Close returned %v, and the state is %v", err, c.State())
	}
	message, conns := protocol.TextMessage("all"), iter.Seq[*Conn](func(yield func(*Conn) bool) { yield(c) })
	Broadcast(nil, conns, message, new(BroadcastOptions[*Conn]), func(c *Conn) *Conn { return c }, func(_ *Conn, err error) {
		t.Errorf("Broadcast has missed it: %v", err)
	})
	if <-c.Done(); holdsDesk(c) {
		t.Error("it holds a desk")
	}
}

// TestEndWithReader: who is in the middle of a message when the connection ends
// gets what has come of it, and then how it has ended.
func TestEndWithReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		peer.Write(append(protocol.AppendHeader(nil, protocol.Header{Opcode: protocol.OpText, Masked: true, Length: 5}), "begun"...))
		_, r, err := c.ReceiveReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		peer.Close()
		<-c.Done()
		if !holdsDesk(c) {
			t.Error("the desk is gone though a message is being read")
		}
		if got, err := io.ReadAll(r); string(got) != "begun" || !errors.Is(err, protocol.ErrClosedError) {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

// TestEndForgetsAtDesk: what the transport has said, and pings that nobody has
// answered, are not the next connection's at the same desk.
func TestEndForgetsAtDesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		c.lock()
		c.waiting.push(1, 1)
		c.look, c.discarding, c.pausing = lookMissed, true, true
		d := c.desk
		c.unlock()
		peer.Close()
		if err := c.Send(nil, protocol.TextMessage("lost")); err == nil {
			t.Error("a message was sent to nobody")
		}
		if <-c.Done(); holdsDesk(c) {
			t.Fatal("it holds its desk")
		}
		if len(d.waiting) > 0 || d.look != lookNone || d.discarding || d.pausing || d.recvErr != nil || d.writeErr != nil || d.config.Ended != nil {
			t.Errorf("left at the desk: %+v", d)
		}
		if err := c.Send(nil, protocol.TextMessage("lost")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Send returned %v", err)
		}
	})
}
