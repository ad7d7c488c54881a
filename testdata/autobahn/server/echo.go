package main

import (
	"log"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/keepalive"
)

// serve serves until a listener fails. Messages are as long as the suite
// likes, and there are no pings that it does not expect.
func serve(f face.Face, addr string) error {
	server, err := f.Serve(echo, addr, &face.Options{
		Keepalive:      keepalive.Config{Interval: -1},
		MaxMessageSize: -1,
	})
	if err != nil {
		return err
	}
	log.Print("listening on ", server.Addr())
	return server.Wait()
}

// echo sends back what it receives. How the suite ends a connection is its
// business: to break the protocol is what it is for.
func echo(conn face.Conn) error {
	for {
		m, err := conn.Recv(0)
		if err != nil {
			return nil
		}
		if err := conn.Send(m, 0); err != nil {
			return nil
		}
	}
}
