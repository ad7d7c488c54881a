package async

import (
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// pinger is the goroutine that runs a connection's keepalive.
type pinger struct {
	conn *Conn
	wake chan struct{} // holds one value
}

// keepAlive begins the schedule. Without keepalive there is no goroutine.
func (c *Conn) keepAlive() {
	c.pinger.conn = c
	c.link.StartKeepalive(&c.pinger)
}

// Start starts the goroutine. It ends with the connection's context, which the
// connection cancels when it ends.
func (p *pinger) Start(time.Time) {
	p.wake = make(chan struct{}, 1)
	go keepalive.Run(p.conn.ctx, &p.conn.link, p.wake)
}

// Wake has the schedule looked at again.
func (p *pinger) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Stop needs to do nothing: the goroutine ends with the context.
func (p *pinger) Stop() {}
