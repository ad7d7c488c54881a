package main

import (
	"context"
	"log"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
)

// serveAsync serves with package async, as serveSync does with sync.
func serveAsync(addr string) error {
	server, err := wsasync.Serve(context.Background(), echoAsync, addr, &wsasync.ServerOptions{
		Keepalive:      keepalive.Config{Interval: -1},
		MaxMessageSize: -1,
	})
	if err != nil {
		return err
	}
	log.Print("listening on ", server.Addr())
	return server.Wait()
}

// echoAsync sends back what it receives.
func echoAsync(ctx context.Context, conn *wsasync.ServerConn) error {
	for {
		m, err := conn.Recv(ctx)
		if err != nil {
			return nil
		}
		if err := conn.Send(ctx, m); err != nil {
			return nil
		}
	}
}
