package peers

import (
	"fmt"
	"net"
	"net/http"
)

// A Setup is what a server is to be. The zero value echoes messages.
type Setup struct {
	Deflate  bool // negotiate permessage-deflate
	Takeover bool // with context takeover, where the library has it
	TLS      bool

	Broadcast bool // send what one connection sends to all of them
	Conns     int  // how many connections that will be
	Size      int  // of the messages, for a server without framing
}

// servers start on loopback and return their addresses.
var servers = map[string]func(Setup) net.Addr{
	"raw":            raw,
	"sync":           syncAppend,
	"sync-recv":      syncRecv,
	"sync-release":   syncRelease,
	"sync-stream":    syncStream,
	"async":          asyncAppend,
	"async-recv":     asyncRecv,
	"async-release":  asyncRelease,
	"async-stream":   asyncStream,
	"gorilla":        gorilla,
	"gorilla-stream": gorillaStream,
	"coder":          coder,
	"gobwas":         gobwas,
	"gobwas-plain":   gobwasPlain,
	"gws":            gwsServer,
	"gws-kept":       gwsKept,
}

// Start starts the named server and returns its address.
func Start(name string, setup Setup) (string, error) {
	start, ok := servers[name]
	if setup.Broadcast {
		start, ok = broadcasters[name]
	}
	if !ok {
		return "", fmt.Errorf("no server is called %q", name)
	}
	return start(setup).String(), nil
}

// serve calls handle for each connection, with TLS if the setup says so.
func serve(setup Setup, handle func(net.Conn)) net.Addr {
	listener := listen(setup)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				panic(err) // nobody closes it
			}
			go handle(conn)
		}
	}()
	return listener.Addr()
}

// serveHTTP calls handle for each request.
func serveHTTP(setup Setup, handle http.HandlerFunc) net.Addr {
	listener := listen(setup)
	go func() { panic(http.Serve(listener, handle)) }()
	return listener.Addr()
}
