package link

import "github.com/tandemws/tandem/protocol"

// sendQuickly sends, or holds, a message as most of them are: small, unchanged
// by extensions, and sent when nobody else is sending and no control frame is
// owed. If it is not like that, done is false and nothing was done.
//
// SendWith's way would do the same in several times as much code, and between
// two messages a server does so much else that hardly any of it is left in the
// processor's caches. c.mu is held.
func (c *Conn) sendQuickly(l *Limit, m protocol.Message, wanted protocol.Compression) (done bool, err error) {
	if c.message.held || c.write.held || len(m.Data) > min(copyLimit, c.maxFragment()) ||
		c.writeErr != nil || c.proto.State() != protocol.Open || c.proto.Owed() || l.Reached() != nil {
		return false, nil
	}
	c.send.frame.typ, c.send.frame.data = m.Type, m.Data
	if l != nil {
		c.send.limit = *l
	}
	switch done = c.encodeQuickly(wanted); {
	case !done: // the long way will say why
	case c.send.frame.hold:
		c.startBackstop()
	default:
		err = c.writeQuickly()
	}
	c.send = sender{}
	return done, err
}

// encodeQuickly encodes c.send.frame, a whole message, and says whether it is to
// be held.
func (c *Conn) encodeQuickly(wanted protocol.Compression) (ok bool) {
	f, own := &c.send.frame, &c.send.own
	f.hold = c.proto.Buffered() && c.mayHold(len(f.data))
	if !f.hold && len(f.data) > c.togetherLimit() {
		return false
	}
	buf := c.pend.borrow()
	own.begin = len(buf)
	buf, ok = c.proto.AppendPlain(buf, f.typ, f.data, wanted)
	c.pend.buf, own.end = buf, len(buf)
	if len(buf) == 0 {
		c.pend.release()
	}
	return ok
}

// writeQuickly writes what is pending. Both tokens are free, and held meanwhile.
func (c *Conn) writeQuickly() (err error) {
	c.message.held, c.write.held = true, true
	from, done, err := c.transmitNow()
	if !done {
		err = c.finishQuickly(from, err)
	}
	c.releaseWrite()
	c.message.release()
	return err
}

// finishQuickly goes on, in SendWith's way, when not all could be written at
// once.
func (c *Conn) finishQuickly(from *block, err error) error {
	c.send.own.header.Opcode = protocol.Opcode(c.send.frame.typ) // a whole message's; see UndoFrame
	err = c.transmitWaiting(&c.send.limit, from, err)
	if err != nil {
		err = c.unsent(err)
	}
	return err
}
