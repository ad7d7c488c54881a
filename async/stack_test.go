//go:build unix && !race

package async_test

import (
	"context"
	"net"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/suite"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestStack is that of package sync: the stack that a goroutine begins with has to
// suffice for receiving and sending. A handler that passes its own context does not
// need more.
func TestStack(t *testing.T) {
	long := strings.Repeat("hello, hello, ", 70)
	t.Run("compression off", func(t *testing.T) { testStack(t, watchStack, "hello", protocol.Deflate{Disabled: true}) })
	t.Run("compression on", func(t *testing.T) { testStack(t, watchStack, "hello", protocol.Deflate{}) })
	t.Run("compressed", func(t *testing.T) { testStack(t, watchStack, long, protocol.Deflate{}) })
	t.Run("compressed, no takeover", func(t *testing.T) {
		testStack(t, watchStack, long, protocol.Deflate{ServerNoContextTakeover: true, ClientNoContextTakeover: true})
	})
	t.Run("of 10 KB", func(t *testing.T) {
		testStack(t, watchStack, strings.Repeat("hello", 2000), protocol.Deflate{Disabled: true})
	})
	t.Run("released", func(t *testing.T) { testStack(t, watchOwned, "hello", protocol.Deflate{Disabled: true}) })
	t.Run("released, of 1 KB", func(t *testing.T) { testStack(t, watchOwned, long, protocol.Deflate{Disabled: true}) })
}

func testStack(t *testing.T, handler async.HandlerFunc, message string, compression protocol.Deflate) {
	const conns, allowed = 40, 10
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	server, err := async.Serve(t.Context(), handler, "127.0.0.1:0", &async.ServerOptions{
		Keepalive:      keepalive.Config{Interval: 3 * time.Millisecond},
		DiscardRequest: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	n := 0
	for range conns {
		pingAndEcho(t, "ws://"+server.Addr().String(), message, compression)
		if <-moved {
			n++
		}
	}
	if n > allowed {
		t.Errorf("%d of %d stacks were moved, want %d at most", n, conns, allowed)
	}
}

// pingAndEcho exchanges messages on a connection, some of which come together, and some
// pings both ways.
func pingAndEcho(t *testing.T, url, message string, compression protocol.Deflate) {
	var gatherer suite.Gatherer
	conn, err := async.Connect(t.Context(), url, &async.ClientOptions{
		Compression: compression,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			var d net.Dialer
			inner, err := d.DialContext(ctx, network, address)
			gatherer.Conn = inner
			return &gatherer, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const together = 4
	gatherer.Gather(together)
	for range together {
		if err := conn.SendBinary(t.Context(), []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	for range together {
		if _, err := conn.Recv(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := conn.SendBinary(t.Context(), []byte(message)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Recv(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			pong, err := conn.Ping(t.Context(), nil)
			if err == nil {
				_, err = pong.Wait(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			// Reading answers the server's pings, of which there are some.
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Millisecond)
			conn.Recv(ctx)
			cancel()
		}
	}
	conn.SendText(t.Context(), "bye")
}

// room is how long messages are at most. It is no constant, which would have them on
// the stack.
var room = 1000

// moved says for each handler whether its stack was moved.
var moved = make(chan bool, 1)

// watchStack echoes until the peer says "bye". It is to need little of the stack
// itself.
func watchStack(ctx context.Context, conn *async.ServerConn) error {
	var mark byte
	at := uintptr(unsafe.Pointer(&mark))
	for buf := make([]byte, 0, room); ; {
		typ, data, err := conn.RecvAppend(ctx, buf[:0])
		if err != nil || len(data) == len("bye") {
			moved <- uintptr(unsafe.Pointer(&mark)) != at
			return nil
		}
		conn.Send(ctx, protocol.Message{Type: typ, Data: data})
		buf = data
	}
}

// watchOwned does so with messages in memory of their own, which it gives back.
func watchOwned(ctx context.Context, conn *async.ServerConn) error {
	var mark byte
	at := uintptr(unsafe.Pointer(&mark))
	for {
		m, err := conn.Recv(ctx)
		if err != nil || len(m.Data) == len("bye") {
			moved <- uintptr(unsafe.Pointer(&mark)) != at
			return nil
		}
		conn.Send(ctx, m)
		m.Release()
	}
}
