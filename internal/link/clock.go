package link

import (
	"sync"
	"time"
)

// A Clock ends the two short delays that busy connections wait for all the
// time: the grace period, and the time for which an answer may be held. The
// connections of a server share one. With a timer for each connection every
// delay would end in a goroutine of its own, and a burst of connections would
// leave as many behind: the runtime keeps what a goroutine was made of.
//
// It has no goroutine between two ends of delays, and is not kept from the next
// by a connection that is busy.
type Clock struct {
	grace, hold line
}

// NewClock returns a clock for connections with these options.
func NewClock(opts *Options) *Clock {
	now := time.Now()
	return &Clock{
		grace: line{begun: now, delay: gracePeriod, turn: func(d *desk) *turn { return &d.grace }, over: (*Conn).graceOver},
		hold:  line{begun: now, delay: max(opts.Hold, 0), turn: func(d *desk) *turn { return &d.hold }, over: (*Conn).holdOver},
	}
}

// A line is where connections wait for the end of the same delay: who comes
// first is first to go.
type line struct {
	begun time.Time // what times count from: that asks for one half of the clock
	delay time.Duration
	turn  func(*desk) *turn
	over  func(*Conn) // called with Conn.mu held; it must not wait

	mu          sync.Mutex // taken after Conn.mu
	first, last *turn
	timer       *time.Timer // nil while nobody waits: the next may be of another synctest bubble
}

// A turn is a connection's place in a line. It is guarded by the line's mutex,
// set by Conn.mu, and due is written with both held.
type turn struct {
	set        bool          // the delay has begun, and neither ended nor been stopped
	due        time.Duration // from line.begun
	conn       *Conn         // nil: it is not in the line
	prev, next *turn
}

// start begins the delay, which has not begun. c.mu is held.
func (l *line) start(c *Conn) {
	t := l.turn(c.desk)
	l.mu.Lock()
	t.set, t.conn, t.due = true, c, l.now()+l.delay
	l.append(t)
	if l.timer == nil {
		l.timer = time.AfterFunc(l.delay, l.ring)
	}
	l.mu.Unlock() // not deferred, for the sake of the stack
}

// stop leaves the line. c.mu is held.
func (l *line) stop(c *Conn) {
	t := l.turn(c.desk)
	t.set = false
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(t)
	if l.first == nil && l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

// ring ends the delays that are over, and those that nearly are: of many
// connections they end together then.
func (l *line) ring() {
	until := l.now() + l.delay/8
	for c := l.next(until); c != nil; c = l.next(until) {
		if c.mu.TryLock() {
			l.end(c, until)
			continue
		}
		go func() {
			c.mu.Lock()
			l.end(c, until)
		}()
	}
}

// next takes the first connection out of the line, or if it is not its turn
// has the line rung again when it is.
func (l *line) next(until time.Duration) (c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch t := l.first; {
	case t == nil:
		l.timer = nil
	case t.due > until:
		l.timer.Reset(t.due - l.now())
	default:
		c = t.conn
		l.remove(t)
	}
	return c
}

// end ends the delay of c, unless it was stopped meanwhile and perhaps begun
// anew. c.mu is held, and let go of.
func (l *line) end(c *Conn, until time.Duration) {
	if c.desk == nil {
		c.mu.Unlock()
		return
	}
	if t := l.turn(c.desk); t.set && t.due <= until {
		t.set = false
		l.over(c)
	}
	c.unlock()
}

func (l *line) now() time.Duration { return time.Since(l.begun) }

func (l *line) append(t *turn) {
	t.prev, t.next = l.last, nil
	if l.last != nil {
		l.last.next = t
	} else {
		l.first = t
	}
	l.last = t
}

// remove takes t out of the line if it is there.
func (l *line) remove(t *turn) {
	if t.conn == nil {
		return
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		l.first = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		l.last = t.prev
	}
	t.conn, t.prev, t.next = nil, nil, nil
}
