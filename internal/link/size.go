package link

import "github.com/tandemws/tandem/protocol"

// SetMaxMessageSize changes the size of the largest message that is accepted.
func (c *Conn) SetMaxMessageSize(n int64) {
	if n == 0 {
		n = protocol.DefaultMaxMessageSize
	}
	c.lock()
	defer c.unlock()
	c.rarely().maxMessage = n
	c.proto.SetMaxMessageSize(n)
}
