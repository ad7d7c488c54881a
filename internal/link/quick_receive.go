package link

import (
	"slices"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// readQuickly reads for the receiver, as most reads are: nothing has arrived yet,
// nothing is to leave, and nobody else reads. Then read is true, and takeQuickly
// is to be called, with the error; it has the reader token until then. Else nothing
// was done, and the error is that of the Limit. c.mu is held, and let go of while
// waiting.
//
// The long way would do the same in several times as much code and state; see
// encodeQuickly.
func (c *Conn) readQuickly() (read bool, err error) {
	if !c.rests() {
		return false, nil
	}
	if err = c.armRead(c.recvLimit()); err != nil {
		return false, err
	}
	c.reader = application
	if c.in.lone > 0 {
		c.readDirectly()
	}
	c.unlock()
	for err = c.tr().read(&c.in); err == errNoBlock; err = c.tr().read(&c.in) {
		c.in.borrow() // here, where the stack is not yet deep
	}
	c.enter()
	if c.in.direct != 0 {
		c.sortDirect()
	}
	return true, err
}

// rests reports that the connection is open and nothing is under way, but for a
// receive call.
func (c *Conn) rests() bool {
	if c.reader != nobody || c.poked {
		return false
	}
	if c.inBatch() {
		c.endBatch()
	}
	return c.isCalm() || c.restsAtDesk()
}

func (c *Conn) restsAtDesk() bool {
	c.calmDown()
	return c.isCalm() || c.look == lookNone && c.recvErr == nil && !c.deferred &&
		c.queue.empty() && c.stream == nil && len(c.pend.buf) == 0 && c.proto.Idle()
}

// makeMemory has memory for a message of n bytes. It is apart and not inlined for the
// sake of the stack, as what follows is: making memory takes much of that now and then.
//
//go:noinline
func (c *Conn) makeMemory(n int) {
	c.dst = released.Lend(n)
	if cap(c.dst) < n {
		c.growMemory(n)
	}
}

// growMemory is apart, for what it takes of the stack is not for Lend.
//
//go:noinline
func (c *Conn) growMemory(n int) { c.dst = slices.Grow(c.dst, n) }

// makeRoom has room where the receiver wants the message that was read.
//
//go:noinline
func (c *Conn) makeRoom() {
	if c.in.direct != 0 || c.hasRoom(len(c.in.came())) {
		return // as of most
	}
	if n := c.receivedSize(); !c.hasRoom(n) {
		c.growRoom(n)
	}
}

// growRoom has room for n bytes, of which there is not enough.
func (c *Conn) growRoom(n int) {
	if n >= minDirect {
		c.dst = growLarge(c.dst, n+protocol.MaxHeaderSize+lonely) // for the next one to be read directly
		return
	}
	c.dst = slices.Grow(c.dst, n)
}

// receivedSize returns the size of the message that was read to the block, if it is
// to be taken quickly.
func (c *Conn) receivedSize() (n int) {
	if e, short := c.measure(); short {
		_, n = e.Measure(c.in.came())
	}
	return n
}

// measure returns what the message that was read is measured by, if it may be taken
// quickly.
func (c *Conn) measure() (e protocol.Essence, short bool) {
	if c.isCalm() {
		return c.essence(), true
	}
	return c.proto.EssenceOfNext()
}

// hasRoom reports that the receiver has brought memory with room for n bytes.
func (c *Conn) hasRoom(n int) bool {
	return cap(c.dst)-len(c.dst) >= n
}

// takeQuickly takes the message that was read, if it came whole, in one frame, and
// nothing else is to be seen to. Else typ is 0, and what was read, if anything, is
// for the long way. err is that of the read, and becomes that of the Limit.
//
//go:noinline
func (c *Conn) takeQuickly(err error) (typ protocol.MessageType, data []byte, _ error) {
	if c.takesRead() {
		typ, data = c.takeRead()
	}
	if typ != 0 {
		err = nil // which will come again
	} else {
		c.stir()
		err = c.filled(c.recvLimit(), err)
		c.window, c.in.window = nil, nil
	}
	c.reader = nobody
	if !c.isCalm() {
		c.waiters.wakeAll()
	}
	return typ, data, err
}

// takesRead reports that something was read and that it is to be taken quickly.
func (c *Conn) takesRead() bool {
	return c.in.n > 0 && !c.announced() && !c.poked && (c.isCalm() || c.look == lookNone && !c.discarding && c.heart() == nil) &&
		(c.rare == nil || c.rare.limit.Deadline.IsZero())
}

// takeRead takes the message from what was read.
func (c *Conn) takeRead() (typ protocol.MessageType, data []byte) {
	var rest []byte
	if c.in.direct != 0 {
		typ, data = c.takeDirect()
	} else if e, short := c.measure(); short {
		typ, data, rest = e.AppendReceived(c.dst, c.in.came())
	}
	switch {
	case typ != 0:
		if c.in.n >= minDirect || c.in.lone > 0 {
			c.foresee(len(data)-len(c.dst), len(rest) == 0)
		}
		c.in.n = 0
		c.stats.lastByte = time.Since(c.start())
		c.keepMore(rest)
		c.hear()
	case c.receiving == receivingMessage:
		released.Return(c.dst)
		c.dst = nil
	}
	return typ, data
}

// takeUnread takes the next message of what was read before and not looked at, if the
// receiver has room for it.
//
//go:noinline
func (c *Conn) takeUnread() (typ protocol.MessageType, data []byte) {
	if c.receiving != receivingInto || c.reader != nobody || c.recvErr != nil || c.deferred || c.discarding ||
		!c.queue.empty() || c.stream != nil || c.heart() != nil {
		return 0, nil
	}
	if typ, data = c.proto.AppendUnread(c.dst); typ != 0 {
		c.hear()
	}
	return typ, data
}
