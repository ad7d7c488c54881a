package link

import "github.com/tandemws/tandem/protocol"

// Requests that come together are a batch: they are read at once, and their answers
// leave at once. As long as each is a simple message the connection stays calm, though
// two things of the batch are at the desk, where the batch keeps them in the
// processor's caches: what was read and not looked at, and the answers that are held.
// The protocol knows nothing of either; of the first it is told when something stirs.
//
// Between two messages of a batch there is no system call, so what is looked at for
// each is most of what it costs.

func (c *Conn) inBatch() bool { return c.mood&inBatch != 0 }

// hasMore reports that more of the batch is here, which begins with a simple message
// unless the calm is just ending. Nobody is receiving it: a receive call that waits has
// ended the batch.
func (c *Conn) hasMore() bool { return c.inBatch() && len(c.more) > 0 }

// takeNext appends the next message of a batch that hasMore to c.dst. There is nothing else
// that a receive call has to see to: the connection is calm, and the batch's first message
// was heard. If it cannot be taken so typ is 0, and it is left for the long way. c.mu is
// held, and let go of if the message was taken.
//
//go:noinline
func (c *Conn) takeNext(l *Limit, how receiveKind) (typ protocol.MessageType, data []byte) {
	if l.Reached() != nil {
		c.dst = nil
		return 0, nil
	}
	switch {
	case how == receivingMessage:
		c.makeMemory(c.moreLength)
	case !c.hasRoom(c.moreLength):
		c.growRoom(c.moreLength) // here, where the stack is not yet deep
	}
	typ, data, rest := c.essence().AppendMeasured(c.dst, c.more, c.moreHeader, c.moreLength)
	c.dst = nil
	switch {
	case typ != 0:
		c.keepMore(rest)
		c.goOnGrace()
		c.mu.Unlock() // unlock would stay at the desk: it is open, and nobody reads
	case how == receivingMessage:
		released.Return(data) // what was lent, for nothing was appended
	}
	return typ, data
}

// keepMore keeps the rest of what was read, behind the message that was taken, for the
// next receive call.
func (c *Conn) keepMore(rest []byte) {
	switch {
	case len(rest) == 0 && !c.inBatch(): // as after most messages, which came alone
	case !c.isCalm():
		c.tellProtocol(rest)
	default:
		c.more, c.mood = rest, c.mood|inBatch
		if len(rest) == 0 {
			return
		}
		if c.moreHeader, c.moreLength = c.essence().Measure(rest); c.moreHeader == 0 {
			c.stir()
		}
	}
}

// tellProtocol hands over what was read and not looked at.
func (c *Conn) tellProtocol(rest []byte) {
	c.proto.Paused(c.pausedBefore())
	c.proto.Received(c.lastByte(), 0, rest)
}

// endBatch ends the batch when all of it was taken. If answers are held, that ends the
// calm too: they leave before anybody waits.
func (c *Conn) endBatch() {
	if len(c.pend.buf) > 0 {
		c.stir()
	}
	c.mood &^= inBatch
}

// holdsCalmly reports that a message of n bytes, an answer perhaps, is to be held because
// more of the batch is here to be answered.
func (c *Conn) holdsCalmly(n int) bool {
	return c.hasMore() && c.opts.Hold >= 0 && len(c.pend.buf)+n <= holdLimit
}

// holdCalmly holds a message that sendsCalmly. c.mu is held, and let go of.
func (c *Conn) holdCalmly(m protocol.Message) {
	buf := c.essence().AppendPlainHeader(c.pend.borrow(), m.Type, len(m.Data))
	c.pend.buf = c.appendPayload(buf, m.Data)
	c.mu.Unlock() // as in takeNext
}

// takeHeld has w encoded behind what is held.
func (c *Conn) takeHeld(w *once) {
	w.frame, w.block, w.begin = c.pend.buf, c.pend.block, len(c.pend.buf)
	c.pend.buf, c.pend.block = nil, nil
}
