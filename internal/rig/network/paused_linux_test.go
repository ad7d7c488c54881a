package network

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/protocol"
)

// While an application does not receive and reading is paused, its peer's
// silence means nothing: the connection lives. That the network has died is
// noticed all the same, by what is not acknowledged.
func TestNetworkDiesWhileReadingIsPaused(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	forPaused(t, New)
}

// ... also when TCP takes nearly the timeout to send again what was lost, as after
// a slow opening handshake: by then it has not begun to doubt.
func TestNetworkDiesWhileReadingIsPausedAndTCPIsPatient(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forPaused(t, func(t testing.TB) *Network {
				n := New(t)
				n.Client.IP(t, "route change 10.0.2.0/24 via 10.0.1.1 rto_min 1900ms")
				n.Server.IP(t, "route change 10.0.1.0/24 via 10.0.2.1 rto_min 1900ms")
				n.Secure = secure
				return n
			})
		})
	}
}

// forPaused tests both ends of each pair of faces, in a network of their own.
func forPaused(t *testing.T, network func(testing.TB) *Network) {
	forFaces(t, func(t *testing.T, client, server face.Face) {
		t.Run("client pauses", func(t *testing.T) {
			t.Parallel()
			n := network(t)
			c, s := n.connect(t, client, server, witness.Quick, witness.Off)
			testPaused(t, n, witness.Neglect("client", c), witness.Attend("server", s))
		})
		t.Run("server pauses", func(t *testing.T) {
			t.Parallel()
			n := network(t)
			c, s := n.connect(t, client, server, witness.Off, witness.Quick)
			testPaused(t, n, witness.Neglect("server", s), witness.Attend("client", c))
		})
	})
}

// testPaused has sender, which never pings, send until nothing moves any more.
func testPaused(t *testing.T, n *Network, paused, sender *witness.End) {
	awaitStandstill(t, sender, time.Second)
	watch(t, rig.Life(t), paused, sender)
	n.Router.IP(t, "link set server down")
	dark := time.Now()
	checkNetworkDead(t, paused, dark)
	for _, want := range []string{"and we were busy: reading was paused", "reading paused for"} {
		if !strings.Contains(paused.Why.Error(), want) {
			t.Errorf("error says %q, without %q", paused.Why, want)
		}
	}
}

// awaitStandstill has the sender send, and waits until a Send has not returned
// for so long.
func awaitStandstill(t *testing.T, sender *witness.End, d time.Duration) {
	t.Helper()
	var sent atomic.Int64
	go func() { // ends with the connection
		data := make([]byte, 100_000)
		for sender.Send(protocol.BinaryMessage(data), 0) == nil {
			sent.Add(1)
		}
	}()
	for before := int64(-1); sent.Load() != before; {
		before = sent.Load()
		time.Sleep(d) // nothing tells that nothing happens
	}
	t.Logf("%s: a Send waits after %d messages", sender.Name, sent.Load())
}
