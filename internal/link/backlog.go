package link

import (
	"errors"

	"github.com/tandemws/tandem/protocol"
)

// ErrTooSlow: a connection had no room for a message that was sent to many,
// because its peer reads too slowly.
var ErrTooSlow = errors.New("websocket: the peer reads too slowly")

// A backlog is what was sent to many connections and waits to be written on
// this one. It is guarded by Conn.mu. There is none, and no goroutine, while
// the transport takes everything at once.
type backlog struct {
	first, last *delivery // in the order of the queue for the message token
	current     *delivery // taken out of it: what the deliverer is waiting to write, or writes
	n, bytes    int       // that have a place, the one being written among them
	patient     int       // that wait for a place
	delivering  bool      // the deliverer runs
	finishing   bool      // finish runs
}

// A delivery is a message that is sent to many connections, on one of them. It
// is queued for the message token as a Send is, so that what one goroutine
// sends stays in order.
type delivery struct {
	shipment
	claim    claim
	next     *delivery
	bounds   Backlog
	kept     bool          // somebody goes on with it when post has returned
	patient  bool          // it has no place and waits for one
	accepted chan struct{} // if it is patient; closed when it gets its place
	caller   *caller       // who waits for the end of it, if somebody does
}

// A caller waits until its message is finished.
type caller struct {
	done chan struct{} // closed then
	err  error         // why it was not sent
}

// A Backlog bounds what waits on one connection; negative: nothing does.
type Backlog struct {
	Messages int
	Bytes    int // of their payloads; one message may always wait
}

// fits reports whether there is a place for n more bytes.
func (b *backlog) fits(bounds Backlog, n int) bool {
	return (bounds.Messages < 0 || b.n < bounds.Messages) && (bounds.Bytes < 0 || b.n == 0 || b.bytes+n <= bounds.Bytes)
}

// posted says what has become of a message that was posted.
type posted uint8

const (
	postedSent    posted = iota // it is written, or has its place
	postedWaiting               // it waits for a place; see await
	postedNoRoom                // it was not taken
	postedEnded                 // the connection was not open
)

// post sends a message without waiting, or leaves it for a goroutine to write
// that lasts as long as there is something to write. If there is no room for
// it, it is queued without a place if it is patient, and else not taken.
func (c *Conn) post(d *delivery, patient bool) (posted, error) {
	c.lock()
	defer c.unlock()
	switch {
	case c.sendable() != nil:
		return postedEnded, nil
	case !c.message.held && !c.write.held:
		return postedSent, c.postNow(d)
	case c.backlog == nil:
		c.backlog = new(backlog)
	}
	b := c.backlog
	if b.patient == 0 && b.fits(d.bounds, d.prepared.size) {
		b.place(d)
	} else if !patient {
		return postedNoRoom, nil
	} else {
		d.patient, d.accepted = true, make(chan struct{})
		b.patient++
	}
	c.enqueue(d)
	if d.patient {
		return postedWaiting, nil
	}
	return postedSent, nil
}

// place gives d its place.
func (b *backlog) place(d *delivery) {
	b.n++
	b.bytes += d.prepared.size
	if d.patient {
		b.patient--
		d.patient = false
		close(d.accepted)
	}
}

// freePlace takes back the place of one that is written or dropped, and gives it
// to those who wait for one.
func (c *Conn) freePlace(d *delivery) {
	b := c.backlog
	b.n--
	b.bytes -= d.prepared.size
	for next := b.first; next != nil && b.patient > 0; next = next.next {
		if !next.patient {
			continue
		}
		if !b.fits(next.bounds, next.prepared.size) {
			break
		}
		b.place(next)
	}
	if b.n == 0 && b.first == nil && !b.delivering {
		c.backlog = nil
	}
}

// enqueue queues d for the message token and sees to it that the deliverer
// runs.
func (c *Conn) enqueue(d *delivery) {
	b := c.backlog
	d.kept = true
	d.claim.ready = make(chan struct{}, 1)
	if c.message.held {
		c.message.push(&d.claim)
	} else {
		c.message.held, d.claim.granted = true, true
		d.claim.wake()
	}
	if b.last == nil {
		b.first = d
	} else {
		b.last.next = d
	}
	b.last = d
	if !b.delivering {
		b.delivering = true
		go c.deliverer() // ends with the backlog, which a connection's end empties
	}
}

// postNow writes as much of d as needs no waiting, and leaves the rest to a
// goroutine. Both tokens are free.
func (c *Conn) postNow(d *delivery) error {
	c.message.held, c.write.held = true, true
	done, err := c.shipNow(&d.shipment)
	if !done {
		c.finishLater(d)
		return nil
	}
	c.releaseWrite()
	c.message.release()
	return err
}

// shipNow writes as much of a shipment as needs no waiting. done means that
// nothing is left of it, or that it cannot be sent, and why.
func (c *Conn) shipNow(s *shipment) (done bool, err error) {
	if c.appendOwed() == nil && len(c.pend.buf) > 0 {
		c.writeNow()
	}
	for {
		if err = c.sendable(); err != nil {
			return true, err
		}
		if len(c.pend.buf) > 0 {
			return false, nil
		}
		if !s.begun {
			if err = s.begin(c); err != nil {
				return true, err
			}
		}
		if !s.next(c) {
			c.proto.FrameSent()
			return true, nil
		}
		s.partly = true
		c.writeNow()
	}
}

// finishLater leaves the rest of a message, and both tokens, to a goroutine.
func (c *Conn) finishLater(d *delivery) {
	if c.backlog == nil {
		c.backlog = new(backlog)
	}
	d.kept = true
	c.backlog.place(d)
	c.backlog.finishing = true
	go c.finish(d) // ends with the message, or with the transport
}

// finish writes the rest of a message.
func (c *Conn) finish(d *delivery) {
	c.lock()
	defer c.unlock()
	err := c.shipToTheEnd(d)
	c.backlog.finishing = false
	c.freePlace(d)
	c.message.release()
	if d.caller != nil {
		d.caller.err = err
		close(d.caller.done)
		d.caller = nil
	}
}

// shipToTheEnd writes a message however long the transport takes, unless the
// options bound each write: then the connection ends, if a part was written or
// nobody is left to be told.
func (c *Conn) shipToTheEnd(d *delivery) error {
	err := c.ship(nil, &d.shipment)
	if err != nil && c.sendable() == nil && (d.partly || d.caller == nil) {
		c.abort(err)
	}
	return err
}

// deliverer writes what is in the backlog.
func (c *Conn) deliverer() {
	c.lock()
	defer c.unlock()
	b := c.backlog
	for b.first != nil {
		d := b.shift()
		c.unlock()
		<-d.claim.ready
		c.lock()
		b.current = nil
		if d.claim.granted {
			c.deliver(d)
		}
	}
	b.delivering = false
	if b.n == 0 {
		c.backlog = nil
	}
}

// shift makes the first delivery the current one.
func (b *backlog) shift() *delivery {
	d := b.first
	if b.first = d.next; b.first == nil {
		b.last = nil
	}
	d.next, b.current = nil, d
	return d
}

// deliver writes d, whose turn it is.
func (c *Conn) deliver(d *delivery) {
	if d.patient {
		c.backlog.place(d)
	}
	if c.write.acquire(c, nil) == nil {
		c.shipToTheEnd(d)
	}
	c.freePlace(d)
	c.message.release()
}

// withdraw takes back a message that has not got a place. ok is false if it has
// one by now, or its turn has come.
func (c *Conn) withdraw(d *delivery) (ok bool) {
	c.lock()
	defer c.unlock()
	if !d.patient || d.claim.granted {
		return false
	}
	d.patient = false
	c.backlog.patient--
	c.drop(d)
	return true
}

// drop takes d out of the queues. It has no place any more, and its turn has
// not come.
func (c *Conn) drop(d *delivery) {
	c.message.drop(&d.claim)
	if c.backlog.current != d {
		c.backlog.remove(d)
		return
	}
	c.backlog.current = nil
	d.claim.wake() // without the token: the deliverer passes over it
}

func (b *backlog) remove(d *delivery) {
	var before *delivery
	for at := b.first; at != nil; before, at = at, at.next {
		if at != d {
			continue
		}
		if before == nil {
			b.first = d.next
		} else {
			before.next = d.next
		}
		if b.last == d {
			b.last = before
		}
		return
	}
}

// tooSlow closes a connection that had no room, and drops what waits on it.
func (c *Conn) tooSlow() {
	c.lock()
	defer c.unlock()
	if c.sendable() != nil {
		return
	}
	c.dropBacklog()
	c.fail(protocol.PolicyViolation, "too slow", ErrTooSlow)
}

// dropBacklog drops all whose turn has not come.
func (c *Conn) dropBacklog() {
	b := c.backlog
	if b == nil {
		return
	}
	waiting := b.first
	if b.current != nil {
		c.dropPlaced(b.current)
	}
	for d := waiting; d != nil; d = waiting {
		waiting = d.next
		c.dropPlaced(d)
	}
}

func (c *Conn) dropPlaced(d *delivery) {
	if d.claim.granted {
		return // the deliverer will see that the connection has ended
	}
	b := c.backlog
	if d.patient {
		b.place(d) // whoever waits is told; the connection's end says the rest
	}
	b.n--
	b.bytes -= d.prepared.size
	c.drop(d)
}
