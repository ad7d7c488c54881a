package network

import (
	"strings"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Ways for a link to go dark: nothing arrives any more, and no end is told.
var darkness = []struct {
	name string
	fall func(t *testing.T, n *Network)
}{
	{"router loses the client's cable", func(t *testing.T, n *Network) {
		n.Router.IP(t, "link set client down")
	}},
	{"router loses the server's cable", func(t *testing.T, n *Network) {
		n.Router.IP(t, "link set server down")
	}},
	{"client loses its cable", func(t *testing.T, n *Network) {
		n.Client.IP(t, "link set eth0 down")
	}},
	{"client loses its address", func(t *testing.T, n *Network) {
		n.Client.IP(t, "addr del "+ClientAddr+"/24 dev eth0")
	}},
	{"firewall drops", func(t *testing.T, n *Network) {
		n.Router.Filter(t, `
table ip rig {
	chain forwarding { type filter hook forward priority filter; policy drop; }
}`)
	}},
	{"router discards", func(t *testing.T, n *Network) {
		n.Router.IP(t, "route add blackhole "+ClientAddr+"/32")
		n.Router.IP(t, "route add blackhole "+ServerAddr+"/32")
	}},
	{"router says unreachable", func(t *testing.T, n *Network) {
		n.Router.IP(t, "route add unreachable "+ClientAddr+"/32")
		n.Router.IP(t, "route add unreachable "+ServerAddr+"/32")
	}},
}

// When the link goes dark, both ends of idle connections and of busy ones say
// in time that the network is dead.
func TestLinkGoesDark(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	for _, d := range darkness {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			t.Run("idle", func(t *testing.T) { testDark(t, d.fall, func(*witness.End) {}) })
			t.Run("busy", func(t *testing.T) { testDark(t, d.fall, talk) })
		})
	}
}

// testDark cuts connections whose ends each do what occupy begins.
func testDark(t *testing.T, fall func(*testing.T, *Network), occupy func(*witness.End)) {
	forFaces(t, func(t *testing.T, client, server face.Face) {
		n := New(t)
		c, s := n.pair(t, client, server, witness.Quick)
		ends := []*witness.End{c, s}
		for _, e := range ends {
			e.AwaitPongs(t, 2)
			occupy(e)
		}
		fall(t, n)
		dark := time.Now()
		for _, e := range ends {
			checkNetworkDead(t, e, dark)
		}
	})
}

// talk sends messages until that fails. They are so few that the kernel takes
// them all.
func talk(e *witness.End) {
	go func() { // ends with the connection
		for e.Send(protocol.TextMessage("busy"), 0) == nil {
			select {
			case <-e.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
}

// checkNetworkDead fails the test unless the end reports in time that the
// network is dead, in its fields and in words.
func checkNetworkDead(t *testing.T, e *witness.End, dark time.Time) {
	t.Helper()
	timeout := e.TimedOut(t, dark)
	if timeout == nil {
		return
	}
	if timeout.Cause != keepalive.NetworkDead {
		t.Errorf("%s: cause %v, want %v", e.Name, timeout.Cause, keepalive.NetworkDead)
	}
	for _, want := range []string{"keepalive ping timeout", "the network is dead", "bytes unacknowledged"} {
		if !strings.Contains(e.Why.Error(), want) {
			t.Errorf("%s: error says %q, without %q", e.Name, e.Why, want)
		}
	}
}
