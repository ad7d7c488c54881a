package suite

import (
	"net"
	"sync"
)

// A Gatherer is a connection of which some writes leave together.
type Gatherer struct {
	net.Conn
	mu     sync.Mutex
	writes int // to come, of those
	bytes  []byte
}

// Gather has the next n writes leave with the last of them.
func (g *Gatherer) Gather(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes = n
}

func (g *Gatherer) Write(b []byte) (n int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bytes = append(g.bytes, b...)
	if g.writes--; g.writes <= 0 {
		_, err = g.Conn.Write(g.bytes)
		g.bytes = nil
	}
	return len(b), err
}
