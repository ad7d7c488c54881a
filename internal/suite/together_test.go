package suite

import (
	"bytes"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// counting counts the writes on a connection.
type counting struct {
	net.Conn
	writes atomic.Int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// counted is End.Against with the writes of our end counted from now on.
func (e End) counted(t *testing.T) (Conn, *Raw, *atomic.Int64) {
	t.Helper()
	ours, theirs := link.NewPipe()
	c := &counting{Conn: ours}
	conn, peer := e.AgainstOver(t, c, theirs)
	c.writes.Store(0)
	return conn, peer, &c.writes
}

// batch returns n messages in one piece.
func (r *Raw) batch(n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, r.Text(fmt.Sprint(i))...)
	}
	return b
}

// TestAnswersTogether answers requests that come 16 at a time: the answers
// leave together too.
func TestAnswersTogether(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer, writes := e.counted(t)
			go echoing(conn) // ends with the connection
			const batches, depth = 100, 16
			for range batches {
				peer.Send(t, peer.batch(depth))
				for i := range depth {
					peer.Expect(t, protocol.OpText, fmt.Sprint(i))
				}
			}
			if n := writes.Load(); n != batches {
				t.Errorf("%d writes for %d batches of %d messages", n, batches, depth)
			}
		})
	})
}

// TestHoldOff has every answer leave by itself.
func TestHoldOff(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Hold = -1
			conn, peer, writes := e.counted(t)
			go echoing(conn) // ends with the connection
			peer.Send(t, peer.batch(16))
			for i := range 16 {
				peer.Expect(t, protocol.OpText, fmt.Sprint(i))
			}
			if n := writes.Load(); n != 16 {
				t.Errorf("%d writes for 16 messages", n)
			}
		})
	})
}

// held has a message held, because more have come with the one that it answers.
func held(t *testing.T, e End, hold time.Duration) (Conn, *Raw, *atomic.Int64) {
	t.Helper()
	e.Options.Hold = hold
	conn, peer, writes := e.counted(t)
	peer.Send(t, peer.batch(3))
	expect(t, conn, "0")
	data := []byte("answer")
	ok(t, conn.Send(protocol.Message{Type: protocol.Text, Data: data}, 0))
	copy(data, "reused") // it is ours again
	synctest.Wait()
	if n := writes.Load(); n != 0 {
		t.Fatalf("%d writes: the answer was not held", n)
	}
	return conn, peer, writes
}

// TestHold looks at when a held answer leaves: after the time in the options at
// the latest.
func TestHold(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		for hold, want := range map[time.Duration]time.Duration{0: time.Millisecond, 5 * time.Millisecond: 5 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				_, peer, _ := held(t, e, hold)
				begun := time.Now()
				peer.Expect(t, protocol.OpText, "answer")
				took(t, begun, want)
			})
		}
	})
}

// TestHeldLeaves looks at everything that has a held answer leave at once.
func TestHeldLeaves(t *testing.T) {
	for name, what := range map[string]func(t *testing.T, conn Conn, peer *Raw){
		"Flush": func(t *testing.T, conn Conn, _ *Raw) { ok(t, conn.Flush()) },
		"Recv waits": func(t *testing.T, conn Conn, _ *Raw) {
			expect(t, conn, "1")
			expect(t, conn, "2")
			go conn.Recv(0)
		},
		"Close": func(t *testing.T, conn Conn, _ *Raw) { go conn.Close() },
		"Ping":  func(t *testing.T, conn Conn, _ *Raw) { conn.Ping(nil) },
		"last answer": func(t *testing.T, conn Conn, _ *Raw) {
			expect(t, conn, "1")
			expect(t, conn, "2")
			send(t, conn, "2")
		},
		"large answer": func(t *testing.T, conn Conn, _ *Raw) {
			ok(t, conn.Send(protocol.BinaryMessage(pattern(64<<10)), 0))
		},
		"peer's close": func(t *testing.T, conn Conn, peer *Raw) {
			peer.Send(t, peer.CloseFrame(4000, ""))
			for range conn.Messages() {
			}
		},
		"violation": func(t *testing.T, conn Conn, peer *Raw) {
			peer.Send(t, []byte{0xff})
			for range conn.Messages() {
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					conn, peer, _ := held(t, e, 5*time.Millisecond)
					begun := time.Now()
					what(t, conn, peer)
					peer.Expect(t, protocol.OpText, "answer")
					took(t, begun, 0)
				})
			})
		})
	}
}

// TestHeldInOrder mixes held, small and large messages: they arrive in order.
func TestHeldInOrder(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			sizes := []int{10, 30 << 10, 30 << 10, 5, 100 << 10, 0, 17 << 10, 16 << 10, 16 << 10, 300 << 10, 1}
			peer.Send(t, peer.batch(len(sizes)+1))
			go func() { // ends when all is sent
				for i, n := range sizes {
					conn.Recv(0)
					conn.Send(protocol.BinaryMessage(pattern(n+i)), 0)
				}
				conn.Recv(0)
			}()
			for i, n := range sizes {
				if got := peer.message(t); !bytes.Equal(got, pattern(n+i)) {
					t.Fatalf("message %d has %d bytes, want %d", i, len(got), n+i)
				}
			}
		})
	})
}

// message reads all frames of the next message.
func (r *Raw) message(t *testing.T) (data []byte) {
	t.Helper()
	for {
		h, payload, err := r.Next()
		if err != nil || h.Opcode.IsControl() {
			t.Fatalf("raw peer: received %v, %v", h.Opcode, err)
		}
		data = append(data, payload...)
		if h.Fin {
			return data
		}
	}
}
