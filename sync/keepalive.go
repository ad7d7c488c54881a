package sync

import (
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// ticking is a connection's place on the thread that runs its keepalive.
type ticking struct {
	keepalive.Entry // Wake and Stop
	conn            *Conn
	thread          *keepalive.Thread
}

// keepAlive begins the schedule. Without keepalive the thread has nothing to
// do with the connection.
func (c *Conn) keepAlive(thread *keepalive.Thread) {
	c.ticking.conn, c.ticking.thread = c, thread
	c.link.StartKeepalive(&c.ticking)
}

// Start registers the connection with the thread.
func (t *ticking) Start(first time.Time) {
	t.thread.Add(&t.Entry, &t.conn.link, first)
}
