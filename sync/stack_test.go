//go:build unix && !race

package sync_test

import (
	"context"
	"net"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/tandemws/tandem/internal/suite"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/sync"
)

// A goroutine begins with a stack of 2 KiB, and has a larger one for ever when
// that did not suffice once. With many idle connections this is much of what
// they cost, so receiving, sending, and what keepalive of both sides makes a
// receiver do have to be content with it. Now and then the runtime needs more for
// its own purposes, when it allocates, and again after each collection, so there is
// none here; code that goes too deep moves nearly all. That compression was
// negotiated is not to matter for messages that are not worth it.
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

func testStack(t *testing.T, handler sync.HandlerFunc, message string, compression protocol.Deflate) {
	const conns, allowed = 40, 10
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	server, err := sync.Serve(handler, "127.0.0.1:0", &sync.ServerOptions{
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
		if how := <-moved; how != "" {
			t.Log("the stack was moved by " + how)
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
	conn, err := sync.Connect(url, &sync.ClientOptions{
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
		if err := conn.SendBinary([]byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	for range together {
		if _, err := conn.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := conn.SendBinary([]byte(message)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Recv(); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			pong, err := conn.Ping(nil)
			if err == nil {
				_, err = pong.Wait(0)
			}
			if err != nil {
				t.Fatal(err)
			}
			// Reading answers the server's pings, of which there are some.
			conn.RecvTimeout(3 * time.Millisecond)
		}
	}
	conn.SendText("bye")
}

// room is how long messages are at most. It is no constant, which would have them on
// the stack.
var room = 1000

// moved says for each handler what has moved its stack, "" if nothing has.
var moved = make(chan string, 1)

// watchStack echoes until the peer says "bye". It is to need little of the stack
// itself.
func watchStack(conn *sync.ServerConn) error {
	var mark byte
	at, how := uintptr(unsafe.Pointer(&mark)), ""
	buf := make([]byte, 0, room)
	for {
		typ, data, err := conn.RecvAppend(buf[:0])
		if how == "" && uintptr(unsafe.Pointer(&mark)) != at {
			how = "receiving"
		}
		if err != nil || len(data) == len("bye") {
			moved <- how
			return nil
		}
		conn.Send(protocol.Message{Type: typ, Data: data})
		buf = data
		if how == "" && uintptr(unsafe.Pointer(&mark)) != at {
			how = "sending"
		}
	}
}

// watchOwned does so with messages in memory of their own, which it gives back.
func watchOwned(conn *sync.ServerConn) error {
	var mark byte
	at, how := uintptr(unsafe.Pointer(&mark)), ""
	for {
		m, err := conn.Recv()
		if how == "" && uintptr(unsafe.Pointer(&mark)) != at {
			how = "receiving"
		}
		if err != nil || len(m.Data) == len("bye") {
			moved <- how
			return nil
		}
		conn.Send(m)
		if how == "" && uintptr(unsafe.Pointer(&mark)) != at {
			how = "sending"
		}
		m.Release()
		if how == "" && uintptr(unsafe.Pointer(&mark)) != at {
			how = "releasing"
		}
	}
}
