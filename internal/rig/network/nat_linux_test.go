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

const (
	memory  = 5 * time.Second  // for how long the router remembers an idle flow
	silence = 15 * time.Second // what a lost connection has to be silent for, to show that nobody tells
)

// Without pings the router forgets the connection, and nobody is told: a Send
// succeeds, and nothing arrives.
func TestForgottenWithoutPings(t *testing.T) {
	rig.NeedRoot(t, "conntrack")
	t.Parallel()
	forFaces(t, func(t *testing.T, client, server face.Face) {
		n := newForgetful(t)
		c, s := n.pair(t, client, server, witness.Off)
		n.awaitForgotten(t)
		sends(t, c, "into the void")
		sends(t, s, "into the void")
		isSilent(t, s, silence)
		isSilent(t, c, time.Second)
	})
}

// A ping every 2 s keeps the router from forgetting.
func TestRememberedWithPings(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	forFaces(t, func(t *testing.T, client, server face.Face) {
		n := newForgetful(t)
		config := keepalive.Config{Interval: 2 * time.Second, Timeout: 4 * time.Second}
		c, s := n.pair(t, client, server, config)
		if c.AwaitEnd(memory + silence) {
			t.Fatalf("client: ended: %v", c.Why)
		}
		witness.Alive(t, c, s)
	})
}

// When the pings are too far apart, at least they find out.
func TestForgottenBetweenPings(t *testing.T) {
	rig.NeedRoot(t, "conntrack")
	t.Parallel()
	forFaces(t, func(t *testing.T, client, server face.Face) {
		n := newForgetful(t)
		interval := memory + 3*time.Second
		config := keepalive.Config{Interval: interval, Timeout: 2 * time.Second, Phase: interval}
		c, s := n.pair(t, client, server, config)
		idle := time.Now()
		n.awaitForgotten(t)
		checkNetworkDead(t, c, idle)
		checkNetworkDead(t, s, idle)
	})
}

// newForgetful makes a network whose router translates addresses, forgets idle
// flows, and drops what belongs to none: also what the server sends, which to
// the router looks as if it were for itself.
func newForgetful(t *testing.T) *Network {
	n := New(t)
	n.Router.Filter(t, `
table ip rig {
	chain translation {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "server" masquerade
	}
	chain arrival {
		type filter hook prerouting priority filter; policy accept;
		ct state invalid drop
	}
}`)
	n.Router.Set(t, "net/netfilter/nf_conntrack_tcp_timeout_established", "5")
	// A packet in the middle of an unknown flow does not begin a new one.
	n.Router.Set(t, "net/netfilter/nf_conntrack_tcp_loose", "0")
	return n
}

// awaitForgotten waits until the router knows of no flow.
func (n *Network) awaitForgotten(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(6 * memory)
	for strings.Contains(n.Router.Run(t, "", "conntrack", "-L", "-p", "tcp"), "ESTABLISHED") {
		if time.Now().After(deadline) {
			t.Fatalf("the router still remembers after %v", 6*memory)
		}
		time.Sleep(100 * time.Millisecond) // nothing tells when it forgets
	}
}

// isSilent fails the test if a message or the end of the connection has come,
// or comes within d.
func isSilent(t *testing.T, e *witness.End, d time.Duration) {
	t.Helper()
	select {
	case m, more := <-e.Received:
		if more {
			t.Errorf("%s: received %q through a router that has forgotten the connection", e.Name, m.Data)
		} else {
			t.Errorf("%s: ended, though nobody told it to: %v", e.Name, e.Why)
		}
	case <-time.After(d):
	}
}

// sends sends a message, which has to succeed.
func sends(t *testing.T, e *witness.End, text string) {
	t.Helper()
	if err := e.Send(protocol.TextMessage(text), 0); err != nil {
		t.Errorf("%s: Send: %v", e.Name, err)
	}
}
