package network

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/keepalive"
)

// TestProbe: the command tandem finds for how long the router remembers idle
// flows, though it tells nobody when it forgets one.
func TestProbe(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	n := newForgetful(t)
	port := n.serveSilently(t)
	longest := max(15*time.Second, rig.Life(t))
	output := n.Client.Run(t, "", rig.Tandem(t), "probe", "--json", "--max", longest.String(),
		"--timeout", "2s", fmt.Sprintf("ws://%s:%d/", ServerAddr, port))
	verdict := rig.ReadVerdict(t, output)
	t.Logf("%+v", verdict)
	verdict.Check(t, memory, []string{"silence"}, longest)
}

// serveSilently starts a server on the network's server that says nothing by
// itself and answers pings, as everybody who receives does.
func (n *Network) serveSilently(t *testing.T) (port int) {
	readOnly := func(ctx context.Context, conn *wsasync.ServerConn) (err error) {
		for err == nil {
			_, err = conn.Recv(ctx)
		}
		return err
	}
	server, err := wsasync.Serve(context.Background(), readOnly, "", &wsasync.ServerOptions{
		Keepalive:    keepalive.Config{Interval: -1},
		CloseTimeout: time.Second, // for those that the router has forgotten
		Listeners:    []net.Listener{n.Server.Listen(t)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.Addr().(*net.TCPAddr).Port
}
