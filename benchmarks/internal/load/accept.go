//go:build linux

package load

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
)

// Accept returns a group of so many connections that come to the listener.
func Accept(listener net.Listener, conns int, script *Script) (*Group, error) {
	g, err := NewGroup()
	if err != nil {
		return nil, err
	}
	for range conns {
		nc, err := listener.Accept()
		if err == nil && script.Framed {
			err = answerUpgrade(nc)
		}
		if err == nil {
			err = g.Add(nc, script)
		}
		if err != nil {
			g.Close()
			return nil, err
		}
	}
	return g, nil
}

// answerUpgrade does the server's part of the opening handshake.
func answerUpgrade(nc net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(nc))
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = fmt.Fprintf(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	return err
}
