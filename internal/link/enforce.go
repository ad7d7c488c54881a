package link

import (
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// pinged looks whether the peer pings too often. It costs memory only where
// there is a rule.
func (c *Conn) pinged() {
	if c.opts.Enforcement.MinInterval <= 0 {
		return
	}
	if err := c.enforcer().Ping(c.lastByte(), c.opts.Enforcement); err != nil {
		c.failNow(protocol.PolicyViolation, "too many pings", err)
	}
}

// enforcer returns what watches the peer's pings.
func (c *Conn) enforcer() *keepalive.Enforcer {
	r := c.rarely()
	if r.enforcer == nil {
		r.enforcer = new(keepalive.Enforcer)
		r.enforcer.Start(c.start())
	}
	return r.enforcer
}

// excuse notes for how long reading was paused: that pings which have come
// meanwhile are read soon after each other is no fault of the peer's.
func (c *Conn) excuse(stood time.Duration) {
	if c.opts.Enforcement.MinInterval > 0 {
		c.enforcer().Paused(stood)
	}
}
