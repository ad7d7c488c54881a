package network

import (
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/protocol"
)

// linkRate is how many bytes a slow link carries in a second at most.
const linkRate = 8000

// A large message takes minutes on a slow link. Pings and pongs wait behind
// it, and neither end gives the other up.
func TestLargeMessageOnSlowLink(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	forDirections(t, 0, false, testLargeMessage)
}

// With TLS what has come can be read a record at a time, and one takes as long
// as the timeout.
func TestLargeMessageOnSlowLinkWithTLS(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	forDirections(t, 0, true, testLargeMessage)
}

func testLargeMessage(t *testing.T, from, to *witness.End) {
	data := make([]byte, 4<<20)
	begun := time.Now()
	go from.Send(protocol.BinaryMessage(data), 0) // ends with the connection
	watch(t, rig.Life(t), from, to)
	// What is behind a lost packet cannot be read for as long as the queue
	// is, so there may have been nothing to read for seconds.
	if last := to.KeepaliveStats().LastByte; !last.After(begun) {
		t.Errorf("%s: nothing came; the link is to be busy", to.Name)
	}
}

// So it is when the system has swallowed the message whole, and Send has
// returned long before it is delivered.
func TestSwallowedMessageOnSlowLink(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	forDirections(t, 4<<20, false, func(t *testing.T, from, to *witness.End) {
		life := rig.Life(t)
		data := make([]byte, life/time.Second*linkRate)
		begun := time.Now()
		if err := from.Send(protocol.BinaryMessage(data), 0); err != nil {
			t.Fatalf("%s: Send: %v", from.Name, err)
		}
		swallowed := time.Since(begun)
		if _, ok := to.Await(2*life + 5*time.Second); !ok {
			t.Fatalf("%s: the message did not arrive: %v; %v", to.Name, to.Err(), from.Err())
		}
		t.Logf("Send of %d bytes returned after %v, they arrived after %v", len(data), swallowed, time.Since(begun))
		if swallowed > life/4 {
			t.Errorf("Send took %v; the system was to take the message at once", swallowed)
		}
		witness.Alive(t, from, to)
	})
}

// TCP sends again what is lost, which takes a while, but not too long.
func TestLossyLink(t *testing.T) {
	rig.NeedRoot(t)
	t.Parallel()
	forFaces(t, func(t *testing.T, client, server face.Face) {
		n := New(t)
		c, s := n.pair(t, client, server, witness.Quick)
		n.Router.Filter(t, `
table ip rig {
	chain forwarding {
		type filter hook forward priority filter; policy accept;
		numgen random mod 100 < 5 drop
	}
}`)
		talk(c)
		talk(s)
		watch(t, rig.Life(t), c, s)
	})
}

// forDirections runs test for each pair of faces and each direction of a link
// that is slow in that direction. buffer is that of the hosts; secure is with TLS.
func forDirections(t *testing.T, buffer int, secure bool, test func(t *testing.T, from, to *witness.End)) {
	for _, up := range []bool{true, false} {
		name := map[bool]string{true: "up", false: "down"}[up]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forFaces(t, func(t *testing.T, client, server face.Face) {
				n := New(t)
				n.Client.Buffer, n.Server.Buffer, n.Secure = buffer, buffer, secure
				c, s := n.pair(t, client, server, witness.Quick)
				if up {
					n.Client.Slow(t, "eth0")
					test(t, c, s)
				} else {
					n.Router.Slow(t, "client")
					test(t, s, c)
				}
			})
		})
	}
}

// watch fails the test if one of the ends ends within d.
func watch(t *testing.T, d time.Duration, a, b *witness.End) {
	t.Helper()
	select {
	case <-a.Done():
	case <-b.Done():
	case <-time.After(d):
		return
	}
	for _, e := range []*witness.End{a, b} {
		e.AwaitEnd(d)
		t.Errorf("%s: ended: %v", e.Name, e.Why)
	}
}
