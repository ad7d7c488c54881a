package network

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/keepalive"
)

// userTimeout leaves time for two probes of a closed window, the pauses between
// which double, after the network has died: one may be on its way.
const userTimeout = 8 * time.Second

// Whoever sets TCP_USER_TIMEOUT and has keepalive off is told what the system's
// time-out means: it ends a connection over a dead network, and also one whose
// peer lives and does not read.
func TestUserTimeout(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	cut := func(t *testing.T, n *Network) { n.Router.IP(t, "link set server down") }
	for _, test := range []struct {
		name  string
		begin func(t *testing.T, n *Network, sender *witness.End)
		want  keepalive.Cause
	}{
		{"the network dies", func(t *testing.T, n *Network, sender *witness.End) {
			cut(t, n)
			sends(t, sender, "into the void")
		}, keepalive.NetworkDead},
		{"a firewall refuses", func(t *testing.T, n *Network, sender *witness.End) {
			n.Router.Filter(t, `
table ip rig {
	chain forwarding { type filter hook forward priority filter; reject with icmp type port-unreachable; }
}`)
			sends(t, sender, "to the firewall")
		}, keepalive.NetworkDead},
		{"the peer does not read", func(t *testing.T, _ *Network, sender *witness.End) {
			awaitStandstill(t, sender, time.Second)
		}, keepalive.PeerNotReading},
		{"the peer does not read, and then the network dies", func(t *testing.T, n *Network, sender *witness.End) {
			awaitStandstill(t, sender, 200*time.Millisecond)
			cut(t, n)
		}, keepalive.NetworkDead},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			forFaces(t, func(t *testing.T, client, server face.Face) {
				forSenders(t, client, server, func(t *testing.T, n *Network, sender *witness.End) {
					test.begin(t, n, sender)
					checkSystemTimeout(t, sender, test.want)
				})
			})
		})
	}
}

// forSenders runs test with a client that sends to a server which does not
// receive, and the other way round.
func forSenders(t *testing.T, client, server face.Face, test func(*testing.T, *Network, *witness.End)) {
	for _, name := range []string{"client", "server"} {
		t.Run(name+" sends", func(t *testing.T) {
			t.Parallel()
			n := New(t)
			n.Client.UserTimeout, n.Server.UserTimeout = userTimeout, userTimeout
			c, s := n.connect(t, client, server, witness.Off, witness.Off)
			sender := map[string]face.Conn{"client": c, "server": s}[name]
			test(t, n, witness.Attend(name, sender))
		})
	}
}

func checkSystemTimeout(t *testing.T, end *witness.End, want keepalive.Cause) {
	t.Helper()
	if !end.AwaitEnd(6 * userTimeout) {
		t.Fatalf("%s: still open", end.Name)
	}
	t.Logf("%s: %v", end.Name, end.Why)
	var timeout *keepalive.TimeoutError
	if !errors.As(end.Why, &timeout) || timeout.Cause != want || timeout.Err == nil {
		t.Errorf("%s: %v; want cause %v and an error of the system", end.Name, end.Why, want)
	}
	if errno := syscall.Errno(0); !errors.As(end.Why, &errno) {
		t.Errorf("%s: %v; want an errno", end.Name, end.Why)
	}
}
