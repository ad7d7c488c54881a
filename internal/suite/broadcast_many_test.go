//go:build !race

package suite

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestBroadcastMany has 2,000 connections over TCP, 50 of which never read, and
// broadcasts to all. The others get every message; how long that takes is
// logged. The memory for what waits is bounded by the formula of the how-to, and
// then the slow ones are dropped.
func TestBroadcastMany(t *testing.T) {
	const conns, slow, messages, size, backlog = 2000, 50, 30, 16 << 10, 8
	for _, face := range Faces {
		t.Run(face.Name(), func(t *testing.T) {
			servers, clients := overTCP(t, face, conns, slow)
			var before int64
			var got [conns][]byte
			var longest time.Duration
			refused := make(map[Conn]int)
			for k := range messages {
				if k == 1 { // the first one has made what is used again and again
					clear(got[:])
					before = memory()
				}
				message := protocol.BinaryMessage(append(fmt.Appendf(nil, "%d ", k), pattern(size)...))
				begun := time.Now()
				missed, _ := face.Broadcast(servers, message, BroadcastOptions{MaxBacklog: backlog})
				receive(t, clients[slow:], got[:])
				longest = max(longest, time.Since(begun))
				for i := range clients[slow:] {
					if !bytes.Equal(got[i], message.Data) {
						t.Fatalf("message %d: %d bytes", k, len(got[i]))
					}
				}
				for conn := range missed {
					refused[conn]++
				}
			}
			clear(got[:])
			// What waits: the backlog, kept once, and for each slow connection its
			// goroutines, what it works with and a place for each message.
			if used, most := memory()-before, int64((backlog+1)*size+slow*(16_000+backlog*300)); used > most {
				t.Errorf("%d bytes are used, %d at most were expected", used, most)
			} else {
				t.Logf("the slowest of %d broadcasts took %v; %d of at most %d bytes were used", messages, longest, used, most)
			}
			if len(refused) != slow {
				t.Errorf("%d connections had no room", len(refused))
			}
			missed, _ := face.Broadcast(servers, protocol.TextMessage("last"), BroadcastOptions{Drop: func(Conn) bool { return true }, MaxBacklog: backlog})
			for conn := range missed {
				conn.CloseNow()
				is(t, conn.Err(), errTooSlow)
			}
			if len(missed) != slow {
				t.Errorf("%d connections were dropped", len(missed))
			}
		})
	}
}

// overTCP has n clients, played by hand, connect over TCP, the first ones with
// small buffers.
func overTCP(t *testing.T, face Face, n, small int) (servers []Conn, clients []*Raw) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	opts := bare(0)
	opts.Listener = &smallBuffers{listener, small}
	accepted := make(chan Conn)
	server, err := face.Serve(func(conn Conn) error {
		accepted <- conn
		<-conn.Done()
		return nil
	}, "", &opts)
	ok(t, err)
	t.Cleanup(func() {
		for _, client := range clients {
			client.Close()
		}
		server.Shutdown(time.Minute)
	})
	for i := range n {
		conn, err := net.Dial("tcp", listener.Addr().String())
		ok(t, err)
		if i < small {
			ok(t, conn.(*net.TCPConn).SetReadBuffer(8<<10))
		}
		client := newRaw(conn, protocol.Client)
		client.connect(t)
		clients = append(clients, client)
		servers = append(servers, <-accepted)
	}
	return servers, clients
}

// frame reads a frame into memory that is used again.
func (r *Raw) frame(t *testing.T, into []byte) []byte {
	head := make([]byte, 4)
	if _, err := r.in.Peek(4); err != nil {
		t.Error(err)
		return nil
	}
	r.in.Read(head)
	h, _, err := protocol.ParseHeader(head)
	if err != nil || h.Length > 1<<16 {
		t.Errorf("%v, %v", h, err)
		return nil
	}
	into = append(into[:0], make([]byte, h.Length)...)
	for n := 0; n < len(into); {
		k, err := r.in.Read(into[n:])
		if err != nil {
			t.Error(err)
			return nil
		}
		n += k
	}
	return into
}

// smallBuffers accepts connections of which the first ones hold little of what
// is sent.
type smallBuffers struct {
	net.Listener
	left int
}

func (l *smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if l.left--; err == nil && l.left >= 0 {
		err = conn.(*net.TCPConn).SetWriteBuffer(8 << 10)
	}
	return conn, err
}

// receive reads a frame of each client with a few goroutines, whose stacks do not
// count beside those of the connections: what is sent waits in the sockets.
func receive(t *testing.T, clients []*Raw, into [][]byte) {
	const readers = 8
	var receiving sync.WaitGroup
	for first := range readers {
		receiving.Go(func() {
			for i := first; i < len(clients); i += readers {
				into[i] = clients[i].frame(t, into[i])
			}
		})
	}
	receiving.Wait()
}

// memory returns how much of the heap and of stacks is in use.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
