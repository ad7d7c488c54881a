package sync

import (
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// ticking is a connection as the runner of its keepalive: its place on the
// thread. As a type of its own it keeps the methods out of Conn's.
type ticking Conn

// keepAlive begins the schedule. Without keepalive the thread has nothing to
// do with the connection.
func (c *Conn) keepAlive(thread *keepalive.Thread) {
	c.thread = thread
	c.link.StartKeepalive((*ticking)(c))
}

// Start registers the connection with the thread.
func (t *ticking) Start(first time.Time) { t.thread.Add(&t.entry, &t.link, first) }

// Wake has the schedule looked at again.
func (t *ticking) Wake() { t.entry.Wake() }

// Stop ends the registration.
func (t *ticking) Stop() { t.entry.Stop() }
