package link

import (
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// cuts are the ways in which our side ends a connection at once, and what is found in
// the error then.
var cuts = map[string]struct {
	cut  func(*Conn)
	want error
}{
	"abort":    {func(c *Conn) { c.Abort(io.ErrNoProgress) }, io.ErrNoProgress},
	"too slow": {(*Conn).tooSlow, ErrTooSlow},
	"give up":  {locked(func(c *Conn) { c.giveUp(new(keepalive.TimeoutError)) }), &keepalive.TimeoutError{}},
}

func locked(do func(*Conn)) func(*Conn) {
	return func(c *Conn) {
		c.lock()
		defer c.unlock()
		do(c)
	}
}

// inOneRead is a connection whose application has received "one", and has read as well
// what the frames behind it say.
func inOneRead(t *testing.T, opts Options, frames ...[]byte) *Conn {
	c, peer := open(t, opts)
	sent := clientFrame(protocol.OpText, []byte("one"))
	for _, f := range frames {
		sent = append(sent, f...)
	}
	go io.Copy(io.Discard, peer)
	go func() {
		peer.Write(clientFrame(protocol.OpPing, nil)) // which is read for itself
		time.Sleep(time.Millisecond)
		peer.Write(sent)
	}()
	receives(t, c, "one")
	return c
}

// receives checks that the application can receive these messages.
func receives(t *testing.T, c *Conn, want ...string) {
	t.Helper()
	for _, text := range want {
		if m, err := c.Receive(nil); string(m.Data) != text || err != nil {
			t.Fatalf("received %q, %v, want %q", m.Data, err, text)
		}
	}
}

// TestCutKeepsWhatWasRead: what the application has not yet looked at of what it has
// read can be received when our side has cut the connection meanwhile, as if the
// attendant had queued it in time.
func TestCutKeepsWhatWasRead(t *testing.T) {
	two, three := clientFrame(protocol.OpText, []byte("two")), clientFrame(protocol.OpText, []byte("three"))
	for name, how := range cuts {
		for _, ended := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				c := inOneRead(t, Options{MaxQueue: -1}, two, clientFrame(protocol.OpPing, nil), three)
				how.cut(c)
				if ended {
					<-c.Done()
				}
				receives(t, c, "two", "three")
				for range 2 {
					if _, err := c.Receive(nil); !isOrAs(err, how.want) {
						t.Errorf("%s, ended %t: then %v", name, ended, err)
					}
				}
				if <-c.Done(); holdsDesk(c) {
					t.Errorf("%s, ended %t: it holds its desk", name, ended)
				}
			})
		}
	}
}

// isOrAs is errors.Is, for a TimeoutError by its type.
func isOrAs(err, want error) bool {
	if _, ok := want.(*keepalive.TimeoutError); ok {
		return errors.As(err, new(*keepalive.TimeoutError))
	}
	return errors.Is(err, want)
}

// TestCutKeepsAQueueful: no more is kept than the queue has room for.
func TestCutKeepsAQueueful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frame := clientFrame(protocol.OpText, []byte("more"))
		c := inOneRead(t, Options{MaxQueue: 2}, frame, frame, frame)
		c.Abort(io.ErrNoProgress)
		receives(t, c, "more", "more")
		if _, err := c.Receive(nil); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("then %v", err)
		}
	})
}

// TestCutKeepsBegun: a Reader has what had come of its message.
func TestCutKeepsBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := protocol.AppendHeader(nil, protocol.Header{Opcode: protocol.OpText, Masked: true, Length: 9})
		c := inOneRead(t, Options{}, begun, []byte("begun"))
		_, r, err := c.ReceiveReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Abort(io.ErrNoProgress)
		<-c.Done()
		if got, err := io.ReadAll(r); string(got) != "begun" || !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

// TestCutFindsTheEnd: what ends the connection anyhow may be in what was read, and is
// what it has ended with; but it cuts as ever.
func TestCutFindsTheEnd(t *testing.T) {
	bye := clientFrame(protocol.OpClose, []byte{3, 0xe9, 'b', 'y', 'e'})
	two, ping := clientFrame(protocol.OpText, []byte("two")), clientFrame(protocol.OpPing, nil)
	ends := map[string]struct {
		frames [][]byte
		kept   []string
		ended  func(*protocol.CloseError) bool
	}{
		"close":     {[][]byte{two, bye, two}, []string{"two"}, func(e *protocol.CloseError) bool { return e.Rcvd != nil && e.Rcvd.Reason == "bye" }},
		"violation": {[][]byte{two, {0xff, 0x80}, two}, []string{"two"}, func(e *protocol.CloseError) bool { return errors.Is(e, io.ErrNoProgress) }},
		"alone":     {[][]byte{{0xff, 0x80}}, nil, func(e *protocol.CloseError) bool { return errors.As(e, new(*protocol.ViolationError)) }},
		"pings": {[][]byte{two, ping, two}, []string{"two"}, func(e *protocol.CloseError) bool {
			return errors.Is(e, keepalive.ErrPingsTooOften)
		}},
	}
	for name, end := range ends {
		synctest.Test(t, func(t *testing.T) {
			c := inOneRead(t, Options{CloseTimeout: time.Minute, Enforcement: keepalive.Enforcement{MinInterval: time.Second, Strikes: -1}}, end.frames...)
			begun := time.Now()
			c.Abort(io.ErrNoProgress)
			<-c.Done()
			if took := time.Since(begun); took > 0 {
				t.Errorf("%s: it took %v", name, took)
			}
			receives(t, c, end.kept...)
			_, err := c.Receive(nil)
			var closed *protocol.CloseError
			if !errors.As(err, &closed) || !end.ended(closed) {
				t.Errorf("%s: then %v", name, err)
			}
		})
	}
}

// TestCutShortWhileClosing: a message that is cut short when the peer has closed already
// tells of both.
func TestCutShortWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		sent := make(chan error)
		go func() { sent <- c.Send(After(time.Second), protocol.BinaryMessage(make([]byte, 1<<20))) }()
		peer.Read(make([]byte, 1)) // and nothing more
		peer.Write(clientFrame(protocol.OpClose, []byte{3, 0xe9}))
		if err := <-sent; !errors.Is(err, ErrPartialWrite) || !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, protocol.ErrClosed) {
			t.Errorf("%v", err)
		}
		<-c.Done()
	})
}
