//go:build linux

package measure

import (
	"net"
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/load"
	"github.com/tandemws/tandem/benchmarks/internal/peers"
)

// A begin is what a connection of the load starts with; see [load.DialEach].
type begin func(i int, nc net.Conn) (*load.Script, error)

// An echoing is a server under load; what counts is its CPU time per message that
// it sends, and the latency.
type echoing struct {
	server *server
	group  *load.Group
	run    func(*load.Group, time.Duration) (*load.Result, error)
}

func (e *echoing) turn(d time.Duration) (sample, error) {
	return clock(e.server.CPU).time(func() (*load.Result, error) { return e.run(e.group, d) })
}

func (e *echoing) stop() {
	e.group.Close()
	e.server.Stop()
}

func startEcho(c Case, name string) (subject, error) {
	return startLoaded(c, name, peers.Setup{}, (*load.Group).Run, func(framed bool) begin {
		script := load.Echo(c.Size, c.Depth, framed)
		return func(int, net.Conn) (*load.Script, error) { return script, nil }
	})
}

// startDeflate is like startEcho for compressed messages. Each connection says what
// was agreed on for it allows.
func startDeflate(c Case, name string) (subject, error) {
	return startLoaded(c, name, peers.Setup{Deflate: true, Takeover: c.Takeover}, (*load.Group).Run, func(bool) begin {
		return deflating(c.Size, c.Takeover)
	})
}

// startBroadcast begins a server that sends each message to all connections. An
// exchange is over when all have one.
func startBroadcast(c Case, name string) (subject, error) {
	setup := peers.Setup{Broadcast: true, Conns: c.Conns, Size: c.Size}
	return startLoaded(c, name, setup, (*load.Group).RunTogether, func(framed bool) begin {
		speaker, listener := load.Echo(c.Size, 1, framed), load.Listens(c.Size, framed)
		return func(i int, _ net.Conn) (*load.Script, error) {
			if i == 0 {
				return speaker, nil
			}
			return listener, nil
		}
	})
}

func startLoaded(c Case, name string, setup peers.Setup, run func(*load.Group, time.Duration) (*load.Result, error), begins func(framed bool) begin) (subject, error) {
	server, err := startServer(name, setup)
	if err != nil {
		return nil, err
	}
	group, err := load.DialEach(server.addr, c.Conns, begins(server.framed))
	if err != nil {
		server.Stop()
		return nil, err
	}
	return &echoing{server, group, run}, nil
}

// deflating agrees on compression. All connections get the same answer, so they
// share a script.
func deflating(size int, takeover bool) begin {
	var script *load.Script
	return func(_ int, nc net.Conn) (*load.Script, error) {
		resp, err := load.Upgrade(nc, load.Offer(takeover))
		if err != nil || script != nil {
			return script, err
		}
		agreed, err := load.ReadAgreed(resp)
		if err == nil {
			script, err = load.Deflated(size, agreed)
		}
		return script, err
	}
}
