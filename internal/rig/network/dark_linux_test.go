package network

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/face"
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

// quick is keepalive that notices soon.
var quick = keepalive.Config{Interval: time.Second, Timeout: 2 * time.Second}

// promise is how long after the last byte a dead peer is reported at the
// latest, with room for a machine that has other work.
func promise(c keepalive.Config) time.Duration {
	d := c.Interval + c.Timeout
	return d + d/10 + 500*time.Millisecond
}

// When the link goes dark, both ends of idle connections and of busy ones say
// in time that the network is dead.
func TestLinkGoesDark(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	for _, d := range darkness {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			t.Run("idle", func(t *testing.T) { testDark(t, d.fall, func(*face.End) {}) })
			t.Run("busy", func(t *testing.T) { testDark(t, d.fall, talk) })
		})
	}
}

// testDark cuts connections whose ends each do what occupy begins.
func testDark(t *testing.T, fall func(*testing.T, *Network), occupy func(*face.End)) {
	forFaces(t, func(t *testing.T, client, server face.Face) {
		n := New(t)
		c, s := n.pair(t, client, server, quick)
		ends := []*face.End{c, s}
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
func talk(e *face.End) {
	go func() { // ends with the connection
		for e.Send(protocol.TextMessage("busy")) == nil {
			select {
			case <-e.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
}

// checkNetworkDead fails the test unless the end reports in time that the
// network is dead, in its fields and in words.
func checkNetworkDead(t *testing.T, e *face.End, dark time.Time) {
	t.Helper()
	timeout := timeoutOf(t, e, dark)
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

// timeoutOf returns the end's *keepalive.TimeoutError, which has to come in
// time: within the promise of the last byte, and so of when the link was dark.
func timeoutOf(t *testing.T, e *face.End, dark time.Time) *keepalive.TimeoutError {
	t.Helper()
	if !e.AwaitEnd(30 * time.Second) {
		t.Errorf("%s: 30 s after the link went dark the connection is still open", e.Name)
		return nil
	}
	after := e.Ended.Sub(dark)
	t.Logf("%s: after %v: %v", e.Name, after.Round(time.Millisecond), e.Why)
	var closed *protocol.CloseError
	var timeout *keepalive.TimeoutError
	if !errors.As(e.Why, &closed) || closed.Rcvd != nil || !errors.As(closed, &timeout) {
		t.Errorf("%s: %v; want a *keepalive.TimeoutError and no close frame received", e.Name, e.Why)
		return nil
	}
	limit := promise(keepalive.Config{Interval: timeout.PingInterval, Timeout: timeout.PingTimeout})
	if since := e.Ended.Sub(timeout.LastByte); after > limit || since > limit {
		t.Errorf("%s: reported %v after the dark, %v after the last byte; want at most %v", e.Name, after, since, limit)
	}
	if timeout.SinceByte < timeout.PingTimeout {
		t.Errorf("%s: given up %v after a byte; the timeout is %v", e.Name, timeout.SinceByte, timeout.PingTimeout)
	}
	return timeout
}
