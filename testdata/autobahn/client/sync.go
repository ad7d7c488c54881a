package main

import (
	"github.com/tandemws/tandem/keepalive"
	wssync "github.com/tandemws/tandem/sync"
)

// connectSync connects with package sync. Messages are as long as the suite
// likes, and there are no pings that it does not expect.
func connectSync(url string) (*wssync.ClientConn, error) {
	return wssync.Connect(url, &wssync.ClientOptions{
		Keepalive:      keepalive.Config{Interval: -1},
		MaxMessageSize: -1,
	})
}

func askSync(url string) (string, error) {
	conn, err := connectSync(url)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	m, err := conn.Recv()
	return string(m.Data), err
}

// echoSync only fails when it cannot connect. How the suite ends a connection
// is its business: to break the protocol is what it is for.
func echoSync(url string) error {
	conn, err := connectSync(url)
	if err != nil {
		return err
	}
	defer conn.Close()
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
