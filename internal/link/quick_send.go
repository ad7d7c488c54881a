package link

import "github.com/tandemws/tandem/protocol"

// encodeQuickly makes pending a message as most of them are: small, unchanged by
// extensions, and sent when nobody else is sending and no control frame is owed. It
// is to be written by writeQuickly, or held if write is false. If it is not like
// that, done is false and nothing was done.
//
// SendWith's way would do the same in several times as much code, and between
// two messages a server does so much else that hardly any of it is left in the
// processor's caches. c.mu is held.
func (c *Conn) encodeQuickly(l *Limit, m protocol.Message, wanted protocol.Compression) (done, write bool) {
	if c.message.held || c.write.held || len(m.Data) > min(copyLimit, c.maxFragment()) ||
		c.writeErr != nil || c.pinging != pingWritten || c.proto.State() != protocol.Open || c.proto.Owed() ||
		l.Reached() != nil {
		return false, false
	}
	hold := c.proto.Buffered() && c.mayHold(len(m.Data))
	plain, w := false, &c.once
	w.begin, w.received = len(c.pend.buf), c.takeReceived()
	if hold || c.together(len(m.Data)) {
		c.pend.buf, plain = c.proto.AppendPlain(c.pend.borrow(), m.Type, m.Data, wanted)
	} else {
		c.pend.buf, plain = c.proto.AppendPlainHeader(c.pend.borrow(), m.Type, len(m.Data), wanted)
		w.body = m.Data
	}
	if !plain { // the long way will say why
		w.body = nil
		if w.begin == 0 {
			c.pend.release()
		}
		return false, false
	}
	return true, !hold
}

// takeReceived takes the block that the last message came in for what is pending,
// if it is used up and no other is there: it is at hand, and in the processor's
// caches.
func (c *Conn) takeReceived() (taken bool) {
	if c.reader != nobody || c.in.block == nil || c.pend.buf != nil || c.stream != nil || c.proto.Unread() > 0 {
		return false
	}
	c.pend.block, c.pend.buf, c.in.block = c.in.block, c.in.block[:0], nil
	return true
}

// writeQuickly writes what is pending, at the end of which is a message of this
// type. Both tokens are free, and held meanwhile.
func (c *Conn) writeQuickly(l *Limit, typ protocol.MessageType) (err error) {
	c.message.held, c.write.held = true, true
	w := &c.once
	w.frame, w.block, w.n, c.pend = c.pend.buf, c.pend.block, 0, pending{}
	c.unlock()
	ok, err := c.tr().writeOnce(w)
	c.lock()
	return c.settleQuickly(l, typ, w, ok, err)
}

// settleQuickly settles what was written of w, and lets go of both tokens. ok and err
// are the transport's. It is not inlined, for the sake of the stack.
//
//go:noinline
func (c *Conn) settleQuickly(l *Limit, typ protocol.MessageType, w *once, ok bool, err error) error {
	if ok && err == nil && w.n == len(w.frame)+len(w.body) {
		c.pingWrote(int64(w.n), true)
		c.keepBlock(w)
	} else {
		err = c.finishQuickly(l, typ, w, err)
	}
	w.frame, w.body, w.block = nil, nil, nil
	if c.write.first == nil && c.message.first == nil && !c.pending() {
		c.write.held, c.message.held = false, false
		return err
	}
	c.releaseWrite()
	c.message.release()
	return err
}

// finishQuickly goes on, in SendWith's way, when not all could be written at
// once, or the transport only writes in a way that waits.
func (c *Conn) finishQuickly(l *Limit, typ protocol.MessageType, w *once, err error) error {
	if l != nil {
		c.send.limit = *l
	}
	c.send.own = span{begin: w.begin, end: len(w.frame) + len(w.body)}
	c.send.own.header.Opcode = protocol.Opcode(typ) // a whole message's; see UndoFrame
	c.out.begin(w.frame, w.body)
	if err == nil {
		c.out.wrote(w.n)
	}
	err = c.transmitWaiting(&c.send.limit, w.block, err)
	if err != nil {
		err = c.unsent(err)
	}
	c.send = sender{}
	return err
}
