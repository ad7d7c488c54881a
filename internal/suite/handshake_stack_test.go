//go:build unix && !race

package suite

import (
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"testing"
	"unsafe"
)

// TestHandshakeStack: when net/http calls a handler its goroutine has a stack of 4
// KiB, of which about a third is in use. To get a larger one costs as much as two
// system calls, so the opening handshake has to be content with the rest. Now and
// then the runtime needs more for its own purposes, when it allocates; code that
// goes too deep moves nearly all. In a heap that other tests have left full of holes
// that is at every allocation, so the test runs in a process of its own.
func TestHandshakeStack(t *testing.T) {
	const own = "TANDEM_OWN_PROCESS"
	if os.Getenv(own) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHandshakeStack$")
		cmd.Env = append(os.Environ(), own+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	handshakeStacks(t)
}

func handshakeStacks(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would make stacks smaller
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	const handshakes, allowed = 40, 10
	for _, f := range Faces {
		moved := 0
		for range handshakes {
			if handshakeMoves(t, f, listener) {
				moved++
			}
		}
		if moved > allowed {
			t.Errorf("%s: %d of %d stacks were moved, want %d at most", f.Name(), moved, handshakes, allowed)
		}
	}
}

// handshakeMoves reports whether the stack of a goroutine is elsewhere when the
// handler is called.
func handshakeMoves(t *testing.T, f Face, listener net.Listener) bool {
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client.(*net.TCPConn).CloseWrite()
	var before, then uintptr
	serve := serving(t, f, "", func(Conn) error {
		var mark byte
		then = uintptr(unsafe.Pointer(&mark))
		return nil
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var mark byte
		growStack(0)
		before = uintptr(unsafe.Pointer(&mark))
		underHTTP(func() { serve(conn) })
	}()
	<-done
	return before-then > 4<<10 // also if it is further up
}

// growStack makes a stack of 2 KiB one of 4.
//
//go:noinline
func growStack(i int) byte {
	var room [1600]byte
	room[i] = 1
	return room[len(room)-1-i]
}

// underHTTP calls a function as deep in the stack as net/http calls its handlers.
//
//go:noinline
func underHTTP(call func()) byte {
	var room [1200]byte
	room[len(room)/2] = 1
	call()
	return room[len(room)/2]
}
