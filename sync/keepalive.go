package sync

import (
	"time"

	"github.com/tandemws/tandem/protocol"
)

// ticking is a connection as the runner of its keepalive: its place on the
// thread. As a type of its own it keeps the methods out of Conn's.
type ticking Conn

// Start registers the connection with the thread. Without keepalive the thread
// has nothing to do with the connection.
func (t *ticking) Start(first time.Time) {
	t.link.Options().Thread.Add(&t.entry, &t.link, first)
}

// Wake has the schedule looked at again.
func (t *ticking) Wake() { t.entry.Wake() }

// Stop ends the registration.
func (t *ticking) Stop() { t.entry.Stop() }

// Ended does nothing: what waits for the end of the connection asks for Done.
func (t *ticking) Ended(*protocol.CloseError) {}
