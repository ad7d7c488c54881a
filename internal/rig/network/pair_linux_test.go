package network

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/internal/suite"
	"github.com/tandemws/tandem/keepalive"
)

// pair connects the network's client to its server, and returns both ends of
// the connection when messages have gone each way.
func (n *Network) pair(t *testing.T, client, server face.Face, config keepalive.Config) (c, s *witness.End) {
	t.Helper()
	conn, accepted := n.connect(t, client, server, config, config)
	c, s = witness.Attend("client", conn), witness.Attend("server", accepted)
	witness.Alive(t, c, s)
	return c, s
}

// connect is pair with a configuration for each end, and nobody that receives.
func (n *Network) connect(t *testing.T, client, server face.Face, ofClient, ofServer keepalive.Config) (c, s face.Conn) {
	t.Helper()
	opts := face.Options{CloseTimeout: time.Second, MaxMessageSize: 8 << 20}
	scheme, trusting := "ws", (*tls.Config)(nil)
	if n.Secure {
		scheme = "wss"
		opts.TLS, trusting = suite.Certificate(t)
	}
	opts.Keepalive, opts.Listener = ofServer, n.Server.Listen(t)
	acceptor := witness.Accept(t, server, opts)
	port := acceptor.Addr().(*net.TCPAddr).Port
	opts.Keepalive, opts.Dial, opts.TLS = ofClient, n.Client.DialContext, trusting
	c = witness.Dial(t, client, fmt.Sprintf("%s://%s:%d/", scheme, ServerAddr, port), opts)
	return c, acceptor.Next(t)
}

// forFaces runs test for each pair of faces, at the same time.
func forFaces(t *testing.T, test func(t *testing.T, client, server face.Face)) {
	for _, client := range face.Both {
		for _, server := range face.Both {
			t.Run(client.Name()+" to "+server.Name(), func(t *testing.T) {
				t.Parallel()
				test(t, client, server)
			})
		}
	}
}
