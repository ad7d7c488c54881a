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
	return DialEach(addr, conns, func(int, net.Conn) (*Script, error) { return script, nil })
}

// DialEach returns a group of connections for each of which begin returns the
// script. If it is one of frames and begin did not do the opening handshake, it
// is done.
func DialEach(addr string, conns int, begin func(i int, nc net.Conn) (*Script, error)) (*Group, error) {
	g, err := NewGroup()
	if err != nil {
		return nil, err
	}
	for i := range conns {
		if err := g.dial(addr, i, begin); err != nil {
			g.Close()
			return nil, err
		}
	}
	return g, nil
}

func (g *Group) dial(addr string, i int, begin func(i int, nc net.Conn) (*Script, error)) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	script, err := begin(i, nc)
	if err == nil && script.Framed && !script.Upgraded {
		_, err = Upgrade(nc, "")
	}
	if err != nil {
		nc.Close()
		return err
	}
	return g.Add(nc, script)
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
