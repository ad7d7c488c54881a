package serve

import (
	"errors"
	"net"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// TestAbandonedByOne has several servers that start at once find the socket of
// one that was killed: one of them gets it, and whoever connects gets to that
// one. All others find it in use.
func TestAbandonedByOne(t *testing.T) {
	for round := range 100 {
		path := filepath.Join(t.TempDir(), "s")
		killed, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		killed.(*net.UnixListener).SetUnlinkOnClose(false)
		killed.Close()

		var starting sync.WaitGroup
		var listeners [8]net.Listener
		for i := range listeners {
			starting.Go(func() { listeners[i], _ = listen("unix:" + path) })
		}
		starting.Wait()
		listening := 0
		for _, l := range listeners {
			if l == nil {
				continue
			}
			listening++
			if conn, err := net.Dial("unix", path); err != nil {
				t.Error(err)
			} else {
				conn.Close()
			}
			l.Close()
		}
		if listening != 1 {
			t.Fatalf("round %d: %d servers listen on one socket", round, listening)
		}
	}
}

// TestKeepAliveRefused: where the system does not take TCP's keepalive for a
// listener, package net sees to it; other errors are told.
func TestKeepAliveRefused(t *testing.T) {
	before := inheritKeepAlive
	defer func() { inheritKeepAlive = before }()
	other := errors.New("no more sockets")
	for _, refused := range []error{errNotInherited, other} {
		inheritKeepAlive = func(_, _ string, _ syscall.RawConn) error { return refused }
		listener, err := listen("127.0.0.1:0")
		if (err == nil) != (refused == errNotInherited) || err != nil && !errors.Is(err, other) {
			t.Errorf("%v: %v", refused, err)
		}
		if err == nil {
			listener.Close()
		}
	}
}

// TestPasses: to be without file descriptors is told, and a client that has left before it
// was accepted is not, as on Windows it would be; nor what ends the listener.
func TestPasses(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.EMFILE: true, syscall.ENFILE: true,
		syscall.ECONNABORTED: false, syscall.ECONNRESET: false,
		net.ErrClosed: false,
	} {
		if got := passes(&net.OpError{Op: "accept", Net: "tcp", Err: err}); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
}
