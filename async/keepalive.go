package async

import (
	"time"

	"github.com/tandemws/tandem/protocol"
)

// ticking is a connection as the runner of its keepalive: a timer. As a type of
// its own it keeps the methods out of Conn's.
type ticking Conn

// Start sets the timer. Without keepalive there is none. It belongs to the
// connection's context: both end with the connection.
func (t *ticking) Start(first time.Time) { t.timer.Start(&t.link, first) }

// Wake has the schedule looked at again.
func (t *ticking) Wake() { t.timer.Wake() }

// Stop stops the timer.
func (t *ticking) Stop() { t.timer.Stop() }

// Ended ends the connection's context, now or when it is made.
func (t *ticking) Ended(how *protocol.CloseError) {
	t.ended.Store(how)
	if made := t.made.Load(); made != nil {
		made.cancel(how)
	}
}
