package main

import (
	"context"
	"hash/crc32"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
)

// largePath is where the server sends a large message.
const largePath = "/large"

// A demoServer serves the demo's clients.
type demoServer struct {
	*wsasync.Server
	large []byte // what it sends at largePath
}

// startDemoServer starts a server with a large message of that many bytes.
//
// It sends no pings, so that all that can be seen is the clients' doing. It
// sends the message in one frame, so that no pong can pass it, whatever the
// system's buffers hold.
func startDemoServer(large int) (*demoServer, error) {
	s := &demoServer{large: largeMessage(large)}
	server, err := wsasync.Serve(context.Background(), s.serve, "127.0.0.1:0", &wsasync.ServerOptions{
		Keepalive:       keepalive.Config{Interval: -1},
		MaxFragmentSize: -1,
		CloseTimeout:    time.Second,
	})
	if err != nil {
		return nil, err
	}
	s.Server = server
	return s, nil
}

// largeMessage returns n bytes that are not all the same.
func largeMessage(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}

// sum returns the checksum of the large message.
func (s *demoServer) sum() uint32 { return crc32.ChecksumIEEE(s.large) }

// serve sends the large message to who asks for it, and waits for the end.
func (s *demoServer) serve(ctx context.Context, conn *wsasync.ServerConn) error {
	if conn.Path() == largePath {
		if err := conn.SendBinary(ctx, s.large); err != nil {
			return err
		}
	}
	_, err := conn.Recv(ctx) // nobody sends anything: this waits for the end
	return err
}

func (s *demoServer) close() {
	if s != nil {
		s.Close()
	}
}
