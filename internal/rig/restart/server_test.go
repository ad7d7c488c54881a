//go:build unix

package restart

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/protocol"
)

// Environment variables that make the test binary a server.
const (
	modeVariable    = "RIG_RESTART_MODE"
	addressVariable = "RIG_RESTART_ADDRESS"
)

// What the server does with its clients.
const (
	counts  = "counts"  // sends numbers, from the one that the client asks for
	drops   = "drops"   // accepts, and cuts at once
	refuses = "refuses" // answers 503, Retry-After: 1
)

// start starts a server in a process of its own, which ends with the test.
func start(t *testing.T, mode, address string) *rig.Process {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), modeVariable+"="+mode, addressVariable+"="+address)
	return rig.Start(t, cmd, rig.Prints("listens"))
}

// kill kills a server and waits until it is gone, with its port.
func kill(t *testing.T, server *rig.Process) {
	t.Helper()
	server.Kill()
	<-server.Ended()
}

// runServer is what the server's process does until it is killed.
func runServer(mode, address string) {
	if mode == refuses {
		serveRefusals(address)
		return
	}
	handler := count
	if mode == drops {
		handler = func(conn face.Conn) error { conn.CloseNow(); return nil }
	}
	if _, err := (face.Async{}).Serve(handler, address, &face.Options{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("listens")
	select {}
}

func serveRefusals(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("listens")
	fmt.Println(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	})))
}

// count sends numbers until its connection ends.
func count(conn face.Conn) error {
	from, err := conn.Recv(0)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(from.Data))
	for ; err == nil; n++ {
		err = conn.Send(protocol.TextMessage(strconv.Itoa(n)), 0)
		time.Sleep(2 * time.Millisecond) // it is a pace, and nobody waits for it
	}
	return err
}
