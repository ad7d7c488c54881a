package link

import "github.com/tandemws/tandem/protocol"

// expectMessage fails the connection if the beginning of a message does not
// come in time.
func (c *Conn) expectMessage() {
	if d := c.opts.FirstMessage; d > 0 {
		c.rarely().first = new(lazyTimer)
		c.rare.first.start(c, d, (*Conn).tooLate)
	}
}

// hear notes that a message has come, or that none is expected any more.
func (c *Conn) hear() {
	if c.rare != nil && c.rare.first != nil {
		c.rare.first.stop()
		c.rare.first = nil
	}
}

// tooLate: the time is over. A message that has begun to arrive may take longer,
// and what nobody has looked at yet is looked at first.
func (c *Conn) tooLate() {
	if c.reader == nobody && c.receiving == notReceiving {
		c.await(After(gracePeriod), c.heard)
	}
	if !c.heard() && c.proto.State() == protocol.Open {
		c.fail(protocol.PolicyViolation, "no message in time", ErrFirstMessageTimeout)
	}
}

// heard reports whether the first message has begun to arrive.
func (c *Conn) heard() bool { return c.rare.first == nil || c.proto.Begun() }
