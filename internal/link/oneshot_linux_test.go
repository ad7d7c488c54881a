//go:build !386

package link

import (
	"net"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// TestBroadcastToBlocking broadcasts over a socket that somebody has put into
// blocking mode, to a peer that does not read: nobody waits.
func TestBroadcastToBlocking(t *testing.T) {
	_, ours := tcpPair(t)
	f, err := ours.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	f.Fd() // which does it
	f.Close()
	c := opened(ours, Options{Role: protocol.Server, MaxFragmentSize: -1})
	spread(t, make([]byte, 32<<20), c)
	end(c)
}
