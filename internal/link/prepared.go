package link

import (
	"sync"

	"github.com/tandemws/tandem/protocol"
)

// A Prepared is a message that is encoded once for all connections that can
// share what comes of it. It may be sent on many at once.
type Prepared struct {
	mu      sync.Mutex // guards what is made of message; taken with Conn.mu held
	message *protocol.Prepared
	size    int // of the payload
}

// Prepare returns a message, of which it holds a copy, to be sent on many
// connections.
func Prepare(m protocol.Message, wanted protocol.Compression) (*Prepared, error) {
	message, err := protocol.Prepare(m, wanted)
	if err != nil {
		return nil, err
	}
	return &Prepared{message: message, size: len(m.Data)}, nil
}

// SendPrepared sends a prepared message as Send does, but for holding it.
func (c *Conn) SendPrepared(l *Limit, p *Prepared) error {
	c.lock()
	defer c.unlock()
	if _, err := c.beginSend(l, protocol.Message{}, protocol.CompressAuto); err != nil {
		return err
	}
	err := c.write.acquire(c, l)
	if err == nil {
		err = c.ship(l, &shipment{prepared: p})
	} else {
		err = c.left(err)
	}
	c.endSend()
	return err
}

// sendLasting sends a message as Send does, but at the Limit one of which a part
// was written is finished by a goroutine: it is sent, with the Limit's error.
func (c *Conn) sendLasting(l *Limit, m protocol.Message) (sent bool, err error) {
	p, err := Prepare(m, protocol.CompressAuto)
	if err != nil {
		return false, err
	}
	c.lock()
	defer c.unlock()
	if _, err := c.beginSend(l, protocol.Message{}, protocol.CompressAuto); err != nil {
		return false, err
	}
	d := &delivery{shipment: shipment{prepared: p, lasting: true}}
	if _, waits := c.tr().(*netTransport); waits {
		return c.sendUninterrupted(l, d)
	}
	defer c.endLasting()
	if err := c.write.acquire(c, l); err != nil {
		return false, c.left(err)
	}
	for more := true; more && err == nil; {
		more, err = c.shipFrame(l, &d.shipment)
	}
	if err != nil && d.partly && c.sendable() == nil {
		c.finishLater(d)
		return true, err
	}
	c.releaseWrite()
	return err == nil, err
}

// sendUninterrupted leaves the writing to a goroutine from the beginning: TLS, which
// may be in any transport that is not ours, cannot take up a write that the Limit has
// interrupted. The message token is held, and let go of.
func (c *Conn) sendUninterrupted(l *Limit, d *delivery) (sent bool, err error) {
	c.send = sender{} // for it may be another's when we are back
	if err := c.write.acquire(c, l); err != nil {
		c.message.release()
		return false, c.left(err)
	}
	waiting := &caller{done: make(chan struct{})}
	d.caller = waiting
	c.finishLater(d)
	c.unlock()
	late := l.wait(waiting.done)
	c.lock()
	if d.caller == nil { // it is finished
		return waiting.err == nil, waiting.err
	}
	d.caller = nil
	return c.sendable() == nil, c.left(late)
}

// endLasting is endSend, unless a goroutine has taken over the message token.
func (c *Conn) endLasting() {
	c.send = sender{}
	if c.backlog == nil || !c.backlog.finishing {
		c.proto.FrameSent()
		c.message.release()
	}
}

// A shipment is a prepared message on its way.
type shipment struct {
	prepared *Prepared
	begun    bool
	frames   [][]byte // that are left, once begun
	partly   bool     // something of it was written
	lasting  bool     // it is finished although its call leaves
}

// begin has the message encoded, when its place behind all others is certain:
// both tokens are held.
func (s *shipment) begin(c *Conn) (err error) {
	p := s.prepared
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.attempt(func(c *Conn) { s.frames, err = c.proto.BeginPrepared(p.message, c.maxFragment()) }) {
		return c.sendable() // it has failed
	}
	s.begun = err == nil
	return err
}

// next makes the next frame pending, as it is: nobody may change it, and its
// capacity ends with it. ok is false if none is left.
func (s *shipment) next(c *Conn) (ok bool) {
	if len(s.frames) == 0 {
		return false
	}
	c.pend.buf, s.frames = s.frames[0], s.frames[1:]
	return true
}

// ship sends a shipment, or the rest of one of which a part is pending, within
// the Limit. Both tokens are held; the write token is let go of after each
// frame, so that control frames go in between.
func (c *Conn) ship(l *Limit, s *shipment) error {
	for {
		more, err := c.shipFrame(l, s)
		c.releaseWrite()
		if !more || err != nil {
			return err
		}
		if err := c.write.acquire(c, l); err != nil {
			return c.cutShort(err)
		}
	}
}

// shipFrame writes what is pending, and the next frame.
func (c *Conn) shipFrame(l *Limit, s *shipment) (more bool, err error) {
	if err = c.writePending(l); err != nil {
		return false, c.unshipped(s, err)
	}
	if err = c.sendable(); err == nil && !s.begun {
		err = s.begin(c)
	}
	if err != nil {
		return false, err
	}
	if s.next(c) {
		if err = c.transmit(l); err != nil {
			return false, c.unshipped(s, err)
		}
		s.partly = true
	}
	if len(s.frames) == 0 {
		c.proto.FrameSent()
	}
	return len(s.frames) > 0, nil
}

// writePending writes what is held or owed.
func (c *Conn) writePending(l *Limit) error {
	if err := c.appendOwed(); err != nil {
		return err
	}
	return c.transmit(l)
}

// unshipped returns what err, that of a transmit, means for a shipment. One of
// which nothing was written is taken back.
func (c *Conn) unshipped(s *shipment, err error) error {
	switch {
	case c.writeErr != nil:
		return c.sendable()
	case !s.begun:
		return c.left(err)
	case s.lasting && (s.partly || c.out.sent.Load() > 0):
		s.partly = true
		return err
	case s.partly || c.out.sent.Load() > 0:
		return c.cutShort(err)
	}
	c.pend.release() // all that is pending is the first frame
	c.proto.UndoPrepared()
	return c.left(err)
}
