package link

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// cuts are the ways in which our side ends a connection that has more to receive, and
// what is found in the error then.
var cuts = map[string]struct {
	cut  func(*Conn)
	want error
}{
	"abort":    {func(c *Conn) { c.Abort(io.ErrNoProgress) }, io.ErrNoProgress},
	"too slow": {(*Conn).tooSlow, ErrTooSlow},
}

// inOneRead is a connection whose application has received "one", and has read as well
// what the frames behind it say.
func inOneRead(t *testing.T, opts Options, extensions []protocol.Extension, frames ...[]byte) *Conn {
	c, peer := open(t, opts, extensions...)
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
				c := inOneRead(t, Options{MaxQueue: -1}, nil, two, clientFrame(protocol.OpPing, nil), three)
				how.cut(c)
				if ended {
					<-c.Done()
				}
				receives(t, c, "two", "three")
				for range 2 {
					if _, err := c.Receive(nil); !errors.Is(err, how.want) {
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

// TestCutKeepsAQueueful: no more is kept than the queue has room for.
func TestCutKeepsAQueueful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frame := clientFrame(protocol.OpText, []byte("more"))
		c := inOneRead(t, Options{MaxQueue: 2}, nil, frame, frame, frame)
		c.Abort(io.ErrNoProgress)
		receives(t, c, "more", "more")
		if _, err := c.Receive(nil); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("then %v", err)
		}
	})
}

// TestCutKeepsBegun: a Reader has what had come of its message, also what it had begun
// to read and lies where compression puts what comes next.
func TestCutKeepsBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		packed := overtaken{compressed: true}
		peer := protocol.NewConn(protocol.Config{Role: protocol.Client, Extensions: packed.extensions(t, protocol.Client)})
		var sent []byte
		want := ""
		for _, letter := range []string{"a", "b", "c"} {
			piece := strings.Repeat(letter, 300)
			sent, _ = peer.AppendFragment(sent, protocol.Text, false, []byte(piece))
			want += piece
		}
		c := inOneRead(t, Options{}, packed.extensions(t, protocol.Server), sent)
		_, r, err := c.ReceiveReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 1)
		io.ReadFull(r, first)
		c.Abort(io.ErrNoProgress)
		<-c.Done()
		if rest, err := io.ReadAll(r); string(first)+string(rest) != want || !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("read %q and %q, %v", first, rest, err)
		}
	})
}

// TestCutAsksNobody: where the application judges messages, who cuts does not wait for
// it, and nothing is kept.
func TestCutAsksNobody(t *testing.T) {
	for name, how := range cuts {
		synctest.Test(t, func(t *testing.T) {
			heartbeat, asked, answer := judging("two")
			c := inOneRead(t, Options{Keepalive: keepalive.Config{Heartbeat: heartbeat}}, nil, clientFrame(protocol.OpText, []byte("two")))
			how.cut(c)
			select {
			case <-asked:
				t.Errorf("%s: the application was asked", name)
				answer <- false
			case <-c.Done():
			}
			if _, err := c.Receive(nil); !errors.Is(err, how.want) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestCutFindsTheEnd: what ends the connection anyhow may be in what was read, and is
// what it has ended with; but Abort cuts as ever.
func TestCutFindsTheEnd(t *testing.T) {
	two, ping := clientFrame(protocol.OpText, []byte("two")), clientFrame(protocol.OpPing, nil)
	bye, bad := clientFrame(protocol.OpClose, []byte{3, 0xe9, 'b', 'y', 'e'}), []byte{0xff, 0x80}
	ends := map[string]struct {
		frames [][]byte
		kept   []string
		ended  func(e *protocol.CloseError, ours error) bool
	}{
		"close":     {[][]byte{two, bye, two}, []string{"two"}, func(e *protocol.CloseError, _ error) bool { return e.Rcvd != nil && e.Rcvd.Reason == "bye" }},
		"violation": {[][]byte{two, bad, two}, []string{"two"}, func(e *protocol.CloseError, ours error) bool { return errors.Is(e, ours) }},
		"alone":     {[][]byte{bad}, nil, func(e *protocol.CloseError, _ error) bool { return errors.As(e, new(*protocol.ViolationError)) }},
		"pings":     {[][]byte{two, ping, two}, []string{"two"}, func(e *protocol.CloseError, _ error) bool { return errors.Is(e, keepalive.ErrPingsTooOften) }},
	}
	for name, end := range ends {
		for cut, how := range cuts {
			synctest.Test(t, func(t *testing.T) {
				c := inOneRead(t, Options{CloseTimeout: time.Minute, Enforcement: keepalive.Enforcement{MinInterval: time.Second, Strikes: -1}}, nil, end.frames...)
				begun := time.Now()
				how.cut(c)
				<-c.Done()
				if took := time.Since(begun); cut == "abort" && took > 0 {
					t.Errorf("%s: it took %v", name, took)
				}
				receives(t, c, end.kept...)
				_, err := c.Receive(nil)
				var closed *protocol.CloseError
				if !errors.As(err, &closed) || !end.ended(closed, how.want) {
					t.Errorf("%s, %s: then %v", name, cut, err)
				}
				if told := c.Err(); told.Error() != err.Error() {
					t.Errorf("%s, %s: Err tells %v, Receive %v", name, cut, told, err)
				}
			})
		}
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

// TestCutOffWhileClosing: so does a text that is cut off in the middle of a character when
// the peer's close frame has come unseen.
func TestCutOffWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inOneRead(t, Options{}, nil, clientFrame(protocol.OpClose, []byte{3, 0xe8}))
		w, err := c.SendWriter(After(time.Millisecond), protocol.Text, protocol.CompressAuto)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "caf\xc3")
		time.Sleep(time.Millisecond)
		if err := w.Close(); !errors.Is(err, ErrPartialWrite) || !errors.Is(err, protocol.ErrClosedOK) {
			t.Errorf("%v", err)
		}
		<-c.Done()
	})
}
