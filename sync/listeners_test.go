package sync_test

import (
	"net"
	"path/filepath"
	"testing"

	wssync "github.com/tandemws/tandem/sync"
)

// TestSeveralListeners serves two TCP ports and a Unix socket at once, and ends
// with all of them.
func TestSeveralListeners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	var listeners []net.Listener
	for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"tcp", "127.0.0.1:0"}, {"unix", path}} {
		l, err := net.Listen(at[0], at[1])
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
	}
	server, err := wssync.Serve(echo, "not used", &wssync.ServerOptions{Listeners: listeners})
	if err != nil {
		t.Fatal(err)
	}
	for i, addr := range server.Addrs() {
		if addr != listeners[i].Addr() {
			t.Errorf("address %v, want %v", addr, listeners[i].Addr())
		}
		opts, url := new(wssync.ClientOptions), "ws://"+addr.String()+"/"
		if addr.Network() == "unix" {
			opts.UnixSocket, url = path, "ws://tandem.test/"
		}
		conn, err := wssync.Connect(url, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SendText("hello"); err != nil {
			t.Error(err)
		}
		if msg, err := conn.Recv(); err != nil || msg.String() != "hello" {
			t.Errorf("%q, %v", msg, err)
		}
		conn.Close()
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	for _, l := range listeners {
		if _, err := l.Accept(); err == nil {
			t.Errorf("%v is still open", l.Addr())
		}
	}
}
