package peers

import (
	"path/filepath"
	"testing"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/protocol"
)

// TestUnixSockets: each face and Python's websockets find each other over Unix
// sockets, in both roles.
func TestUnixSockets(t *testing.T) {
	rig.Need(t, python, pythonModules+"websockets")
	for _, f := range face.Both {
		t.Run(f.Name()+" client", func(t *testing.T) { unixClient(t, f) })
		t.Run(f.Name()+" server", func(t *testing.T) { unixServer(t, f) })
	}
}

func unixClient(t *testing.T, f face.Face) {
	path := filepath.Join(t.TempDir(), "socket")
	peer := rig.Start(t, command(python, "unix_websockets.py", "serve", path), rig.Prints("listening"))
	opts := options()
	opts.Unix = path
	conn, err := f.Connect("ws://tandem.test/chat", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Send(protocol.TextMessage("over a socket"), patience); err != nil {
		t.Fatal(err)
	}
	if m, err := conn.Recv(patience); err != nil || m.String() != "over a socket" {
		t.Errorf("received %v, %v", m, err)
	}
	if err := conn.CloseWith(4000, "done"); err != nil {
		t.Errorf("CloseWith: %v", err)
	}
	if n := awaitNotice(t, peer, `\{"event": "close".*\}`); n.Code != 4000 || n.Reason != "done" {
		t.Errorf("the peer saw %+v", n)
	}
}

func unixServer(t *testing.T, f face.Face) {
	path := filepath.Join(t.TempDir(), "socket")
	host := make(chan string, 1)
	server, err := f.Serve(func(conn face.Conn) error {
		host <- conn.Request().Host
		m, err := conn.Recv(patience)
		if err != nil {
			return err
		}
		if err := conn.Send(m, patience); err != nil {
			return err
		}
		<-conn.Done()
		return nil
	}, "unix:"+path, options())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	peer := rig.Start(t, command(python, "unix_websockets.py", "connect", path), nil)
	if n := awaitNotice(t, peer, `\{"event": "message".*\}`); n.Payload != "over a socket" {
		t.Errorf("the peer received %+v", n)
	}
	if n := awaitNotice(t, peer, `\{"event": "close".*\}`); n.Code != 4000 {
		t.Errorf("the peer saw %+v", n)
	}
	if err := peer.Wait(); err != nil {
		t.Errorf("the peer ended with %v", err)
	}
	if got := <-host; got != "tandem.test" {
		t.Errorf("Host %q", got)
	}
}
