package link

import (
	"time"

	"github.com/tandemws/tandem/protocol"
)

// receiveQuickly receives the next message as most are received: nothing has
// arrived yet, nothing is to leave, nobody else reads, and it comes whole, in one
// frame. If it is not like that typ is 0, and what was read, if anything, is for
// the long way, which would do the same in several times as much code and state;
// see sendQuickly. c.mu is held, and let go of while waiting.
func (c *Conn) receiveQuickly() (typ protocol.MessageType, data []byte, err error) {
	if !c.rests() {
		return 0, nil, nil
	}
	if err = c.armRead(c.recv.limit); err != nil {
		return 0, nil, err
	}
	c.reader, c.in.window = application, nil
	c.unlock()
	for err = c.tr.read(&c.in); err == errNoBlock; err = c.tr.read(&c.in) {
		c.in.borrow() // here, where the stack is not yet deep
	}
	c.lock()
	if typ, data = c.takeQuickly(); typ == 0 {
		err = c.filled(c.recv.limit, err)
	}
	c.reader = nobody
	c.waiters.wakeAll()
	return typ, data, err
}

// rests reports that the connection is open and nothing is under way, but for a
// receive call.
func (c *Conn) rests() bool {
	return c.reader == nobody && !c.poked && c.look == lookNone && c.recvErr == nil && !c.deferred &&
		c.queue.empty() && c.stream == nil && len(c.pend.buf) == 0 && c.proto.Idle()
}

// takeQuickly takes the message that was read, unless more is to be seen to than
// the message. It is not inlined: who waits is to have no room for it on the
// stack.
//
//go:noinline
func (c *Conn) takeQuickly() (typ protocol.MessageType, data []byte) {
	if c.in.n == 0 || c.poked || c.look != lookNone || c.discarding || c.heart() != nil ||
		!c.recv.limit.deadline().IsZero() {
		return 0, nil
	}
	dst, read := c.recv.dst, c.in.block[:c.in.n]
	if c.receiving == receivingMessage {
		dst = released.Lend(c.proto.ReceivedSize(read))
	}
	typ, data, rest := c.proto.AppendReceived(dst, read)
	if typ == 0 {
		if c.receiving == receivingMessage {
			released.Return(dst)
		}
		return 0, nil
	}
	c.in.n = 0
	c.stats.lastByte = time.Since(c.start())
	if len(rest) > 0 {
		c.proto.Received(c.lastByte(), 0, rest)
	}
	c.hear()
	return typ, data
}
