//go:build linux

package load

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Dial returns a group of connections to a server, with the same script each.
func Dial(addr string, conns int, script *Script) (*Group, error) {
	g, err := NewGroup()
	if err != nil {
		return nil, err
	}
	for range conns {
		nc, err := net.Dial("tcp", addr)
		if err == nil && script.Framed {
			_, err = Upgrade(nc, "")
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

// Upgrade does the opening handshake, with further lines of the header if there
// are any, and returns the response.
func Upgrade(nc io.ReadWriter, header string) (*http.Response, error) {
	_, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"+header+"\r\n")
	if err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("opening handshake: %s", resp.Status)
	}
	return resp, err
}
