package link

import (
	"syscall"

	"github.com/tandemws/tandem/protocol"
)

// A oneShot writes a message as it is to one connection after the other.
type oneShot struct {
	once
	message *Prepared
}

func newOneShot(p *Prepared) *oneShot {
	w := &oneShot{message: p}
	w.frame, w.write = p.message.Frame(), w.writing()
	return w
}

// A once is a frame, with the rest of its payload if that lies elsewhere, that is
// written with a single system call, which does not wait.
type once struct {
	frame, body []byte
	begin       int // where in frame the message begins; see writeQuickly
	block       *block
	received    bool // ... in which the frame is, is that of the message that came last

	// What became of it; see transport.
	n     int
	errno syscall.Errno

	// write is called with a socket. It is made once, for making it allocates.
	write func(fd uintptr)
}

// postQuickly sends a message to a connection as most are: nothing else leaves,
// or is about to, and the message is sent as it is and taken at once. If it is
// not like that, done is false and nothing was done.
//
// An idle connection needs no desk for it. With many connections the state of
// one is in no cache of the processor's when its turn comes, and to look at
// less of it is what makes the difference. The write does not wait, so c.mu
// need not be let go of.
func (c *Conn) postQuickly(w *oneShot, d *delivery) (done bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.takes(w) {
		return false, nil
	}
	ok, err := c.tr().writeOnce(&w.once)
	switch {
	case !ok || err == nil && w.n == 0:
		return false, nil
	case err == nil && w.n == len(w.frame):
		c.taken += int64(w.n)
		return true, nil
	}
	c.sitIfAway() // until it is over, or has left all
	c.stir()
	return true, c.postRest(w.n, d, err)
}

// takes reports whether nothing stands in the way of w.
func (c *Conn) takes(w *oneShot) bool {
	return !c.over() && c.isQuiet() && c.pinging == pingWritten &&
		c.opts.Role == protocol.Server && w.message.size <= c.maxFragment() &&
		w.message.message.Unchanged(c.agreed())
}

// isQuiet reports that nothing leaves, or is about to, and that no calm ping has to be the
// last that has left. The desk is asked only if it may know of something: of a batch,
// answers may be held there.
func (c *Conn) isQuiet() bool {
	return c.mood&(sendingCalmly|pinged) == 0 && (c.restsCalmly() || c.desk.quiet())
}

// quiet reports that nothing leaves, or is about to.
func (d *desk) quiet() bool {
	return !d.message.held && !d.write.held && len(d.pend.buf) == 0 && d.writeErr == nil &&
		d.proto.State() == protocol.Open && !d.proto.Owed()
}

// postRest goes on when the transport did not take all of d's only frame: n
// bytes, or err.
func (c *Conn) postRest(n int, d *delivery, err error) error {
	c.taken += int64(n)
	if err != nil {
		c.writeFailed(err)
		return c.sendable()
	}
	if err := d.begin(c); err != nil {
		return c.cutShort(err) // a part of the frame is on its way
	}
	c.message.held, c.write.held = true, true
	d.shipment.next(c)
	c.pend.buf, d.partly = c.pend.buf[n:], true
	c.finishLater(d)
	return nil
}

func (t *netTransport) writeOnce(*once) (ok bool, err error) { return false, nil }

func (e *pipeEnd) writeOnce(w *once) (ok bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w.n, err = e.out.write(w.frame)
	if w.n == len(w.frame) && len(w.body) > 0 && err == nil {
		var n int
		n, err = e.out.write(w.body)
		w.n += n
	}
	return true, err
}
