package link

import (
	"fmt"
	"time"
	"unsafe"
)

// pending is what was encoded and is to be written next, in a borrowed block.
type pending struct {
	buf   []byte
	block *block
	body  []byte // to be written behind buf, from where the caller has it
}

// borrow returns the bytes for appending to; the caller stores them back.
func (p *pending) borrow() []byte {
	if p.buf == nil {
		p.block = borrowBlock(p.place())
		p.buf = p.block[:0]
	}
	return p.buf
}

func (p *pending) place() place { return placeOf(unsafe.Pointer(p)) }

// release gives the block back.
func (p *pending) release() {
	p.block.giveBack(p.place())
	*p = pending{}
}

// putBack makes the rest of what was to be written pending again, before what
// has become pending meanwhile.
func (p *pending) putBack(rest []byte, from *block) {
	if p.buf == nil {
		p.buf, p.block = rest, from
		return
	}
	both := append(append([]byte(nil), rest...), p.buf...)
	p.release()
	p.buf = both
	from.giveBack(p.place())
}

// pending reports whether anything is held or owed.
func (c *Conn) pending() bool {
	return (len(c.pend.buf) > 0 || c.proto.Owed()) && c.writeErr == nil
}

// appendOwed moves the control frames that are owed to what is pending.
func (c *Conn) appendOwed() (err error) {
	if !c.proto.Owed() {
		return nil
	}
	c.pend.buf, err = c.proto.AppendOwed(c.pend.borrow(), time.Now())
	if err != nil {
		c.writeFailed(err)
		return err
	}
	c.pingEncoded()
	return nil
}

// transmit writes what is pending, waiting as long as the Limit allows. The
// write token is held; c.mu is let go of while writing. An error is that of the
// Limit, and what was not written is pending again, but for the body; or the
// transport's, which then is in c.writeErr. c.out.sent tells how much was
// written.
func (c *Conn) transmit(l *Limit) error {
	if len(c.pend.buf) == 0 {
		return nil
	}
	from, done, err := c.transmitNow()
	if done {
		return nil
	}
	return c.transmitWaiting(l, from, err)
}

// transmitNow writes what is pending as far as that needs no waiting. Unless
// it is done with all of it, transmitWaiting has to go on.
func (c *Conn) transmitNow() (from *block, done bool, err error) {
	from = c.takeOut()
	c.unlock()
	_, err = c.tr().tryWrite(&c.out)
	c.lock()
	if done = err == nil && c.out.len() == 0; done {
		c.wrote(from, nil)
	}
	return from, done, err
}

// transmitWaiting goes on when not all could be written at once.
func (c *Conn) transmitWaiting(l *Limit, from *block, err error) (late error) {
	if err == nil {
		late, err = c.writeWaiting(l)
	}
	c.wrote(from, err)
	if err != nil {
		return err
	}
	return late
}

// takeOut makes what is pending what is being written, and returns its block.
func (c *Conn) takeOut() (from *block) {
	from = c.pend.block
	c.out.begin(c.pend.buf, c.pend.body)
	c.pend = pending{}
	c.pingTaken()
	return from
}

// wrote settles what was written and what is left; err is the transport's.
func (c *Conn) wrote(from *block, err error) {
	if c.pingWrote(c.out.sent.Load(), c.out.len() == 0) {
		c.tellPingSent()
	}
	rest := c.out.head
	c.out.head, c.out.body = nil, nil
	if err != nil {
		c.writeFailed(err)
	}
	if len(rest) > 0 && c.writeErr == nil {
		c.pend.putBack(rest, from)
	} else {
		from.giveBack(c.pend.place())
	}
}

// writeWaiting writes what is left of c.out. c.mu is let go of while writing.
// late is the error of the Limit, err the transport's.
func (c *Conn) writeWaiting(l *Limit) (late, err error) {
	l = l.within(c.opts.WriteTimeout)
	for {
		if late = l.Reached(); late != nil {
			return late, nil
		}
		if c.aborted {
			return nil, ErrAborted
		}
		c.armWrite(l)
		c.unlock()
		err = c.tr().write(&c.out)
		c.lock()
		asked := c.disarmWrite(l)
		switch {
		case err == errCut:
			return nil, c.cutRecord(l)
		case !asked || !isTimeout(err):
			return nil, err
		}
	}
}

// cutRecord ends a connection whose transport was interrupted for good, and
// returns why it was.
func (c *Conn) cutRecord(l *Limit) error {
	err := error(ErrAborted)
	if late := l.Reached(); late != nil {
		err = fmt.Errorf("%w: %w", ErrPartialWrite, late)
	}
	c.abort(err)
	return err
}

// armWrite has the write interrupted at the Limit.
func (c *Conn) armWrite(l *Limit) {
	c.writing = true
	c.out.total = c.out.sent.Load() + int64(c.out.len())
	c.watchWrite(l)
	if at := l.deadline(); !at.IsZero() {
		c.tr().setWriteDeadline(at)
	}
}

// disarmWrite clears the deadline that armWrite or pokeWriter has set, and
// reports whether it has passed: else a time-out is the transport's own. TLS that
// was interrupted once says so for ever, whatever the deadline.
func (c *Conn) disarmWrite(l *Limit) (asked bool) {
	c.writing = false
	at := l.deadline()
	asked = c.writePoked || !at.IsZero() && !time.Now().Before(at)
	if c.writePoked || !at.IsZero() {
		c.writePoked = false
		c.tr().setWriteDeadline(time.Time{})
	}
	return asked
}

// pokeWriter has whoever writes look at its Limit again. c.mu is held.
func (c *Conn) pokeWriter() {
	if c.writing && !c.writePoked {
		c.writePoked = true
		c.tr().setWriteDeadline(longAgo)
	}
}

// releaseWrite lets go of the write token.
func (c *Conn) releaseWrite() {
	c.write.release()
	c.leavePending()
}

// leavePending sees to it that what was owed while the write token was held is
// soon written, unless its next holder will.
func (c *Conn) leavePending() {
	if c.pending() && !c.write.held {
		c.startBackstop()
	}
}

// flush writes what is held or owed without waiting: not for the token, whose
// holder will write it or see to it, and not for the transport, in which case
// a flusher goes on. c.mu is held, and was let go of if flush returns true:
// the caller then looks again at what it was about to do.
func (c *Conn) flush() (wrote bool) {
	if c.write.held || !c.pending() {
		return false
	}
	c.write.held = true
	c.handOver()
	return true
}

// handOver writes what is held or owed as far as that needs no waiting, and
// lets go of the write token; or it leaves the rest, and the token, to a
// flusher. Only that may wait for the transport on behalf of a call that may
// leave: TLS cannot take up a write that was interrupted.
func (c *Conn) handOver() (left bool) {
	if c.pending() && c.appendOwed() == nil {
		c.writeNow()
	}
	left = c.pending()
	if left {
		go c.flusher() // ends with what it has to write, or with the transport
	} else {
		c.releaseWrite()
	}
	return left
}

// writeNow writes what is pending as far as that needs no waiting.
func (c *Conn) writeNow() {
	if from, done, err := c.transmitNow(); !done {
		c.wrote(from, err)
	}
}

// flusher writes what is pending, waiting for the transport. It has taken over
// the write token, and ends when nothing is left, or with the transport.
func (c *Conn) flusher() {
	c.lock()
	defer c.unlock()
	for c.pending() && c.appendOwed() == nil {
		c.transmit(nil)
	}
	c.releaseWrite()
}

// startBackstop sees to it that what is held leaves in time although nobody
// comes to write it.
func (c *Conn) startBackstop() {
	if !c.hold.set {
		c.opts.Clock.hold.start(c)
	}
}

// holdOver writes what nobody came to write. It is called by the clock, with
// c.mu held, and leaves the writing to a goroutine, for the clock has others to
// call.
func (c *Conn) holdOver() {
	if !c.pending() || c.write.held {
		return
	}
	go func() {
		c.lock()
		defer c.unlock()
		c.flush()
	}()
}

// writeFailed notes that the transport takes no more. The peer may have said
// why before it went: reading goes on for a while.
func (c *Conn) writeFailed(err error) {
	if c.writeErr == nil {
		c.writeErr = c.explain(err)
		c.pend.release()
		c.waiters.wakeAll()
		c.startClosing()
	}
}
