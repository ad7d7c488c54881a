package link

import (
	"time"
)

// gracePeriod is how long the application may do without receiving before an
// attendant reads in its place. A handler that answers faster never pays for
// one. It does not begin anew with each receive call, so the attendant comes
// after nearly one to two periods, and the peer's pings wait at most two for their
// pongs. Ours do not wait, for the round-trip time is to be that of the network;
// see attendNow.
const gracePeriod = 50 * time.Millisecond

// startGrace begins the grace period, unless it has begun. c.mu is held.
func (c *Conn) startGrace() {
	if c.mood&inGrace != 0 || c.recvErr != nil {
		return
	}
	c.mood |= inGrace
	if !c.grace.set {
		c.opts.Clock.grace.start(c)
	}
}

// goOnGrace notes that a receive call has returned something: the grace period will not
// end with an attendant. c.mu is held.
func (c *Conn) goOnGrace() {
	if c.mood&inGrace != 0 {
		c.mood |= graceReceived
	} else {
		c.startGrace()
	}
}

// graceOver starts the attendant if the application has not received anything
// since the grace period began, and is not about to. It is called by the clock,
// with c.mu held.
func (c *Conn) graceOver() {
	received := c.mood&graceReceived != 0
	c.mood &^= inGrace | graceReceived
	switch {
	case received: // another message may be near, and finds the desk
		c.startGrace()
	case c.receiving != notReceiving: // the end of the call begins another
	default:
		c.attendNow()
	}
}

// attendNow starts the attendant, whether the grace period is over or not, if
// nobody reads. c.mu is held.
func (c *Conn) attendNow() {
	if c.reader != nobody || c.receiving != notReceiving {
		return
	}
	go func() {
		c.lock()
		defer c.unlock()
		c.attend()
	}()
}

// attend reads for an application that does not: pings are answered, pongs
// counted, a close is seen, and messages are queued. The goroutine that calls
// it is the attendant; it retires when the application receives again, when the
// queue is full, and when nothing more will come. c.mu is held.
func (c *Conn) attend() {
	for c.reader == nobody && c.receiving == notReceiving && c.keepParsed() && c.recvErr == nil {
		if !c.flush() {
			c.fill(nil, background)
		}
	}
}

// await reads, or leaves it to who does, until done. The application's
// receiver comes first. The error is that of the Limit. c.mu is held; done is
// called with it held. Should the grace period have ended meanwhile there is no
// attendant, for somebody was reading: another period begins.
func (c *Conn) await(l *Limit, done func() bool) error {
	defer c.startGrace()
	for !done() && c.recvErr == nil {
		var err error
		if c.reader != nobody || c.receiving != notReceiving || !c.keepParsed() {
			err = c.waitChange(l)
		} else if !done() && c.recvErr == nil && !c.flush() {
			err = c.fill(l, background)
		}
		if err != nil && !done() && c.recvErr == nil {
			return err
		}
	}
	return nil
}

// keepParsed queues the messages that were read, and reports whether more may
// be read. The reader token is free.
func (c *Conn) keepParsed() (more bool) {
	c.keepStreamed()
	for c.mayRead() {
		if !c.parse() {
			return true
		}
		c.keep()
	}
	return false
}

// keepRead queues what was read and nobody has looked at, as far as the queue has room:
// once the connection is cut nobody will. A receiver, or another reader, has looked at
// all there was before it let go of c.mu. Where a [keepalive.Heartbeat] would have to be
// asked, nothing is kept: who cuts does not wait for the application.
func (c *Conn) keepRead() {
	if c.reader != nobody || c.receiving != notReceiving || c.asksHeart() {
		return
	}
	c.keepStreamed()
	for c.recvErr == nil && !c.deferred && !c.full() && c.parse() {
		c.keep()
	}
}

// mayRead reports whether the queue has room, and pauses reading when it has
// none. Once our close frame is owed there is no pausing: see keep.
func (c *Conn) mayRead() bool {
	if c.deferred {
		return false
	}
	if c.proto.CloseSent() != nil {
		return true
	}
	if !c.pausing && c.full() {
		c.pausing, c.pausedAt = true, time.Since(c.start())
		c.opts.Counters.pause()
		c.tell(event{kind: paused})
	}
	return !c.pausing
}

// keep queues c.event, in memory of its own. Once our close frame is owed, what
// the queue has no room for is discarded, so that closing never waits for the
// application; and all that follows, so that nothing is missing in the middle.
func (c *Conn) keep() {
	if c.proto.CloseSent() != nil && c.full() {
		c.discarding = true
		return
	}
	if !c.event.Owned {
		c.event.Data = append(released.Lend(len(c.event.Data)), c.event.Data...)
		c.event.Owned = true
	}
	c.queue.push(c.event)
	c.event.Data = nil
	c.waiters.wakeAll()
}

func (c *Conn) full() bool {
	return c.opts.MaxQueue >= 0 && c.queue.len() >= c.opts.MaxQueue ||
		c.opts.MaxQueueBytes >= 0 && c.queue.bytes >= c.opts.MaxQueueBytes
}

// resume ends a pause when the queue is down to a quarter, so that reading
// does not stop and go for each message.
func (c *Conn) resume() {
	if !c.pausing ||
		c.opts.MaxQueue >= 0 && 4*c.queue.len() > c.opts.MaxQueue ||
		c.opts.MaxQueueBytes >= 0 && 4*c.queue.bytes > c.opts.MaxQueueBytes {
		return
	}
	stood := time.Since(c.start()) - c.pausedAt
	c.rarely().paused += stood
	c.pausing = false
	c.excuse(stood)
	c.tell(event{kind: resumed, took: stood})
	c.waiters.wakeAll()
}
