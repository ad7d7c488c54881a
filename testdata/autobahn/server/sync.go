package main

import (
	"log"

	"github.com/tandemws/tandem/keepalive"
	wssync "github.com/tandemws/tandem/sync"
)

// serveSync serves with package sync. Messages are as long as the suite likes,
// and there are no pings that it does not expect.
func serveSync(addr string) error {
	server, err := wssync.Serve(echoSync, addr, &wssync.ServerOptions{
		Keepalive:      keepalive.Config{Interval: -1},
		MaxMessageSize: -1,
	})
	if err != nil {
		return err
	}
	log.Print("listening on ", server.Addr())
	return server.Wait()
}

// echoSync sends back what it receives. How the suite ends a connection is its
// business: to break the protocol is what it is for.
func echoSync(conn *wssync.ServerConn) error {
	for {
		m, err := conn.Recv()
		if err != nil {
			return nil
		}
		if err := conn.Send(m); err != nil {
			return nil
		}
	}
}
