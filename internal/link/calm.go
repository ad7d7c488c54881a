package link

import "github.com/tandemws/tandem/protocol"

// A calm connection is open and has nothing under way at its desk. With many
// connections a desk is in no cache of the processor's when the next message comes,
// and each of its lines that is touched is a wait for memory. So a receive call and
// a Send, of a simple message, leave the desk alone as long as it is calm: all that
// they look at and change is in the Conn, and how messages look is said by the
// protocol's Essence. What has no write that does not wait, such as TLS, is never calm.
//
// Whoever takes Conn.mu with lock may do anything at the desk, and thereby ends the
// calm. It comes back when a receive call finds that everything rests.

// A mood is a set of flags.
type mood uint8

const (
	calm          mood = 1 << iota
	sendingCalmly      // a Send is writing, and holds both tokens without the desk knowing
	inGrace            // the grace period has begun: desk.grace.set, where it is at hand
	graceReceived      // ... and a receive call has returned since then
	inBatch            // desk.more or desk.pend may have some of a batch, though it is calm
	pinged             // a ping was sent that the desk does not know of; see calm_ping.go
)

func (c *Conn) isCalm() bool { return c.mood&calm != 0 }

// enter takes Conn.mu, with a desk, for a call that keeps the calm or ends it with
// stir. Receive calls and Sends do the same without the call of it, which they would pay
// for with each message of a batch.
func (c *Conn) enter() {
	c.mu.Lock()
	c.sitIfAway()
}

// stir ends the calm: the desk is told what it does not know.
func (c *Conn) stir() {
	if c.mood&sendingCalmly != 0 {
		c.message.held, c.write.held = true, true
	}
	if c.mood&pinged != 0 {
		c.tellPing()
	}
	if c.hasMore() {
		c.tellProtocol(c.more)
	}
	c.mood &^= calm | sendingCalmly | inBatch
}

// calmDown notes whether the connection is calm. It is called by the receiver.
func (c *Conn) calmDown() {
	if _, waits := c.tr().(*netTransport); waits {
		return
	}
	d := c.desk
	if e, resting := d.proto.Essence(); resting && e == c.essence() && d.quiet() && d.waiters.first == nil &&
		d.look == lookNone && d.recvErr == nil && !d.deferred && !d.discarding && !d.pausing && !d.assembling &&
		d.queue.empty() && d.stream == nil && d.backlog == nil && c.closing == notClosing && !c.aborted &&
		c.heart() == nil {
		c.mood |= calm
	}
}

// essence says how messages look while the connection is calm.
func (c *Conn) essence() protocol.Essence {
	return protocol.Essence{Role: c.opts.Role, MaxMessageSize: c.opts.MaxMessageSize}
}

// sendsCalmly reports that a message may be sent now, and is as most of them are: see
// encodeQuickly. c.mu is held, and the connection is calm.
func (c *Conn) sendsCalmly(l *Limit, m protocol.Message, wanted protocol.Compression) bool {
	return c.mood&(sendingCalmly|pinged) == 0 && c.pinging == pingWritten &&
		len(m.Data) <= min(copyLimit, c.maxFragment()) &&
		c.essence().SendsPlain(m.Type, len(m.Data), c.agreed(), wanted) && l.Reached() == nil
}

// encodeCalmly encodes a message that sendsCalmly, to be written by writeCalmly.
func (c *Conn) encodeCalmly(m protocol.Message) *once {
	w := onces.borrow()
	c.begin(w)
	w.frame = c.essence().AppendPlainHeader(w.frame, m.Type, len(m.Data))
	if c.gathers(len(m.Data)) {
		w.body = m.Data
	} else {
		w.frame = c.appendPayload(w.frame, m.Data)
	}
	return w
}

// writeCalmly writes w, a message of this type. Both tokens are held meanwhile.
func (c *Conn) writeCalmly(l *Limit, typ protocol.MessageType, w *once) error {
	c.mood |= sendingCalmly
	c.mu.Unlock()
	ok, err := c.tr().writeOnce(w)
	c.enter()
	if c.mood&sendingCalmly == 0 || !ok || err != nil || w.n < len(w.frame)+len(w.body) {
		return c.settleStirred(l, typ, w, ok, err)
	}
	c.mood &^= sendingCalmly
	c.taken += int64(w.n)
	c.settledCalmly(w)
	return nil
}

// settleStirred goes on as after any other write. It is not inlined, for the sake of
// the stack.
//
//go:noinline
func (c *Conn) settleStirred(l *Limit, typ protocol.MessageType, w *once, ok bool, err error) error {
	c.stir()
	err = c.settleQuickly(l, typ, w, ok, err)
	onces.giveBack(w)
	return err
}

// settledCalmly lets go of w and its block.
func (c *Conn) settledCalmly(w *once) {
	c.keepBlock(w)
	w.frame, w.body, w.block = nil, nil, nil
	onces.giveBack(w)
}

var onces = newStock(newOnce)

func newOnce() *once {
	w := new(once)
	w.write = w.writing()
	return w
}

// begin has w encoded behind the answers that are held; or in the block that the last
// message came in, if that is used up and nobody reads to it; or in another one.
func (c *Conn) begin(w *once) {
	w.n, w.received = 0, false
	switch {
	case c.inBatch() && len(c.pend.buf) > 0:
		c.takeHeld(w)
		return
	case c.reader == nobody && c.in.block != nil && !c.hasMore():
		w.block, w.received, c.in.block = c.in.block, true, nil
	default:
		w.block = borrowBlock(c.in.place())
	}
	w.frame, w.begin = w.block[:0], 0
}

// keepBlock has the next message come in the block of w, if the last one did, or
// gives it back.
func (c *Conn) keepBlock(w *once) {
	if w.received && c.reader == nobody && c.in.block == nil {
		c.in.block = w.block
	} else {
		w.block.giveBack(c.in.place())
	}
}
