package main

import (
	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/keepalive"
)

// connect allows for messages as long as the suite likes, and sends no pings
// that it does not expect.
func connect(f face.Face, url string) (face.Conn, error) {
	return f.Connect(url, &face.Options{
		Keepalive:      keepalive.Config{Interval: -1},
		MaxMessageSize: -1,
	})
}

// ask returns the one message that comes from a URL.
func ask(f face.Face, url string) (string, error) {
	conn, err := connect(f, url)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	m, err := conn.Recv(0)
	return string(m.Data), err
}

// echo sends all messages of a URL back, and only fails when it cannot
// connect. How the suite ends a connection is its business: to break the
// protocol is what it is for, and it does so in time.
func echo(f face.Face, url string) error {
	conn, err := connect(f, url)
	if err != nil {
		return err
	}
	defer conn.Close()
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
