package suite

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// sizes are those around which something changes: the three encodings of a
// length, what is copied to be written with other frames, what is held, the
// blocks, and the fragments of large messages.
func sizes() (sizes []int) {
	for _, n := range []int{125, 126, 65535, 65536, 16 << 10, 48 << 10, 64 << 10, 256 << 10} {
		sizes = append(sizes, n-1, n, n+1)
	}
	return append(sizes, 0, 1, 2, 512, 1000, 1<<20+1)
}

// pattern returns n bytes that show what went missing or was swapped: their
// period has no factor in common with any size of a buffer or a masking key.
// They are ASCII, so that they can go as text too, and must not be changed.
func pattern(n int) []byte { return patterned[:n:n] }

var patterned = bytes.Repeat([]byte(alphabet), 4<<20/len(alphabet)+1)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:;!?+-/*()[]{}<>=&%$#@^~|"

// TestEcho sends messages of all sizes and both types there and back, the two
// directions in turn.
func TestEcho(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.MaxMessageSize = 4 << 20
			s.ServerOptions.MaxMessageSize = 4 << 20
			client, server, _, _ := s.Over(t)
			echo(t, client, server)
			ok(t, client.Close())
		})
	})
}

// echo has server echo messages of all sizes to client until it ends.
func echo(t *testing.T, client, server Conn) {
	t.Helper()
	go func() { // ends with the connection
		for m, err := range server.Messages() {
			if err != nil || server.Send(m, 0) != nil {
				return
			}
		}
	}()
	for _, n := range sizes() {
		data := bytes.Clone(pattern(n))
		for _, typ := range []protocol.MessageType{protocol.Text, protocol.Binary} {
			ok(t, client.Send(protocol.Message{Type: typ, Data: data}, 0))
			m, err := client.Recv(0)
			if err != nil || m.Type != typ || !bytes.Equal(m.Data, data) || m.Data == nil {
				t.Fatalf("%d bytes of %v: received %d of %v, %v", n, typ, len(m.Data), m.Type, err)
			}
		}
		if !bytes.Equal(data, pattern(n)) {
			t.Fatalf("sending %d bytes has changed them", n) // a client must mask a copy
		}
	}
}

// TestSmallFragments sends large messages in more fragments than usual, and
// whole.
func TestSmallFragments(t *testing.T) {
	for size, n := range map[int]int{1: 2001, 100: 20001, 20000: 70001, -1: 300 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					s.ClientOptions.MaxFragmentSize = size
					s.ServerOptions.MaxFragmentSize = size
					client, server, _, _ := s.Over(t)
					data := pattern(n)
					for _, way := range [][2]Conn{{client, server}, {server, client}} {
						go way[0].Send(protocol.BinaryMessage(data), 0)
						m, err := way[1].Recv(0)
						if err != nil || !bytes.Equal(m.Data, data) {
							t.Fatalf("received %d bytes, %v", len(m.Data), err)
						}
					}
				})
			})
		})
	}
}

// TestReceiveAppend appends messages to memory with room for them, with little
// and with none.
func TestReceiveAppend(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ServerOptions.MaxMessageSize = 4 << 20
			client, server, _, _ := s.Over(t)
			go func() {
				for _, n := range sizes() {
					for range 3 {
						client.Send(protocol.BinaryMessage(pattern(n)), 0)
					}
				}
			}()
			for _, n := range sizes() {
				receiveAppend(t, server, nil, n)
				receiveAppend(t, server, append(make([]byte, 0, n+100), "begun:"...), n)
				receiveAppend(t, server, append(make([]byte, 0, 10), "begun:"...), n)
			}
		})
	})
}

// receiveAppend appends a message of n bytes to dst, in place if it has room.
func receiveAppend(t *testing.T, conn Conn, dst []byte, n int) {
	t.Helper()
	typ, data, err := conn.RecvAppend(dst)
	if err != nil || typ != protocol.Binary || !bytes.Equal(data, append([]byte(string(dst)), pattern(n)...)) {
		t.Fatalf("appending %d bytes to %d: %v, %d bytes, %v", n, len(dst), typ, len(data), err)
	}
	if n > 0 && cap(dst) >= len(dst)+n && &dst[:1][0] != &data[0] {
		t.Fatalf("appending %d bytes has moved them although there was room", n)
	}
}

// TestReceiveReader reads messages in pieces, and one after the other.
func TestReceiveReader(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ServerOptions.MaxMessageSize = 4 << 20
			client, server, _, _ := s.Over(t)
			go func() {
				for _, n := range sizes() {
					client.Send(protocol.TextMessage(string(pattern(n))), 0)
				}
			}()
			for _, n := range sizes() {
				typ, r, err := server.RecvReader()
				if err != nil || typ != protocol.Text {
					t.Fatalf("%d bytes: %v, %v", n, typ, err)
				}
				if n < 1000 { // reads of one byte, and those of odd sizes
					r = iotest.OneByteReader(r)
				}
				data, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(data, pattern(n)) {
					t.Fatalf("%d bytes: read %d, %v", n, len(data), err)
				}
			}
		})
	})
}

// TestSendWriter sends a message in fragments that is received whole, and one
// that is received as it comes, with pings in between.
func TestSendWriter(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			for range 2 {
				go writeFragments(t, client, "fr", "ag", "", "ment\xc3", "\xa4r")
				expect(t, server, "fragmentär")
			}
			go writeFragments(t, server, strings.Repeat("x", 70000), "y")
			_, r, err := client.RecvReader()
			ok(t, err)
			data, err := io.ReadAll(r)
			if err != nil || string(data) != strings.Repeat("x", 70000)+"y" {
				t.Fatalf("read %d bytes, %v", len(data), err)
			}
		})
	})
}

// writeFragments sends a text message in these pieces, each with a ping behind.
func writeFragments(t *testing.T, conn Conn, pieces ...string) {
	w, err := conn.SendWriter(protocol.Text)
	if err != nil {
		t.Error(err)
		return
	}
	for _, piece := range pieces {
		if n, err := io.WriteString(w, piece); err != nil || n != len(piece) {
			t.Errorf("wrote %d of %d bytes, %v", n, len(piece), err)
		}
		if _, err := conn.Ping(nil); err != nil {
			t.Error(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestFragmentsBefore: fragments that came before there was a reader are one piece,
// and later ones are pieces of their own.
func TestFragmentsBefore(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			peer.Send(t, peer.Frame(protocol.OpText, false, "a"), peer.Frame(protocol.OpContinuation, false, "b"))
			time.Sleep(time.Second) // nobody receives: they are kept
			_, r, err := conn.RecvReader()
			ok(t, err)
			read := func(want string) {
				t.Helper()
				got := make([]byte, 10)
				if n, err := r.Read(got); err != nil || string(got[:n]) != want {
					t.Errorf("read %q, %v; want %q", got[:n], err, want)
				}
			}
			read("ab")
			peer.Send(t, peer.Frame(protocol.OpContinuation, false, "c"), peer.Frame(protocol.OpContinuation, true, "d"))
			read("c")
			read("d")
			if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("read %d, %v at the end", n, err)
			}
			conn.CloseNow()
		})
	})
}

// TestFragmentsArrive reads each fragment of a message as soon as it was
// flushed, long before the message ends.
func TestFragmentsArrive(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			w, err := client.SendWriter(protocol.Binary)
			ok(t, err)
			var r io.Reader
			for i := range 5 {
				piece := strings.Repeat(fmt.Sprint(i), 10)
				io.WriteString(w, piece)
				if i%2 == 0 {
					ok(t, client.Flush()) // else it leaves within the time it may be held
				}
				if r == nil {
					_, r, err = server.RecvReader()
					ok(t, err)
				}
				got := make([]byte, 20)
				n, err := r.Read(got)
				if err != nil || string(got[:n]) != piece {
					t.Fatalf("read %q, %v; want %q", got[:n], err, piece)
				}
			}
			ok(t, w.Close())
			if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Fatalf("read %d, %v at the end", n, err)
			}
		})
	})
}

// TestInvalidText refuses text that is not UTF-8 and goes on.
func TestInvalidText(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			is(t, client.Send(protocol.Message{Type: protocol.Text, Data: []byte("\xff")}, 0), protocol.ErrInvalidText)
			is(t, client.Send(protocol.Message{Type: protocol.Text, Data: []byte("cut \xc3")}, 0), protocol.ErrInvalidText)
			is(t, client.Send(protocol.Message{Type: 7}, 0), protocol.ErrMessageType)
			_, err := client.SendWriter(0)
			is(t, err, protocol.ErrMessageType)

			w, err := client.SendWriter(protocol.Text)
			ok(t, err)
			io.WriteString(w, "half: \xc3")
			_, err = io.WriteString(w, "\xff")
			is(t, err, protocol.ErrInvalidText) // nothing was sent of it
			is(t, w.Close(), protocol.ErrInvalidText)
			io.WriteString(w, "\xa4")
			ok(t, w.Close())
			_, err = w.Write([]byte("more"))
			is(t, err, FaultsOf(s.Client).WriterClosed)
			is(t, w.Close(), FaultsOf(s.Client).WriterClosed)
			expect(t, server, "half: ä")
		})
	})
}

// TestOneMessageAtATime has a message wait for the one that a writer sends.
func TestOneMessageAtATime(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			w, err := client.SendWriter(protocol.Text)
			ok(t, err)
			io.WriteString(w, "first ")
			go client.Send(protocol.TextMessage("second"), 0)
			is(t, client.Send(protocol.TextMessage("never"), time.Second), client.TimeoutError())
			io.WriteString(w, "message")
			ok(t, w.Close())
			expect(t, server, "first message")
			expect(t, server, "second")
		})
	})
}

// TestSkip leaves messages unread in the middle: the next receive call skips
// the rest, and the reader says so.
func TestSkip(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			peer.Send(t, peer.Text("skipped"), peer.Text("one"))
			r := readOne(t, conn, "s")
			expect(t, conn, "one")
			skipped(t, r, e.Face)

			// The rest comes later, in further fragments.
			peer.Send(t, peer.Frame(protocol.OpText, false, "skip"))
			r = readOne(t, conn, "s")
			go func() {
				time.Sleep(time.Second)
				peer.Send(t, peer.Frame(protocol.OpContinuation, false, "ped"))
				time.Sleep(time.Second)
				peer.Send(t, peer.Frame(protocol.OpContinuation, true, "!"), peer.Text("two"))
			}()
			expect(t, conn, "two")
			skipped(t, r, e.Face)

			// The next one is read in pieces too.
			peer.Send(t, peer.Text("skipped"), peer.Text("three"))
			r = readOne(t, conn, "s")
			three := readOne(t, conn, "t")
			skipped(t, r, e.Face)
			rest, err := io.ReadAll(three)
			if err != nil || string(rest) != "hree" {
				t.Fatalf("read %q, %v", rest, err)
			}

			// A reader of which all was read, but not the end, is no loss.
			peer.Send(t, peer.Text("x"), peer.Text("four"))
			r = readOne(t, conn, "x")
			expect(t, conn, "four")
			if _, err := r.Read(make([]byte, 1)); err != io.EOF {
				t.Fatalf("error %v, want EOF", err)
			}
		})
	})
}

// TestSkipCancelled leaves a message for another receive call, which then is
// left at its bound: what was read of the message is gone all the same. The
// memory that it lay in may hold other bytes by then.
func TestSkipCancelled(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			peer.Send(t, peer.Frame(protocol.OpText, false, "skipped"))
			r := readOne(t, conn, "s")
			_, err := conn.Recv(time.Second)
			is(t, err, conn.TimeoutError())
			skipped(t, r, e.Face)
			peer.Send(t, peer.Frame(protocol.OpContinuation, false, "more"))
			_, err = conn.Recv(time.Second)
			is(t, err, conn.TimeoutError())
			skipped(t, r, e.Face)
			peer.Send(t, peer.Frame(protocol.OpContinuation, true, "rest"), peer.Text("next"))
			expect(t, conn, "next")
		})
	})
}

// readOne receives the beginning of a message and reads one byte of it.
func readOne(t *testing.T, conn Conn, want string) io.Reader {
	t.Helper()
	_, r, err := conn.RecvReader()
	ok(t, err)
	b := make([]byte, 1)
	if n, err := r.Read(b); n != 1 || err != nil || string(b) != want {
		t.Fatalf("read %q, %v; want %q", b[:n], err, want)
	}
	return r
}

// skipped reads from a reader whose message was skipped.
func skipped(t *testing.T, r io.Reader, face Face) {
	t.Helper()
	b := make([]byte, 10)
	n, err := r.Read(b)
	if n != 0 {
		t.Fatalf("read %q of a message that was skipped", b[:n])
	}
	is(t, err, FaultsOf(face).Skipped)
}

// TestMessages iterates over messages: it ends quietly after a normal close,
// and with the error after any other.
func TestMessages(t *testing.T) {
	for _, test := range []struct {
		code  protocol.CloseCode
		quiet bool
	}{
		{protocol.NormalClosure, true},
		{protocol.GoingAway, true},
		{protocol.NoStatusReceived, true},
		{protocol.InternalError, false},
		{4000, false},
	} {
		t.Run(test.code.String(), func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					client, server, _, _ := s.Over(t)
					send(t, client, "one")
					send(t, client, "two")
					go client.CloseWith(test.code, "")
					var got []string
					var last error
					for m, err := range server.Messages() {
						if got = append(got, string(m.Data)); err != nil {
							last = err
						}
					}
					if test.quiet && (last != nil || len(got) != 2) {
						t.Fatalf("got %q, %v", got, last)
					}
					if !test.quiet && (len(got) != 3 || closeError(t, last).Rcvd.Code != test.code) {
						t.Fatalf("got %q, %v", got, last)
					}
				})
			})
		})
	}
}

// TestEmptyMessage receives empty messages, however they come: there are data, and none
// of them.
func TestEmptyMessage(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			whole := peer.Text("")
			fragments := append(peer.Frame(protocol.OpText, false, ""), peer.Frame(protocol.OpContinuation, true, "")...)
			for _, frames := range [][]byte{whole, fragments} {
				for _, waits := range []time.Duration{0, time.Second} { // with that an attendant has kept them
					peer.Send(t, frames)
					time.Sleep(waits)
					if m, err := conn.Recv(0); err != nil || m.Data == nil || len(m.Data) > 0 {
						t.Errorf("received %q, nil: %v, %v", m.Data, m.Data == nil, err)
					}
				}
			}
		})
	})
}
