package link

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A Runner calls [Conn.Tick] when the time has come that the last call
// returned: a goroutine of the connection's, or a thread that serves many.
// Its methods are called with Conn.mu held, but for Ended, and must not wait.
type Runner interface {
	Start(first time.Time)          // call Tick at this time; called once
	Wake()                          // call Tick at once: the schedule has changed
	Stop()                          // do not call it any more
	Ended(how *protocol.CloseError) // called once, before Done
}

// keeper is a connection's keepalive: the schedule, and what it has to know of
// its latest ping. Guarded by Conn.mu.
type keeper struct {
	monitor keepalive.Monitor
	runner  Runner

	// Times are counted from Conn.start; 0 is none.
	pongDue  time.Duration // when the latest ping that was answered was due
	lastTook time.Duration // when it last took some while the latest ping waited; of a calm one, when it was sent
}

// A waitingPings has the schedule's pings that wait for their pongs, oldest
// first.
type waitingPings []keepalivePing

type keepalivePing struct {
	id  protocol.PingID
	due time.Duration
	end int64 // Conn.taken when it had left; 0: it has not
}

// maxWaiting is how many pings are remembered; the protocol remembers no more.
const maxWaiting = 64

func (w *waitingPings) push(id protocol.PingID, due time.Duration) {
	if len(*w) == maxWaiting {
		w.forget(1)
	}
	*w = append(*w, keepalivePing{id: id, due: due})
}

// left notes that the latest ping has left, with the byte that is the last of end.
// It may have been answered already.
func (w waitingPings) left(end int64) {
	if n := len(w); n > 0 {
		w[n-1].end = end
	}
}

// settle forgets the pings up to id, and returns when the last of them was
// due, 0 if there was none.
func (w *waitingPings) settle(id protocol.PingID) (due time.Duration) {
	n := 0
	for n < len(*w) && (*w)[n].id <= id {
		due = (*w)[n].due
		n++
	}
	w.forget(n)
	return due
}

// forget drops the n oldest.
func (w *waitingPings) forget(n int) { *w = (*w)[:copy(*w, (*w)[n:])] }

// pingProgress is how far the latest keepalive ping has come on its way out.
type pingProgress uint8

const (
	pingWritten pingProgress = iota // the transport has it, or there was none yet
	pingOwed                        // the protocol has it
	pingEncoded                     // among what is pending
	pingTaken                       // among what is being written
	beatWaits                       // it is a heartbeat, which has not left
)

// pingEncoded notes that everything that was owed is pending now.
func (c *Conn) pingEncoded() {
	if c.pinging == pingOwed {
		c.pinging = pingEncoded
	}
}

// pingTaken notes that what was pending is being written now.
func (c *Conn) pingTaken() {
	if c.pinging == pingEncoded {
		c.pinging = pingTaken
	}
}

// pingWrote notes that the transport took n bytes, and whether all were taken. It
// reports whether the latest ping left with them.
func (c *Conn) pingWrote(n int64, all bool) (pingLeft bool) {
	c.taken += n
	return c.pinging != pingWritten && n > 0 && c.pingWroteMore(all)
}

// pingWroteMore is pingWrote while the latest ping is on its way out.
func (c *Conn) pingWroteMore(all bool) (pingLeft bool) {
	c.keeper.lastTook = time.Since(c.start())
	switch {
	case c.pinging != pingTaken:
	case all:
		c.pinging = pingWritten
		c.waiting.left(c.taken)
	default:
		c.pinging = pingEncoded // the rest is pending again, and it may be there
	}
	return c.pinging == pingWritten
}

// SetRunner says who runs the keepalive, and is told of the end. It is called
// before Init.
func (c *Conn) SetRunner(runner Runner) { c.keeper.runner = runner }

// StartKeepalive has the runner follow the schedule. It is not started as long
// as there is nothing to do. What there is was worked out when the schedule
// began: to ask it again takes more of the stack than net/http's goroutine has
// left, which calls this for a server, and a larger one costs as much as a
// system call.
func (c *Conn) StartKeepalive() {
	c.lock()
	defer c.unlock()
	k := &c.keeper
	if first := k.monitor.Asked(); !first.IsZero() && !c.kept && c.proto.State() == protocol.Open {
		c.kept = true
		k.runner.Start(first)
	}
}

func (c *Conn) stopKeepalive() {
	if c.kept {
		c.keeper.runner.Stop()
	}
}

// SetKeepalive changes the schedule.
func (c *Conn) SetKeepalive(cfg keepalive.Config) {
	c.lock()
	defer c.unlock()
	c.setHeartbeat(cfg.Heartbeat)
	c.keeper.monitor.SetConfig(cfg, time.Now())
	c.wakeKeeper()
}

// wakeKeeper has the runner look at the schedule.
func (c *Conn) wakeKeeper() {
	if c.kept {
		c.keeper.runner.Wake()
		return
	}
	if next, ok := c.tick(time.Now()); ok && !next.IsZero() {
		c.kept = true
		c.keeper.runner.Start(next)
	}
}

// Tick does what the schedule wants now, without waiting for anything, and
// returns when it wants something again. It is [keepalive.Target]'s.
func (c *Conn) Tick(now time.Time) (next time.Time, ok bool) {
	c.mu.Lock()
	if c.pingsCalmly() {
		next, ok = c.tickCalmly(now)
	} else {
		c.sitIfAway()
		c.stir()
		next, ok = c.tick(now)
	}
	c.rise()
	return next, ok
}

func (c *Conn) tick(now time.Time) (next time.Time, ok bool) {
	if c.proto.State() != protocol.Open || c.deferred {
		// The close timeout sees to the rest. Nothing is read any more once
		// the peer broke the protocol, so it could not be judged either.
		return next, false
	}
	c.gather(now)
	if c.looking(now) {
		return c.lookBy, true
	}
	action := c.keeper.monitor.Next(now, &c.seen)
	return c.follow(now, &action)
}

// follow does as the schedule says, until it is to wait.
func (c *Conn) follow(now time.Time, action *keepalive.Action) (next time.Time, ok bool) {
	for ; ; *action = c.keeper.monitor.Next(now, &c.seen) {
		switch action.Kind {
		case keepalive.Wait:
			return action.At, true
		case keepalive.Ping:
			c.keepalivePing(action.Due)
			c.gather(now)
		case keepalive.Pong:
			c.keepalivePong()
		case keepalive.Inspect:
			if c.askReader(action.At) {
				return action.At, true
			}
			c.observe(now)
		case keepalive.GiveUp:
			c.giveUp(action.Err)
			return next, false
		}
	}
}

// keepalivePing sends a ping, or leaves it to who is writing.
func (c *Conn) keepalivePing(due time.Time) {
	if h := c.heart(); h != nil {
		c.beat(h, due)
		return
	}
	id, err := c.proto.SendPing(nil)
	if err != nil {
		return // no random payload; the next one may have better luck
	}
	c.waiting.push(id, due.Sub(c.start()))
	c.pinging = pingOwed
	c.countPing()
	c.flush()
	c.attendNow()
}

// keepalivePong sends a pong that nobody asked for. It is without a payload,
// which cannot be refused, and nothing answers it.
func (c *Conn) keepalivePong() {
	if c.proto.SendPong(nil) == nil {
		c.opts.Counters.pong()
		c.flush()
	}
}

// giveUp cuts the connection, after an attempt to say why that does not wait.
func (c *Conn) giveUp(cause *keepalive.TimeoutError) {
	c.tell(event{kind: timedOut, err: cause})
	c.aborted = true
	c.failNow(protocol.InternalError, "keepalive ping timeout", cause)
	c.pokeWriter()
}

// explain returns err, that of the transport, or if it is the system's own
// time-out what that means. The transport is asked before it is closed. The
// system tells it once: a write that came later was told no more than that it
// cannot be, and may have come to say so sooner.
func (c *Conn) explain(err error) error {
	if _, told := c.writeErr.(*keepalive.TimeoutError); told || c.recvErr != nil || !isGone(err) {
		return err
	}
	now := time.Now()
	c.gather(now)
	c.observe(now)
	lost := c.keeper.monitor.Lost(now, &c.seen, err)
	c.tell(event{kind: timedOut, err: lost})
	if c.writeErr != nil {
		c.writeErr = lost
	}
	return lost
}

// isGone reports whether err says that the peer's system did not answer for as
// long as ours tries, or that there is no way to it any more.
func isGone(err error) bool {
	if errno, ok := err.(syscall.Errno); ok { // as the raw transport has it
		return slices.Contains(gone[:], errno)
	}
	return slices.ContainsFunc(gone[:], func(errno syscall.Errno) bool { return errors.Is(err, errno) })
}

// gather makes what the connection knows at now c.seen.
func (c *Conn) gather(now time.Time) {
	ev := &c.seen
	*ev = keepalive.Evidence{}
	c.gatherCalm(ev)
	ev.Written, ev.Unsent = c.written(), c.unsentBytes()
	ev.Queued, ev.QueuedBytes = c.queue.len(), c.queue.bytes
	if ev.PausedNow = c.pausing; ev.PausedNow {
		ev.Paused += now.Sub(c.start()) - c.pausedAt
	}
	if c.writing && c.pinging != pingWritten {
		if took := c.out.progressed.Load(); took > 0 {
			ev.WriteProgress = c.at(time.Duration(took))
		}
	}
}

// gatherCalm is gather without what is at the desk.
func (c *Conn) gatherCalm(ev *keepalive.Evidence) {
	ev.LastByte = c.lastByte()
	ev.Answered = c.at(c.keeper.pongDue)
	ev.Paused = c.pausedBefore()
	ev.PingSent = c.pinging == pingWritten
	ev.WriteProgress = c.at(c.keeper.lastTook)
	ev.Written = c.taken
	ev.RTT = c.stats.smoothedRTT
}

// at returns the time that is d after the start; zero if d is.
func (c *Conn) at(d time.Duration) (t time.Time) {
	if d != 0 {
		t = c.start().Add(d)
	}
	return t
}

// A lookState is how far whoever reads has come with looking whether something
// has come from the peer, before it is given up.
type lookState uint8

const (
	lookNone lookState = iota
	lookAsked
	lookDone   // the schedule is to be told
	lookMissed // it has been told that he had no turn in time, and he had none since
)

// askReader has whoever reads look, who may have something in his hands and wait
// for a turn. If nobody reads somebody will. It is in vain where reads cannot be
// interrupted; if that is not known, it shows when he has had no turn for all of
// a further timeout.
func (c *Conn) askReader(by time.Time) (asked bool) {
	if by.IsZero() || c.look == lookMissed || c.tr().setReadDeadline(longAgo) != nil {
		return false
	}
	c.poked = true
	c.look, c.lookBy = lookAsked, by
	c.attendNow()
	return true
}

// lookAwhile has who begins to read, when he was asked to look, not wait for
// long. It takes a moment until the system has told the runtime of what it has.
func (c *Conn) lookAwhile() {
	c.poked = true
	c.tr().setReadDeadline(time.Now().Add(10 * time.Millisecond))
}

// looked notes that whoever reads had a turn.
func (c *Conn) looked() {
	switch c.look {
	case lookAsked:
		c.look = lookDone
		if c.kept {
			c.keeper.runner.Wake()
		}
	case lookMissed:
		c.look = lookNone
	}
}

// looking reports whether who was asked to look is waited for. If he was, what
// the schedule wanted to know is c.seen.
func (c *Conn) looking(now time.Time) bool {
	switch {
	case c.look == lookDone && c.reader == nobody && c.proto.Buffered() && now.Before(c.lookBy):
		c.look = lookAsked // he has it in his hands, and has not looked at all of it
		c.attendNow()
		return true
	case c.look == lookAsked && now.Before(c.lookBy):
		return true
	case c.look == lookAsked:
		c.look = lookMissed
		c.observe(now)
	case c.look == lookDone:
		c.look = lookNone
		c.observe(now)
	}
	return false
}

// observe has the schedule see what the transport says.
func (c *Conn) observe(now time.Time) {
	c.seen.Transport, c.seen.Inspected = c.inspect(now), true
}

// inspect asks the transport what became of what was written. The ping has
// arrived if no more is unacknowledged than was written after it. The schedule
// thinks that it is now; if we were stopped since, the transport does not.
func (c *Conn) inspect(now time.Time) keepalive.Transport {
	tr := c.tr().inspect()
	late := max(time.Since(now), 0)
	tr.SinceAck, tr.SinceArrival = max(tr.SinceAck-late, 0), max(tr.SinceArrival-late, 0)
	tr.SinceData = max(tr.SinceData-late, min(tr.SinceData, 1)) // 0 stays 0, and nothing else becomes it
	tr.PingAcked = c.pinging == pingWritten && tr.Unacked <= c.written()-c.pingEnd()
	return tr
}

// pingEnd returns what Conn.taken was when the latest ping or heartbeat had left. Of
// one that was answered it need not be known: it has arrived.
func (c *Conn) pingEnd() (end int64) {
	if c.rare != nil {
		end = c.rare.beatEnd
	}
	if n := len(c.waiting); n > 0 {
		end = max(end, c.waiting[n-1].end)
	}
	return end
}

// written returns how many bytes the transport has taken, also of a write that
// waits for it to take more: that may wait for as long as the peer does not
// read, and what it took is on the way.
func (c *Conn) written() int64 {
	n := c.taken
	if c.writing {
		n += c.out.sent.Load()
	}
	return n
}

// unsentBytes returns how many bytes wait to be taken by the transport.
func (c *Conn) unsentBytes() int64 {
	n := int64(len(c.pend.buf))
	if c.writing {
		n += c.out.total - c.out.sent.Load()
	}
	return n
}
