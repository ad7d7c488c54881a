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

// run is how a group runs for a time.
type run func(*load.Group, time.Duration) (*load.Result, error)

// echo measures the server's CPU time per message and the latency.
func echo(c Case, name string, duration time.Duration) (Round, error) {
	server, err := startServer(name, peers.Setup{})
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	script := load.Echo(c.Size, c.Depth, server.framed)
	same := func(int, net.Conn) (*load.Script, error) { return script, nil }
	return loaded(server, c.Conns, same, (*load.Group).Run, duration)
}

// deflate is like echo for compressed messages. Each connection says what was
// agreed on for it allows.
func deflate(c Case, name string, duration time.Duration) (Round, error) {
	server, err := startServer(name, peers.Setup{Deflate: true, Takeover: c.Takeover})
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	return loaded(server, c.Conns, deflating(c.Size, c.Takeover), (*load.Group).Run, duration)
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

// broadcast measures the server's CPU time per message that it sends, and how
// long it takes until all have one.
func broadcast(c Case, name string, duration time.Duration) (Round, error) {
	server, err := startServer(name, peers.Setup{Broadcast: true, Conns: c.Conns, Size: c.Size})
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	speaker, listener := load.Echo(c.Size, 1, server.framed), load.Listens(c.Size, server.framed)
	begin := func(i int, _ net.Conn) (*load.Script, error) {
		if i == 0 {
			return speaker, nil
		}
		return listener, nil
	}
	return loaded(server, c.Conns, begin, (*load.Group).RunTogether, duration)
}

// loaded measures a server under load.
func loaded(server *server, conns int, begin begin, run run, duration time.Duration) (Round, error) {
	group, err := load.DialEach(server.addr, conns, begin)
	if err != nil {
		return nil, err
	}
	defer group.Close()
	if _, err := run(group, duration/4); err != nil {
		return nil, err
	}
	before, err := server.CPU()
	if err != nil {
		return nil, err
	}
	result, err := run(group, duration)
	if err != nil {
		return nil, err
	}
	after, err := server.CPU()
	return Round{
		CPU:  float64(after-before) / float64(result.Messages),
		P50:  float64(result.Quantile(0.5)),
		P99:  float64(result.Quantile(0.99)),
		Wire: float64(result.Bytes) / float64(result.Messages),
	}, err
}
