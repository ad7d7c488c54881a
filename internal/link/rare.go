package link

import (
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// rare is what few connections need. It is guarded by Conn.mu.
type rare struct {
	id         [16]byte            // see ID; zero until asked for
	ended      chan struct{}       // closed when the transport is; nil until asked for
	limit      Limit               // of the receive call; see recvLimit
	readWatch  watch               // interrupts a read when a context ends
	writeWatch watch               // interrupts a write when a context ends
	heart      *heart              // sends heartbeats in place of pings; nil: pings are sent
	beatEnd    int64               // Conn.taken when the latest heartbeat had left
	enforcer   *keepalive.Enforcer // watches the peer's pings; nil: nothing does
	first      *lazyTimer          // bounds the wait for it; nil: nothing does, or it has come
	audience   *audience           // who is told of keepalive; nil: nobody
	paused     time.Duration       // for how long reading stood still in all, before desk.pausedAt
	maxMessage int64               // in place of what the options say; 0: that
	remains    *remains            // once the connection has ended
}

// rarely returns it.
func (c *Conn) rarely() *rare {
	if c.rare == nil {
		c.rare = new(rare)
	}
	return c.rare
}
