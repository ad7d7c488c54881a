package network

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/rig/face"
	"github.com/tandemws/tandem/keepalive"
)

// pair connects the network's client to its server, and returns both ends of
// the connection when messages have gone each way.
func (n *Network) pair(t *testing.T, client, server face.Face, config keepalive.Config) (c, s *face.End) {
	t.Helper()
	opts := face.Options{Keepalive: config, CloseTimeout: time.Second}
	opts.Listener = n.Server.Listen(t)
	acceptor := face.Accept(t, server, opts)
	port := acceptor.Addr().(*net.TCPAddr).Port
	opts.DialContext = n.Client.DialContext
	conn := face.Dial(t, client, fmt.Sprintf("ws://%s:%d/", ServerAddr, port), opts)
	c = face.Attend("client", conn)
	s = face.Attend("server", acceptor.Next(t))
	face.Alive(t, c, s)
	return c, s
}

// forFaces runs test for each pair of faces, at the same time.
func forFaces(t *testing.T, test func(t *testing.T, client, server face.Face)) {
	for _, client := range face.Both {
		for _, server := range face.Both {
			t.Run(client.Name+" to "+server.Name, func(t *testing.T) {
				t.Parallel()
				test(t, client, server)
			})
		}
	}
}
