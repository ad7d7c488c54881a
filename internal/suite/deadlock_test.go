package suite

import (
	"bytes"
	"context"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// volume is how many bytes each side sends: many times of what all buffers and
// queues on the way hold. The race detector would take a minute for the 30 MB
// that have shown such deadlocks elsewhere.
func volume() int {
	if Race {
		return 2 << 20
	}
	return 30 << 20
}

// flood is how the bytes are sent.
type flood struct {
	name  string
	size  int // of a message
	count int
}

func floods() []flood {
	return []flood{
		{"one message", volume(), 1},
		{"messages", 300 << 10, volume() / (300 << 10)},
		{"small messages", 10 << 10, volume() / 4 / (10 << 10)},
	}
}

// eachFlood runs test for each pair of faces and each flood. Nothing is
// compressed, for it would be too little then, and a message may be as long as
// it is.
func eachFlood(t *testing.T, test func(t *testing.T, s Setting, f flood)) {
	for _, f := range floods() {
		t.Run(f.name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				s = s.Plain()
				s.ClientOptions.MaxMessageSize = -1
				s.ServerOptions.MaxMessageSize = -1
				test(t, s, f)
			})
		})
	}
}

// TestNoDeadlock has both sides send at once while another goroutine of each
// receives.
func TestNoDeadlock(t *testing.T) {
	eachFlood(t, func(t *testing.T, s Setting, f flood) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			floodBoth(t, client, server, f, 0)
		})
	})
}

// TestNoDeadlockTCP does so over TCP, with the small buffers of a socket.
func TestNoDeadlockTCP(t *testing.T) {
	eachFlood(t, func(t *testing.T, s Setting, f flood) {
		clientEnd, serverEnd := tcpPair(t)
		client, server := s.Pair(t, clientEnd, serverEnd)
		floodBoth(t, client, server, f, 0)
	})
}

// TestSendAllFirst has both sides send everything before they receive. They
// block, for nobody takes what they send, until they begin to receive.
func TestSendAllFirst(t *testing.T) {
	eachFlood(t, func(t *testing.T, s Setting, f flood) {
		synctest.Test(t, func(t *testing.T) {
			client, server, _, _ := s.Over(t)
			floodBoth(t, client, server, f, time.Minute)
		})
	})
}

// tcpPair returns the two ends of a TCP connection with small buffers.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer listener.Close()
	client, err = new(net.Dialer).DialContext(context.Background(), "tcp", listener.Addr().String())
	ok(t, err)
	server, err = listener.Accept()
	ok(t, err)
	for _, conn := range []net.Conn{client, server} {
		ok(t, conn.(*net.TCPConn).SetReadBuffer(64<<10))
		ok(t, conn.(*net.TCPConn).SetWriteBuffer(64<<10))
	}
	return client, server
}

// floodBoth has both sides send at once, and receive after a pause.
func floodBoth(t *testing.T, client, server Conn, f flood, pause time.Duration) {
	t.Helper()
	data := bytes.Repeat(pattern(f.size%(1<<20)+1), f.size/(f.size%(1<<20)+1)+1)[:f.size]
	var all sync.WaitGroup
	for _, conn := range []Conn{client, server} {
		all.Go(func() {
			for range f.count {
				if err := conn.Send(protocol.BinaryMessage(data), 0); err != nil {
					t.Error("send:", err)
					return
				}
			}
		})
		all.Go(func() {
			time.Sleep(pause)
			for range f.count {
				m, err := conn.Recv(0)
				if err != nil || !bytes.Equal(m.Data, data) {
					t.Errorf("received %d bytes, %v", len(m.Data), err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestNobodyReceives has both sides send and never receive: they block, what is
// kept for them stays within its bounds, and Close comes to an end.
func TestNobodyReceives(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		s = s.Plain()
		synctest.Test(t, func(t *testing.T) {
			before := heap()
			client, server, _, _ := s.Over(t)
			data := pattern(100 << 10)
			var all sync.WaitGroup
			for _, conn := range []Conn{client, server} {
				all.Go(func() {
					for {
						if err := conn.Send(protocol.BinaryMessage(data), 0); err != nil {
							is(t, err, protocol.ErrClosed)
							return
						}
					}
				})
			}
			time.Sleep(5 * time.Minute) // keepalive goes on: each side knows that it is the one that lags
			for _, conn := range []Conn{client, server} {
				if conn.State() != protocol.Open {
					t.Fatalf("%v", conn.Err())
				}
			}
			// Two queues of 1 MiB and one message more, and the path.
			if used := heap() - before; used > 4<<20 {
				t.Errorf("%d bytes are in use", used)
			}
			begun := time.Now()
			closeError(t, client.Close())
			took(t, begun, 10*time.Second)
			closeError(t, server.Close())
			all.Wait()
		})
	})
}

// heap returns how many bytes of memory are in use.
func heap() int {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}
