package link

import (
	"io"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// Receive returns the next message, in memory that is the caller's. At the
// limit it returns and loses nothing: the message, or the part of it that has
// arrived, is there for the next call.
func (c *Conn) Receive(l *Limit) (protocol.Message, error) {
	typ, data, err := c.receive(l, nil, receivingMessage)
	return protocol.Message{Type: typ, Data: data}, err
}

// ReceiveAppend appends the next message to dst. On an error dst is returned
// as it was. What lies behind the length of what is returned may have changed.
func (c *Conn) ReceiveAppend(l *Limit, dst []byte) (protocol.MessageType, []byte, error) {
	return c.receive(l, dst, receivingInto)
}

func (c *Conn) receive(l *Limit, dst []byte, how receiveKind) (typ protocol.MessageType, data []byte, err error) {
	c.mu.Lock()
	if c.hasMore() {
		c.dst = dst
		if next, data := c.takeNext(l, how); next != 0 {
			return next, data, nil
		}
		c.stir()
	}
	c.sitIfAway()
	if err = c.beginReceive(l, how); err == nil {
		if !c.isCalm() {
			c.leaveStream()
		}
		c.dst = dst
		read := false
		if !c.isCalm() && c.proto.Unread() > 0 {
			typ, data = c.takeUnread()
		} else if read, err = c.readQuickly(); read {
			switch {
			case !c.takesRead():
			case how == receivingInto:
				c.makeRoom()
			default:
				c.makeMemory(c.receivedSize())
			}
			typ, data, err = c.takeQuickly(err)
		}
		if typ == 0 && err == nil {
			c.stir()
			if err = c.nextMessage(); err == nil {
				if how == receivingMessage && !c.event.Owned {
					c.makeMemory(len(c.event.Data))
				}
				typ, data = c.event.Type, c.place()
			}
		}
		c.endReceive()
	}
	c.unlock()
	if err != nil {
		data = dst
	}
	return typ, data, err
}

// beginReceive admits the only receiver. c.mu is held.
func (c *Conn) beginReceive(l *Limit, how receiveKind) error {
	if c.receiving != notReceiving {
		return ErrConcurrentReceive
	}
	if err := l.Reached(); err != nil && c.recvErr == nil {
		return err
	}
	c.receiving = how
	if l != nil {
		c.rarely().limit = *l // so that the caller's need not be on the heap
	}
	return nil
}

// recvLimit returns that of the receive call, nil if no call ever had one.
func (c *Conn) recvLimit() *Limit {
	if c.rare == nil {
		return nil
	}
	return &c.rare.limit
}

// endReceive lets the next receiver in. Should it not come within the grace
// period the attendant will read.
func (c *Conn) endReceive() {
	c.dst, c.receiving = nil, notReceiving
	if c.rare != nil {
		c.rare.limit = Limit{}
	}
	c.goOnGrace()
	if c.isCalm() {
		return
	}
	if c.assembling {
		c.proto.Detach() // what has arrived moves out of the caller's memory
		c.assembling = false
	}
	c.waiters.wakeAll() // who has left the reading to this call
	if c.pending() {
		c.startBackstop()
	}
	if c.closing == closingDue {
		c.closing = closingBegun
		c.endAtOnce()
	}
}

// nextMessage makes the next message c.event, from the queue, from what was read,
// or by reading. What is held or owed leaves before that.
func (c *Conn) nextMessage() (err error) {
	for err == nil && !c.takeMessage() {
		if !c.flush() {
			err = c.readMore()
		}
	}
	return err
}

// takeMessage makes the next message that has arrived c.event; ok is false if
// there is none. What was not read of a message that is received in pieces is
// skipped.
func (c *Conn) takeMessage() (ok bool) {
	c.assemble() // here, for the stack of who waits is not to hold what it takes
	for c.nextEvent() {
		if c.stream == nil {
			return true
		}
		c.stream.skip()
	}
	return false
}

// place returns the message's data where the receiver wants them, who has memory for
// them. c.mu is held, for they may lie in the block. It is not inlined: who waits, or
// looks at what has arrived, is to have no room for it on the stack.
//
//go:noinline
func (c *Conn) place() []byte {
	data := c.event.Data
	switch {
	case c.assembling && c.event.Owned:
		c.assembling = false // the protocol has put it there
		c.foresee(len(data)-len(c.dst), c.proto.CameInOne() && c.proto.Unread() == 0)
	case c.receiving == receivingInto || !c.event.Owned:
		data = append(c.dst, data...)
	case data == nil: // of an empty message that came in fragments
		data = []byte{}
	}
	c.event.Data = nil
	return data
}

// nextEvent makes the next message or chunk that has arrived c.event: one kept
// by a background reader, or not yet looked at. ok is false if there is none.
func (c *Conn) nextEvent() (ok bool) {
	switch {
	case !c.queue.empty():
		c.event = c.queue.pop()
		c.resume()
		return true
	case c.reader != nobody:
		return false
	}
	return c.parse()
}

// readMore reads once for the receiver, a large payload straight to where it
// is wanted; or it waits until a background reader yields, which it does at
// once, or has queued something. The error is that of the Limit, or how the
// connection ended.
func (c *Conn) readMore() error {
	switch {
	case c.deferred:
		c.failViolation()
		return c.recvErr
	case c.recvErr != nil:
		return c.recvErr
	case c.reader != nobody:
		return c.awaitReader()
	}
	return c.fill(c.recvLimit(), application)
}

// assemble has a message that comes in pieces put where the receiver wants it,
// unless that is somebody else's to decide.
func (c *Conn) assemble() {
	if c.receiving == receivingInto && !c.assembling && c.reader == nobody && c.stream == nil && c.queue.empty() {
		c.proto.AssembleInto(c.dst)
		c.assembling = true
	}
}

func (c *Conn) awaitReader() error {
	c.pokeReader()
	if err := c.waitChange(c.recvLimit()); err != nil && c.queue.empty() && c.recvErr == nil {
		return err
	}
	return nil
}

// parse makes the next message or chunk of what was read c.event, and sees to
// all other frames. With none left, ok is false; the block stays for the read
// that follows. The reader token is free or ours.
func (c *Conn) parse() (ok bool) {
	for {
		if !c.proto.DecodesNext() {
			c.next()
		} else if !c.apart((*Conn).next) {
			return false
		}
		switch c.event.Kind {
		case protocol.EventMessage, protocol.EventChunk:
			if c.event.Last {
				c.proto.Streaming(false)
			}
			if !c.discarding && (c.rare == nil || !c.isAnswer()) {
				c.hear()
				return true
			}
		case protocol.EventPing:
			c.pinged()
		case protocol.EventPong:
			c.settle()
		case protocol.EventClose:
			c.closeReceived()
		case protocol.EventViolation:
			c.violated()
		case protocol.EventNone:
			return false
		}
	}
}

// next makes what comes next of what was read c.event.
func (c *Conn) next() { c.event = c.proto.Next() }

// fill reads once from the transport, waiting as long as the Limit allows. The
// reader token is free; fill takes it and lets it go. An error is that of the
// Limit; what becomes of the connection is in c.recvErr.
func (c *Conn) fill(l *Limit, who reader) (err error) {
	c.reader = who
	c.forgetPoke()
	if err = c.armRead(l); err == nil {
		if c.look == lookAsked {
			c.lookAwhile()
		}
		c.offerWindow()
		c.unlock()
		for err = c.tr().read(&c.in); err == errNoBlock; err = c.tr().read(&c.in) {
			c.in.borrow() // here, where the stack is not yet deep
		}
		c.lock()
		err = c.filled(l, err)
		c.window, c.in.window, c.in.direct = nil, nil, 0 // a message lies there, perhaps soon the application's
	}
	c.reader = nobody
	c.waiters.wakeAll()
	return err
}

// offerWindow has the next read put first what the protocol wants somewhere. With
// nothing of the kind the desk, where that stands, may be left while waiting.
func (c *Conn) offerWindow() {
	c.window = c.proto.Window()
	if len(c.window) > maxWindow {
		c.window = c.window[:maxWindow]
	}
	if len(c.window) > 0 {
		c.in.window = &c.window
	}
	// A window that takes up all the room that a reader has may have more of the frame
	// come behind it.
	if c.stream != nil && len(c.window) >= minAlone && len(c.window) == cap(c.window) {
		c.in.giveBack()
		c.in.direct = alone
	}
}

// filled takes what was read. A time-out may be the Limit's, a poke's, or
// stale: only the Limit can tell which.
func (c *Conn) filled(l *Limit, err error) error {
	asked := c.disarmRead(l)
	if c.look != lookNone {
		c.looked()
	}
	switch {
	case c.in.n > 0:
		c.received(c.in.inWindow(), c.in.rest())
		c.in.n = 0
		return nil
	case !asked || !isTimeout(err):
		c.in.giveBack()
		if err == io.EOF {
			c.awaitWriteError(l)
		}
		c.lost(c.explain(err))
		return nil
	}
	c.in.giveBack()
	return l.Reached()
}

// received gives the protocol what was read: so many bytes in its window, and the rest.
func (c *Conn) received(window int, rest []byte) {
	c.stats.lastByte = time.Since(c.start())
	c.proto.Paused(c.pausedBefore())
	c.proto.Received(c.lastByte(), window, rest)
}

// awaitWriteError gives a write that is under way a moment to tell why the
// transport has ended. The system tells its error once, and to others that this
// is the end; so if it was the write that got it, it returns as soon as it has a
// turn. But it may also know nothing of this, and wait for a peer that has ended
// its direction and does not read.
func (c *Conn) awaitWriteError(l *Limit) {
	if c.write.held && !c.aborted && c.write.acquire(c, l.within(time.Second)) == nil {
		c.releaseWrite()
	}
}

// armRead has the read interrupted at the Limit.
func (c *Conn) armRead(l *Limit) error {
	if l.never() {
		return nil
	}
	if err := l.Reached(); err != nil {
		return err
	}
	c.watchRead(l)
	if at := l.deadline(); !at.IsZero() {
		c.tr().setReadDeadline(at)
	}
	return nil
}

// disarmRead clears the deadline that armRead or pokeReader has set, and
// reports whether there was one: else a time-out is the transport's own.
func (c *Conn) disarmRead(l *Limit) (asked bool) {
	asked = c.poked || !l.deadline().IsZero()
	if asked {
		c.poked = false
		c.tr().setReadDeadline(time.Time{})
	}
	return asked
}

// forgetPoke clears a poke that came when nobody was reading: it would keep the
// next one from being made.
func (c *Conn) forgetPoke() {
	if c.poked {
		c.poked = false
		c.tr().setReadDeadline(time.Time{})
	}
}

// longAgo is a deadline that interrupts at once.
var longAgo = time.Unix(1, 0)

// pokeReader has whoever reads look at its reasons again. c.mu is held, so that
// the deadline cannot come after the token was let go of.
func (c *Conn) pokeReader() {
	if c.reader != nobody && !c.poked {
		c.poked = true
		c.tr().setReadDeadline(longAgo)
	}
}
