package suite

import (
	"runtime"
	"testing"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestEchoAllocates counts the allocations of a message there and back, with
// RecvAppend and Send on both sides: none.
func TestEchoAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	for _, size := range []int{0, 32, 1000, 10000} {
		Each(t, func(t *testing.T, s Setting) {
			clientEnd, serverEnd := tcpPair(t)
			client, server := s.Pair(t, clientEnd, serverEnd)
			go func() { // ends with the connection
				buf := make([]byte, 0, size)
				for {
					typ, data, err := server.RecvAppend(buf[:0])
					if err != nil || server.Send(protocol.Message{Type: typ, Data: data}, 0) != nil {
						return
					}
					buf = data
				}
			}()
			m, buf := protocol.BinaryMessage(pattern(size)), make([]byte, 0, size)
			allocs := testing.AllocsPerRun(200, func() {
				if err := client.Send(m, 0); err != nil {
					t.Fatal(err)
				}
				if _, _, err := client.RecvAppend(buf); err != nil {
					t.Fatal(err)
				}
			})
			if allocs > 0 {
				t.Errorf("%d bytes: %v allocations", size, allocs)
			}
		})
	}
}

// TestRecvAllocates counts what Recv costs, which gives its caller memory of
// its own: that.
func TestRecvAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	Each(t, func(t *testing.T, s Setting) {
		clientEnd, serverEnd := tcpPair(t)
		client, server := s.Pair(t, clientEnd, serverEnd)
		m := protocol.BinaryMessage(pattern(1000))
		allocs := testing.AllocsPerRun(200, func() {
			if err := client.Send(m, 0); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Recv(0); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 1 {
			t.Errorf("%v allocations", allocs)
		}
	})
}

// TestReleaseAllocates counts what messages cost that are given back, for which
// memory goes round: nothing.
func TestReleaseAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	plain, compressed := protocol.Deflate{Disabled: true}, protocol.Deflate{}
	for _, size := range []int{0, 32, 1000, 16 << 10, 64 << 10, 300 << 10} {
		for _, opts := range []Options{{Compression: plain}, {Compression: compressed}, {Compression: compressed, MaxFragmentSize: 3000}} {
			if opts.Compression.Disabled && size > 64<<10 {
				continue // Send would wait for who receives
			}
			Each(t, func(t *testing.T, s Setting) {
				s.ClientOptions, s.ServerOptions = opts, opts
				clientEnd, serverEnd := tcpPair(t)
				client, server := s.Pair(t, clientEnd, serverEnd)
				m := protocol.BinaryMessage(pattern(size))
				allocs := testing.AllocsPerRun(200, func() {
					ok(t, client.Send(m, 0))
					received, err := server.Recv(0)
					ok(t, err)
					received.Release()
				})
				if allocs > 0 {
					t.Errorf("%d bytes, compressed %t, in fragments of %d: %v allocations", size, !opts.Compression.Disabled, opts.MaxFragmentSize, allocs)
				}
			})
		}
	}
}

// TestReleaseQueuedAllocates does so with messages that are read before they are
// wanted: by who waits for a pong, which costs the same without them.
func TestReleaseQueuedAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	Each(t, func(t *testing.T, s Setting) {
		clientEnd, serverEnd := tcpPair(t)
		client, server := s.Plain().Pair(t, clientEnd, serverEnd)
		go client.Recv(0) // answers pings; ends with the connection
		m := protocol.BinaryMessage(pattern(1000))
		cost := func(messages int) float64 {
			return testing.AllocsPerRun(200, func() {
				for range messages {
					ok(t, client.Send(m, 0))
				}
				pong, err := server.Ping(nil)
				ok(t, err)
				_, err = pong.Wait(0)
				ok(t, err)
				for range messages {
					received, err := server.Recv(0)
					ok(t, err)
					received.Release()
				}
			})
		}
		cost(10) // makes room in the queue, and memory
		if without, with := cost(0), cost(10); with > without {
			t.Errorf("%v allocations, %v without messages", with, without)
		}
	})
}

// TestPingAllocates counts what a ping of keepalive's costs both ends, its pong
// included: nothing.
func TestPingAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	Each(t, func(t *testing.T, s Setting) {
		s.ServerOptions.Keepalive = keepalive.Config{Interval: time.Millisecond, Timeout: time.Minute}
		s.ClientOptions.Keepalive.Interval = noPings
		clientEnd, serverEnd := tcpPair(t)
		client, server := s.Pair(t, clientEnd, serverEnd)
		go client.Recv(0) // end with the connection
		go server.Recv(0)
		// What earlier tests left in the pools would allocate for its first ping.
		runtime.GC()
		runtime.GC() // a pool keeps what it has for another one
		const warm, counted = 100, 500
		awaitPongs(t, server, warm)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		awaitPongs(t, server, warm+counted)
		runtime.ReadMemStats(&after)
		// Now and then the runtime itself allocates something.
		if n := after.Mallocs - before.Mallocs; n > counted/10 {
			t.Errorf("%d allocations for %d pings", n, counted)
		}
	})
}

// awaitPongs waits until the connection has seen n pongs.
func awaitPongs(t *testing.T, conn Conn, n uint64) {
	t.Helper()
	for conn.KeepaliveStats().PongsReceived < n {
		if err := conn.Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // nothing tells of a pong without allocating
	}
}
