package rig

import (
	"fmt"
	"net"
	"sync"
	"testing"
)

// TestFreePort has many ask at the same time: no two get the same port, and
// whoever does can listen on it.
func TestFreePort(t *testing.T) {
	var taken sync.Map
	t.Run("at once", func(t *testing.T) {
		for i := range 64 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				port := FreePort(t)
				if port < firstPort || port >= ephemeral() || port%2 != 0 {
					t.Errorf("port %d, want an even one from %d to %d", port, firstPort, ephemeral())
				}
				if _, again := taken.LoadOrStore(port, true); again {
					t.Errorf("port %d twice", port)
				}
				listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
				if err != nil {
					t.Fatal(err)
				}
				listener.Close()
			})
		}
	})
}

// TestClaim: a port is one caller's until that one's test has ended, and nobody's
// who finds it in use.
func TestClaim(t *testing.T) {
	var port int
	t.Run("held", func(t *testing.T) {
		port = FreePort(t)
		if claim(t, port) {
			t.Errorf("port %d is claimed twice", port)
		}
	})
	listener, err := listen(port)
	if err != nil {
		t.Fatal(err)
	}
	if claim(t, port) {
		t.Errorf("port %d is claimed while somebody listens on it", port)
	}
	listener.Close()
	if !claim(t, port) {
		t.Errorf("port %d is not free again", port)
	}
}
