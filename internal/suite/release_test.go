package suite

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// classSizes are those around the sizes of memory that is kept, from one byte to
// more than is.
func classSizes() (sizes []int) {
	for n := 32; n <= 64<<10; n *= 2 {
		for _, class := range []int{n, n / 2 * 3} {
			sizes = append(sizes, class-1, class, class+1)
		}
	}
	return append(sizes, 0, 1, 300<<10)
}

// release gives a message back, its memory full of what nobody has sent: whoever
// uses it yet will show that.
func release(m protocol.Message) {
	spoil(m.Data)
	m.Release()
}

func spoil(data []byte) {
	for len(data) > 0 {
		data = data[copy(data, nonsense):]
	}
}

var nonsense = bytes.Repeat([]byte{0xff}, 64<<10)

// TestRelease echoes messages of all sizes, whole and in fragments, compressed
// and not, and gives each back at both ends. What comes next has nothing of it.
func TestRelease(t *testing.T) {
	for name, opts := range map[string]Options{
		"plain":      {Compression: protocol.Deflate{Disabled: true}},
		"fragments":  {Compression: protocol.Deflate{Disabled: true}, MaxFragmentSize: 20000},
		"compressed": {},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					opts.MaxMessageSize = 4 << 20
					s.ClientOptions, s.ServerOptions = opts, opts
					client, server, _, _ := s.Over(t)
					go echoReleased(server) // ends with the connection
					for _, n := range classSizes() {
						for range 2 {
							exchange(t, client, n)
						}
					}
				})
			})
		})
	}
}

// echoReleased answers with what it receives, which it gives back.
func echoReleased(conn Conn) {
	for m, err := range conn.Messages() {
		if err != nil || conn.Send(m, 0) != nil {
			return
		}
		release(m)
	}
}

// exchange sends n bytes and gives back what comes of them.
func exchange(t *testing.T, conn Conn, n int) {
	t.Helper()
	ok(t, conn.Send(protocol.BinaryMessage(pattern(n)), 0))
	m, err := conn.Recv(0)
	if err != nil || m.Data == nil || !bytes.Equal(m.Data, pattern(n)) {
		t.Fatalf("%d bytes: received %d, %v", n, len(m.Data), err)
	}
	spoil(m.Data)
	m.Release()
	if m.Data != nil {
		t.Fatalf("%d bytes are left of a message that was released", len(m.Data))
	}
	m.Release() // of nothing
}

// TestReleaseConcurrently has many connections receive messages of all sizes at
// once, which other goroutines give back sooner or later: until then each is
// whole, and nobody else's.
func TestReleaseConcurrently(t *testing.T) {
	var all sync.WaitGroup
	for _, opts := range []Options{{Compression: protocol.Deflate{Disabled: true}}, {MaxFragmentSize: 3000}} {
		Each(t, func(t *testing.T, s Setting) {
			s.ClientOptions, s.ServerOptions = opts, opts
			clientEnd, serverEnd := tcpPair(t)
			client, server := s.Pair(t, clientEnd, serverEnd)
			for i, conn := range []Conn{client, server} {
				received := make(chan protocol.Message, 20)
				all.Go(func() { sendNumbered(t, conn, i) })
				all.Go(func() { receiveInto(t, conn, received) })
				all.Go(func() { releaseLater(t, received) })
			}
			all.Wait()
		})
	}
}

// receiveInto passes on what a sender has sent.
func receiveInto(t *testing.T, conn Conn, received chan<- protocol.Message) {
	defer close(received)
	for range sent {
		m, err := conn.Recv(0)
		if err != nil {
			t.Error(err)
			return
		}
		received <- m
	}
}

// releaseLater looks at messages that were received some time ago, in any order.
func releaseLater(t *testing.T, received <-chan protocol.Message) {
	var held []protocol.Message
	for m, more := <-received; more || len(held) > 0; m, more = <-received {
		if more {
			held = append(held, m)
		}
		for len(held) > 7 || !more && len(held) > 0 {
			i := rand.IntN(len(held))
			checkNumbered(t, held[i])
			release(held[i])
			held = slices.Delete(held, i, i+1)
		}
	}
}

// checkNumbered fails the test unless a message is one of a numbered sender's.
func checkNumbered(t *testing.T, m protocol.Message) {
	t.Helper()
	var i, k int
	if _, err := fmt.Sscanf(string(m.Data), "%d %d ", &i, &k); err != nil || !bytes.Equal(m.Data, numbered(i, k)) {
		t.Errorf("%d bytes of message %d of sender %d are not what was sent, %v", len(m.Data), k, i, err)
	}
}

// TestReleaseOwn gives back what was never received, or is not what was.
func TestReleaseOwn(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			text := string(pattern(1000))
			for _, change := range []func([]byte) []byte{
				func(data []byte) []byte { return data[:10] },
				func(data []byte) []byte { return data[:10:10] },
				func(data []byte) []byte { return data[10:] },
				func(data []byte) []byte { return data[len(data):] },
				func(data []byte) []byte { return data[:cap(data)] },
				func(data []byte) []byte { return append(data, pattern(5000)...) },
				func([]byte) []byte { return nil },
				func([]byte) []byte { return []byte{} },
				func([]byte) []byte { return make([]byte, 1024) },
				func([]byte) []byte { return make([]byte, 1000) },
				func([]byte) []byte { return make([]byte, 3<<20) },
			} {
				peer.Send(t, peer.Text(text))
				m, err := conn.Recv(0)
				if err != nil || m.String() != text {
					t.Fatalf("received %q, %v", m, err)
				}
				m.Data = change(m.Data)
				release(m)
			}
			expectWhole(t, conn, peer)
		})
	})
}

// expectWhole receives messages of all sizes, some of which are held until the
// end.
func expectWhole(t *testing.T, conn Conn, peer *Raw) {
	t.Helper()
	var held []protocol.Message
	for _, n := range []int{0, 1, 10, 32, 990, 1000, 1024, 5000, 6000, 40000} {
		peer.Send(t, peer.Text(string(pattern(n))), peer.Text(string(pattern(n))))
		for range 2 {
			m, err := conn.Recv(0)
			ok(t, err)
			held = append(held, m)
		}
	}
	for _, m := range held {
		if !bytes.Equal(m.Data, pattern(len(m.Data))) {
			t.Fatalf("%d bytes are not what was sent", len(m.Data))
		}
	}
}

// TestReleaseLeft leaves calls in the middle of messages and gives back what came
// before them.
func TestReleaseLeft(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			text := string(pattern(50000))
			for _, cut := range []int{1, 100, 2000, 20000, 49999} {
				peer.Send(t, peer.Text(text), peer.Frame(protocol.OpText, false, text[:cut]))
				m, err := conn.Recv(0)
				if err != nil || m.String() != text {
					t.Fatalf("received %d bytes, %v", len(m.Data), err)
				}
				release(m)
				_, err = conn.Recv(time.Second)
				is(t, err, conn.TimeoutError())
				peer.Send(t, peer.Frame(protocol.OpContinuation, true, text[cut:]))
				if cut%2 == 0 {
					receiveAppend50000(t, conn)
				} else if m, err = conn.Recv(0); err != nil || m.String() != text {
					t.Fatalf("received %d bytes, %v", len(m.Data), err)
				}
				release(m)
			}
		})
	})
}

func receiveAppend50000(t *testing.T, conn Conn) {
	t.Helper()
	_, data, err := conn.RecvAppend([]byte("begun:"))
	if err != nil || string(data) != "begun:"+string(pattern(50000)) {
		t.Fatalf("received %d bytes, %v", len(data), err)
	}
}

// TestReleaseSent gives messages back as soon as they were sent, in each of the
// ways that there are: the peer gets them all the same.
func TestReleaseSent(t *testing.T) {
	for name, send := range waysToSend {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					client, server, _, _ := s.Over(t)
					received := make(chan error)
					go func() { received <- receiveSent(client) }()
					for n, times := range sentSizes() {
						for range times {
							m := protocol.BinaryMessage(bytes.Clone(pattern(n)))
							ok(t, send(s.Server, server, m))
							release(m)
						}
					}
					ok(t, <-received)
				})
			})
		})
	}
}

// TestReleaseAnswers gives requests back as soon as they are answered, while their
// answers wait for each other.
func TestReleaseAnswers(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer, _ := e.counted(t)
			go echoReleased(conn) // ends with the connection
			for range 100 {
				peer.Send(t, peer.batch(16))
				for i := range 16 {
					peer.Expect(t, protocol.OpText, fmt.Sprint(i))
				}
			}
		})
	})
}

// sentSizes are sizes for which sending takes different ways, and how many messages
// of each are more than a transport takes at once.
func sentSizes() iter.Seq2[int, int] {
	return func(yield func(n, times int) bool) {
		_ = yield(32, 20) && yield(1<<10, 20) && yield(4<<10+1, 20) && yield(20<<10, 10) && yield(300<<10, 2)
	}
}

var waysToSend = map[string]func(Face, Conn, protocol.Message) error{
	"Send":            func(_ Face, conn Conn, m protocol.Message) error { return conn.Send(m, 0) },
	"with a time-out": func(_ Face, conn Conn, m protocol.Message) error { return conn.Send(m, time.Hour) },
	"compressed":      func(_ Face, conn Conn, m protocol.Message) error { return conn.SendCompressed(m, true) },
	"Broadcast": func(face Face, conn Conn, m protocol.Message) error {
		_, err := face.Broadcast([]Conn{conn}, m, BroadcastOptions{MaxBacklog: -1, MaxBacklogBytes: -1})
		return err
	},
	"Prepare": func(face Face, conn Conn, m protocol.Message) error {
		p, err := face.Prepare(m)
		if err == nil {
			spoil(m.Data)
			err = p.SendTo(conn, 0)
		}
		return err
	},
	"SendWriter": func(_ Face, conn Conn, m protocol.Message) error {
		w, err := conn.SendWriter(m.Type)
		if err == nil {
			_, err = w.Write(m.Data)
		}
		spoil(m.Data)
		if err == nil {
			err = w.Close()
		}
		return err
	},
}

// receiveSent receives what TestReleaseSent sends.
func receiveSent(conn Conn) error {
	for n, times := range sentSizes() {
		for range times {
			_, r, err := conn.RecvReader()
			if err != nil {
				return err
			}
			data, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(data, pattern(n)) {
				return fmt.Errorf("%d bytes: received %d that are others, %w", n, len(data), err)
			}
		}
	}
	return nil
}
