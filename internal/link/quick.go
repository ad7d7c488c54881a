package link

import "github.com/tandemws/tandem/protocol"

// sendQuickly sends, or holds, a message as most of them are: small, unchanged
// by extensions, and sent when nobody else is sending and no control frame is
// owed. If it is not like that, done is false and nothing was done.
//
// SendWith's way would do the same in several times as much code, and between
// two messages a server does so much else that hardly any of it is left in the
// processor's caches. c.mu is held.
func (c *Conn) sendQuickly(l *Limit, m protocol.Message) (done bool, err error) {
	if c.message.held || c.write.held || len(c.opts.Extensions) > 0 || len(m.Data) > min(copyLimit, c.maxFragment()) ||
		c.writeErr != nil || c.proto.Owed() || l.Reached() != nil {
		return false, nil
	}
	hold := c.proto.Buffered() && c.mayHold(len(m.Data))
	buf := c.pend.borrow()
	c.pend.buf, err = c.proto.AppendFragment(buf, m.Type, true, m.Data)
	switch {
	case err != nil:
		return false, nil // the long way will say why
	case hold:
		c.startBackstop()
	default:
		err = c.writeQuickly(l, m.Type, span{begin: len(buf), end: len(c.pend.buf)})
	}
	return true, err
}

// writeQuickly writes what is pending. own is a message's place in it; both
// tokens are free, and held meanwhile.
func (c *Conn) writeQuickly(l *Limit, typ protocol.MessageType, own span) (err error) {
	c.message.held, c.write.held = true, true
	from, done, err := c.transmitNow()
	if !done {
		err = c.finishQuickly(l, typ, own, from, err)
	}
	c.releaseWrite()
	c.message.release()
	return err
}

// finishQuickly goes on, in SendWith's way, when not all could be written at
// once.
func (c *Conn) finishQuickly(l *Limit, typ protocol.MessageType, own span, from *block, err error) error {
	own.header.Opcode = protocol.Opcode(typ) // a whole message's; see UndoFrame
	c.send.own = own
	if l != nil {
		c.send.limit = *l
	}
	err = c.transmitWaiting(&c.send.limit, from, err)
	if err != nil {
		err = c.unsent(err)
	}
	c.send = sender{}
	return err
}
