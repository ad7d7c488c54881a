package link

import "sync"

// A desk is what a connection writes at: the frame that is being sent, what is
// pending, and what is being written. It is borrowed for as long as there is
// any of that, so that an idle connection has none. It is guarded by Conn.mu,
// but for out, which is the write token holder's.
type desk struct {
	send sender
	pend pending
	out  output
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// sit makes sure that there is a desk. Who calls it holds a token.
func (c *Conn) sit() {
	if c.desk == nil {
		c.desk = desks.Get().(*desk)
		c.out.start = c.start
	}
}

// leave gives the desk back if nobody needs it any more: nothing is pending,
// and nobody sends or writes.
func (c *Conn) leave() {
	if c.desk == nil || c.message.held || c.write.held || len(c.pend.buf) > 0 {
		return
	}
	desks.Put(c.desk)
	c.desk = nil
}

// unwritten returns how many bytes are pending.
func (c *Conn) unwritten() int {
	if c.desk == nil {
		return 0
	}
	return len(c.pend.buf)
}

// dropPending lets go of what nobody will write.
func (c *Conn) dropPending() {
	if c.desk != nil {
		c.pend.release()
	}
}
