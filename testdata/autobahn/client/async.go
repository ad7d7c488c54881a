package main

import (
	"context"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
)

// connectAsync connects with package async, as connectSync does with sync.
func connectAsync(url string) (*wsasync.ClientConn, error) {
	return wsasync.Connect(context.Background(), url, &wsasync.ClientOptions{
		Keepalive:      keepalive.Config{Interval: -1},
		MaxMessageSize: -1,
	})
}

func askAsync(url string) (string, error) {
	conn, err := connectAsync(url)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	m, err := conn.Recv(context.Background())
	return string(m.Data), err
}

// echoAsync only fails when it cannot connect.
func echoAsync(url string) error {
	conn, err := connectAsync(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx := context.Background() // the suite ends each connection, in time
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
