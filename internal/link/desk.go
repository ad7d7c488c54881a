package link

import (
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A desk is what a connection works with while anything is under way. It is
// borrowed, so that an idle connection, of which a server may have very many,
// has none. It is guarded by Conn.mu, but for out, which is the write token
// holder's.
//
// What every message looks at stands together, as in a [protocol.Conn]: it is in
// fewer lines of the processor's cache then, and with many connections each of
// them is missing there when the next message comes.
type desk struct {
	proto protocol.Conn

	// Reading and writing, as every message does.
	event      *protocol.Event // what was found last
	waiters    waitList        // who waits for a frame, the reader token, or the end
	queue      queue           // read and not received
	stream     *Reader         // the message that is being received in pieces
	recvErr    error           // what receivers get after the queue
	assembling bool            // the protocol does, as it arrives
	discarding bool            // messages were not kept while closing: see keep
	deferred   bool            // the peer's violation waits for the queue to be read
	look       lookState       // of whoever reads, before the peer is given up
	writing    bool            // out is being written by a call that waits
	writePoked bool            // ... and the write deadline was set to interrupt it
	message    token           // held for a whole data message
	write      token           // held for one socket write
	writeErr   error           // the transport takes no more
	pend       pending         // encoded and not written
	once       once            // what is being written quickly; see writeQuickly
	more       []byte          // of a batch, in input.block, which the protocol has not been told of
	moreHeader int             // the lengths in bytes of the header and the payload of its first message
	moreLength int
	out        output // what is being written

	// In the lines of the clock.
	grace turn // before an attendant reads
	hold  turn // before what is held is written

	config protocol.Config // of proto

	// Reading.
	window   []byte        // where the protocol wants what is read first; see input
	judging  bool          // a message is shown to the application; see isAnswer
	deferral lazyTimer     // for how long at most a violation is deferred
	pausing  bool          // reading has stopped because the queue is full
	pausedAt time.Duration // since when, from Conn.start
	lookBy   time.Time     // how long a look may take

	// Writing.
	send    sender   // what the holder of the message token is sending
	writer  *Writer  // the open one; it holds the message token
	backlog *backlog // sent to many connections and not written; nil: nothing is

	// Pings that wait for their pongs.
	pongs   []*Pong      // the application's
	waiting waitingPings // keepalive's

	seen keepalive.Evidence // for its schedule; here, for on the stack it takes room
}

var desks = newStock(newDesk)

func newDesk() *desk {
	d := new(desk)
	d.out.ready = d.out.whenWritable()
	d.once.write = d.once.writing()
	d.proto.SentPing(nil, time.Time{}) // for there to be memory when a receiver has to tell of one: its stack is small
	d.waiting = make(waitingPings, 0, 1)
	return d
}

// lock takes Conn.mu. Whoever takes it so has a desk, and may do anything there; see
// calm.go.
func (c *Conn) lock() {
	c.enter()
	c.stir()
}

// unlock lets go of Conn.mu, and of the desk unless it is needed: when somebody
// reads, and waits, and the grace period since the last message is over. Before
// that the next message is probably near, and making room for it over and over
// would cost more than the rest of what we do for it.
//
// A connection that has ended comes back to a desk for a call, and leaves it.
func (c *Conn) unlock() {
	switch {
	case c.over():
		c.retire()
	case c.reader != nobody && c.mood&(inGrace|sendingCalmly) == 0 && !c.hold.set && c.desk.idle():
		c.leave()
	}
	c.mu.Unlock()
}

// rise is unlock for who may have got along without a desk.
func (c *Conn) rise() {
	if c.desk != nil {
		c.unlock()
	} else {
		c.mu.Unlock()
	}
}

// sitIfAway has the connection at a desk.
func (c *Conn) sitIfAway() {
	if c.desk == nil {
		c.sitDown()
	}
}

// sitDown is apart so that sitIfAway is inlined.
func (c *Conn) sitDown() { c.sit(desks.borrow()) }

func (c *Conn) sit(d *desk) {
	c.desk = d
	c.out.start = c.start()
	// In place: the stack of whoever comes here is small.
	cfg := &c.desk.config
	cfg.Role = c.opts.Role
	cfg.MaxMessageSize = c.opts.MaxMessageSize
	if c.rare != nil && c.rare.maxMessage != 0 {
		cfg.MaxMessageSize = c.rare.maxMessage
	}
	cfg.MaxFragments = c.opts.MaxFragments
	cfg.MaxControlFrames = c.opts.MaxControlFrames
	cfg.MessageTimeout = c.opts.MessageTimeout
	cfg.ControlsFrom = c.controlsFrom()
	cfg.MaskKeys = maskKeys{}
	cfg.Extensions = c.agreed()
	if c.over() {
		r := c.rare.remains
		cfg.Ended, c.recvErr, c.writeErr = &r.how, r.recvErr, r.writeErr
	}
	c.proto.InitFrom(cfg)
}

// agreed returns the extensions that were agreed on.
func (c *Conn) agreed() []protocol.Extension {
	if c.extensions == nil {
		return nil
	}
	return *c.extensions
}

// controlsFrom brings the allowance of control frames back to the desk.
func (c *Conn) controlsFrom() time.Time {
	if c.controls == 0 {
		return time.Time{}
	}
	return c.start().Add(c.controls)
}

// keepControls keeps the allowance of control frames: a peer that pauses must
// not find a new one.
func (c *Conn) keepControls() {
	c.controls = 0
	if at := c.proto.ControlsFrom(); !at.IsZero() {
		c.controls = at.Sub(c.start())
	}
}

func (c *Conn) leave() {
	if c.assembling {
		c.proto.Detach() // it will be told again where to
		c.assembling = false
	}
	c.keepControls()
	c.event, c.queue.popped, c.in.lone, c.more = nil, protocol.Event{}, 0, nil
	c.mood &^= calm | inBatch
	c.config.Extensions, c.config.Ended = nil, nil
	desks.giveBack(c.desk)
	c.desk = nil
}

// remains are what a connection that has ended remembers of what was at its desk.
type remains struct {
	how               protocol.CloseError
	recvErr, writeErr error
}

// remember makes room for it. Most connections have nothing rare before.
func (c *Conn) remember() *remains {
	if c.rare != nil {
		c.rare.remains = new(remains)
		return c.rare.remains
	}
	both := new(struct {
		rare
		remains
	})
	c.rare = &both.rare
	c.rare.remains = &both.remains
	return c.rare.remains
}

// retire leaves the desk of a connection that has ended, if nobody works at it any
// more and nothing is left to be received.
func (c *Conn) retire() {
	if d := c.desk; c.receiving == notReceiving && d.finished() {
		d.recvErr, d.writeErr = nil, nil
		d.discarding, d.pausing, d.deferred = false, false, false
		d.waiting, d.look = d.waiting[:0], lookNone
		c.leave()
	}
}

// finished reports that a connection that has ended has no use for the desk, and
// that no timer, which knows it by its desk, is about to ring.
func (d *desk) finished() bool {
	return d.queue.empty() && d.stream == nil && d.waiters.first == nil && d.backlog == nil &&
		!d.message.held && !d.write.held && !d.grace.set && !d.hold.set && d.deferral.timer == nil
}

// idle reports that nothing is under way.
func (d *desk) idle() bool {
	return d.proto.Idle() && !d.judging && !d.message.held && !d.write.held && len(d.pend.buf) == 0 &&
		d.queue.empty() && d.stream == nil && d.recvErr == nil && d.writeErr == nil &&
		d.waiters.first == nil && d.look == lookNone && len(d.pongs)+len(d.waiting) == 0
}
