package suite

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// script is a stream of frames of all kinds, and the messages in it.
func script(peer *Raw) (stream []byte, messages []string) {
	long := strings.Repeat("long ", 60)
	messages = []string{"one", "", "three in pieces", long, "five", "ä€"}
	return bytes.Join([][]byte{
		peer.Text("one"),
		peer.Frame(protocol.OpPing, true, "ping"),
		peer.Text(""),
		peer.Frame(protocol.OpText, false, "three"),
		peer.Frame(protocol.OpPing, true, ""),
		peer.Frame(protocol.OpContinuation, false, ""),
		peer.Frame(protocol.OpContinuation, false, " in"),
		peer.Frame(protocol.OpPong, true, "nobody asked"),
		peer.Frame(protocol.OpContinuation, true, " pieces"),
		peer.Text(long),
		peer.Text("five"),
		peer.Text("ä€"),
	}, nil), messages
}

// TestLeaveRecv leaves Recv after each single byte of a stream of frames. What
// comes out in the end is complete and in order. Between two calls it waits, in
// one of the runs for long enough that an attendant reads.
func TestLeaveRecv(t *testing.T) {
	for _, pause := range []time.Duration{0, 25 * time.Millisecond} {
		t.Run(pause.String(), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					conn, peer := e.Against(t)
					stream, want := script(peer)
					var got []string
					for i := range stream {
						peer.Send(t, stream[i:i+1])
						time.Sleep(pause)
						if m, err := conn.Recv(time.Millisecond); err == nil {
							got = append(got, string(m.Data))
						} else {
							is(t, err, conn.TimeoutError())
						}
					}
					if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
						t.Fatalf("received %q, want %q", got, want)
					}
					peer.Expect(t, protocol.OpPong, "ping")
					peer.Expect(t, protocol.OpPong, "")
				})
			})
		})
	}
}

// TestLeaveWait leaves the wait for a pong after each single byte that comes
// before it, messages among them.
func TestLeaveWait(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			pong, err := conn.Ping([]byte("?"))
			ok(t, err)
			stream, want := script(peer)
			begun := time.Now()
			for i := range stream {
				peer.Send(t, stream[i:i+1])
				_, err := pong.Wait(time.Millisecond)
				is(t, err, conn.TimeoutError())
			}
			peer.Send(t, peer.Frame(protocol.OpPong, true, "?"))
			rtt, err := pong.Wait(0)
			if err != nil || rtt != time.Since(begun) || conn.Latency() != rtt {
				t.Fatalf("rtt %v (%v), %v; want %v", rtt, conn.Latency(), err, time.Since(begun))
			}
			rtt, err = pong.Wait(time.Nanosecond) // again: it is known
			if err != nil || rtt != conn.Latency() {
				t.Fatalf("rtt %v, %v", rtt, err)
			}
			for _, text := range want {
				expect(t, conn, text)
			}
		})
	})
}

// Messages of framed bytes each fill the two buffers of a direction of link.NewPipe to
// the last byte.
const (
	framed  = 1024
	fillers = 2 * 72 << 10 / framed
)

// full fills the path to a peer that does not read with them, and returns how many.
func full(t *testing.T, e *End, conn Conn) (n int) {
	t.Helper()
	for ; n < fillers; n++ {
		ok(t, conn.Send(filler(e), 0))
	}
	return n
}

// filler is a message whose frame has framed bytes.
func filler(e *End) protocol.Message {
	header := 4
	if e.Role == protocol.Client {
		header += 4 // the masking key
	}
	return protocol.BinaryMessage(pattern(framed - header))
}

// expectFillers has the peer read n fillers.
func expectFillers(t *testing.T, e *End, peer *Raw, n int) {
	t.Helper()
	for range n {
		peer.Expect(t, protocol.OpBinary, string(filler(e).Data))
	}
}

// TestLeaveSend leaves a Send that has not written a byte, because the path is
// full: it sends nothing, and the connection goes on.
func TestLeaveSend(t *testing.T) {
	for _, size := range []int{0, 1, 1000, 16 << 10, 17 << 10, 100 << 10, 600 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					conn, peer := e.Against(t)
					n := full(t, &e, conn)
					begun := time.Now()
					is(t, conn.Send(protocol.BinaryMessage(pattern(size)), time.Second), conn.TimeoutError())
					took(t, begun, time.Second)
					if _, err := conn.Recv(time.Second); err != nil { // it is open
						is(t, err, conn.TimeoutError())
					}
					expectFillers(t, &e, peer, n)
					send(t, conn, "next")
					peer.Expect(t, protocol.OpText, "next")
				})
			})
		})
	}
}

// TestLeaveQueuedSend leaves a Send that waits for its turn, behind one that is
// being written and ahead of others. Only these others are sent.
func TestLeaveQueuedSend(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			n := full(t, &e, conn)
			var sending sync.WaitGroup
			later := func(m protocol.Message, timeout time.Duration, want error) {
				sending.Go(func() {
					if err := conn.Send(m, timeout); err != want {
						is(t, err, want)
					}
				})
				synctest.Wait() // in this order
			}
			later(filler(&e), 0, nil)                                                 // is being written
			later(protocol.TextMessage("left"), time.Second, conn.TimeoutError())     // waits
			later(protocol.TextMessage("left"), 3*time.Second, conn.TimeoutError())   // will be writing
			later(protocol.TextMessage("one"), 0, nil)                                // goes along with it
			later(protocol.TextMessage("left"), 4*time.Second, conn.TimeoutError())   // stops what goes along
			later(protocol.TextMessage(strings.Repeat("two ", 9000)), time.Hour, nil) // large
			later(protocol.TextMessage("three"), 0, nil)
			time.Sleep(2 * time.Second)
			if _, err := io.ReadFull(peer.Conn, make([]byte, framed)); err != nil { // room for the first
				t.Fatal(err)
			}
			time.Sleep(8 * time.Second)
			expectFillers(t, &e, peer, n)
			peer.Expect(t, protocol.OpText, "one")
			peer.Expect(t, protocol.OpText, strings.Repeat("two ", 9000))
			peer.Expect(t, protocol.OpText, "three")
			sending.Wait()
			send(t, conn, "four")
			peer.Expect(t, protocol.OpText, "four")
		})
	})
}

// TestLeaveWriter has the options' write timeout end a fragment, and the end of
// a message in fragments, of which nothing was written: both can be tried
// again. Messages that wait for the end must not get into the middle.
func TestLeaveWriter(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.WriteTimeout = time.Second
			e.Options.Hold = -1
			conn, peer := e.Against(t)
			w, err := conn.SendWriter(protocol.Binary)
			ok(t, err)
			for range fillers {
				_, err = w.Write(filler(&e).Data)
				ok(t, err)
			}
			_, err = w.Write([]byte("fragment"))
			is(t, err, os.ErrDeadlineExceeded)
			var waiting sync.WaitGroup
			waiting.Go(func() { send(t, conn, "after") })
			synctest.Wait()
			is(t, w.Close(), os.ErrDeadlineExceeded)
			is(t, w.Close(), os.ErrDeadlineExceeded)
			peer.Expect(t, protocol.OpBinary, string(filler(&e).Data))
			for range fillers - 1 {
				peer.Expect(t, protocol.OpContinuation, string(filler(&e).Data))
			}
			_, err = w.Write([]byte("fragment"))
			ok(t, err)
			ok(t, w.Close())
			waiting.Wait()
			peer.Expect(t, protocol.OpContinuation, "fragment")
			peer.Expect(t, protocol.OpContinuation, "")
			peer.Expect(t, protocol.OpText, "after")
		})
	})
}

// TestPartialWrite leaves a Send of which a part was written. It cannot be
// taken back: the connection fails at once, and all calls say why.
func TestPartialWrite(t *testing.T) {
	for name, size := range map[string]int{"a frame": 200 << 10, "fragments": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					conn, peer := e.Against(t)
					cause := FaultsOf(e.Face).PartialWrite
					var waiting sync.WaitGroup
					waiting.Go(func() { _, err := conn.Recv(0); is(t, err, cause) })
					waiting.Go(func() {
						time.Sleep(time.Millisecond)
						is(t, conn.Send(protocol.TextMessage("behind"), 0), cause)
					})
					begun := time.Now()
					err := conn.Send(protocol.BinaryMessage(pattern(size)), time.Second)
					is(t, err, cause)
					is(t, err, conn.TimeoutError())
					is(t, err, protocol.ErrClosedError)
					waiting.Wait()
					<-conn.Done()
					took(t, begun, time.Second)
					is(t, conn.Err(), cause)
					is(t, conn.Close(), cause)
					if h, _, err := peer.Next(); err == nil && h.Fin {
						t.Error("the peer has received a whole message")
					}
				})
			})
		})
	}
}

// TestBoundReached makes calls whose bound has passed already: what is there is
// received, and nothing is sent.
func TestBoundReached(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			_, err := conn.Recv(time.Millisecond)
			is(t, err, conn.TimeoutError())
			peer.Send(t, peer.Text("one"), peer.Text("two"))
			expect(t, conn, "one")
			m, err := conn.Recv(time.Millisecond)
			if err != nil || string(m.Data) != "two" {
				t.Fatalf("received %q, %v", m.Data, err)
			}
		})
	})
}
