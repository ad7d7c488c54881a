//go:build linux

package measure

import (
	"fmt"
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/load"
	"github.com/tandemws/tandem/benchmarks/internal/peers"
)

// Run measures a case in so many rounds, in which each server is under load for
// the duration.
func Run(c Case, rounds int, duration time.Duration) (*Outcome, error) {
	measure := map[Kind]func(Case, string, time.Duration) (Round, error){
		Echo: echo,
		Idle: idle,
	}[c.Kind]
	o := &Outcome{Case: c, Rounds: make(map[string][]Round)}
	for range rounds {
		for _, name := range c.Servers {
			r, err := measure(c, name, duration)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", c.Title(), name, err)
			}
			o.Rounds[name] = append(o.Rounds[name], r)
		}
	}
	return o, nil
}

// echo measures the server's CPU time per message and the latency.
func echo(c Case, name string, duration time.Duration) (Round, error) {
	server, err := startServer(name, peers.Setup{})
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	group, err := load.Dial(server.addr, c.Conns, load.Echo(c.Size, c.Depth, server.framed))
	if err != nil {
		return nil, err
	}
	defer group.Close()
	if _, err := group.Run(duration / 4); err != nil {
		return nil, err
	}
	return loaded(server, group, duration)
}

// loaded measures a server while the group runs.
func loaded(server *server, group *load.Group, duration time.Duration) (Round, error) {
	before, err := server.CPU()
	if err != nil {
		return nil, err
	}
	result, err := group.Run(duration)
	if err != nil {
		return nil, err
	}
	after, err := server.CPU()
	return Round{
		CPU: float64(after-before) / float64(result.Messages),
		P50: float64(result.Quantile(0.5)),
		P99: float64(result.Quantile(0.99)),
	}, err
}

// idle measures the memory of connections, after a message each.
func idle(c Case, name string, _ time.Duration) (Round, error) {
	server, err := startServer(name, peers.Setup{})
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	before, err := server.Memory()
	if err != nil {
		return nil, err
	}
	group, err := load.Dial(server.addr, c.Conns, load.Echo(32, 1, server.framed))
	if err != nil {
		return nil, err
	}
	defer group.Close()
	if _, err := group.Run(0); err != nil {
		return nil, err
	}
	after, err := server.Memory()
	return Round{Memory: float64(after-before) / float64(c.Conns)}, err
}
