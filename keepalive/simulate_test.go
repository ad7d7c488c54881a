package keepalive

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A simulation is a Monitor on a link, and what is watched about it.
type simulation struct {
	t    *testing.T
	seed uint64
	cfg  Config
	m    Monitor
	link *simLink

	moment    time.Duration // after a stop, until the reader reads
	wallAhead time.Duration
	jumped    bool
	tolerance time.Duration

	due     time.Duration // of the latest ping
	reprobe time.Duration // when the latest one was sent that starts the clock anew
	inARow  int           // of them, since a byte was read, written or acknowledged
	sign    time.Duration // it grows with each of them
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	rng := rand.New(rand.NewPCG(seed, 7))
	coin := func() bool { return rng.IntN(2) == 0 }
	cfg := Config{Strict: coin()}
	cfg.Interval = 10*ms + time.Duration(rng.Int64N(int64(time.Minute)))>>rng.IntN(10)
	cfg.Timeout = max(cfg.Interval*time.Duration(1+rng.IntN(40))/8, 10*ms)
	trouble := simTrouble{late: coin(), stopped: coin(), jumps: coin(), paused: coin(), drain: coin(), atDoor: coin(), known: coin(), chatty: coin()}
	// A process that is stopped writes nothing, and a kernel that tells
	// nothing gives no reason to wait for what it holds.
	trouble.stopped = trouble.stopped && !(trouble.drain && trouble.atDoor)
	trouble.known = trouble.known || trouble.drain && !trouble.atDoor
	s := &simulation{t: t, seed: seed, cfg: cfg, link: newSimLink(rng, trouble, cfg, 30*(cfg.Interval+cfg.Timeout))}
	if coin() {
		s.cfg.Mode = ModeIdle
	}
	s.m.Start(s.cfg, epoch)
	s.tolerance = s.m.tolerance()
	s.moment = min(ms, cfg.Timeout/16)
	return s
}

func (s *simulation) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Logf("seed %d, at %v: %+v, %+v, round trip %v, dead from %v", s.seed, s.link.now, s.cfg, s.link.simTrouble, s.link.rtt, s.link.death)
	s.t.Fatalf(format, args...)
}

// run goes from tick to tick until end or until the peer is given up.
func (s *simulation) run(end time.Duration) (gaveUp bool) {
	for s.link.now < end {
		asked := s.link.now
		wait, gaveUp := s.tick()
		if gaveUp {
			return true
		}
		if wait <= asked {
			s.fatalf("it waits until %v", wait)
		}
		s.link.now = s.comes(wait)
	}
	return false
}

// comes returns when the runner comes that was to come at wait.
func (s *simulation) comes(wait time.Duration) time.Duration {
	if s.link.late && s.link.rng.IntN(2) == 0 {
		wait += s.link.upTo(s.tolerance)
	}
	if s.link.jumps && s.link.rng.IntN(10) == 0 {
		s.wallAhead += s.link.upTo(3 * s.cfg.Interval)
		s.jumped = true
	}
	if to, ok := s.link.stops.within(wait); ok {
		return to
	}
	// Soon after a stop, the runner may be no earlier than the reader: nobody
	// could tell that there was a stop.
	if to, ok := s.link.stops.within(wait - s.moment - 1); ok {
		return to + s.moment + 1
	}
	return wait
}

// tick asks until there is something to wait for.
func (s *simulation) tick() (wait time.Duration, gaveUp bool) {
	l := s.link
	wasAsked := s.m.asked
	l.read(s.moment)
	moved, _ := l.progress()
	if sign := l.lastByte + moved + time.Duration(l.inspect().Acked); sign > s.sign {
		s.sign, s.inARow = sign, 0
	}
	ev := l.evidence()
	for range 6 {
		var action Action
		s.m.decide(reading{l.now, l.now + s.wallAhead}, &ev).fill(&action, &s.m)
		switch action.Kind {
		case Wait:
			s.jumped = false
			return action.At.Sub(epoch), false
		case GiveUp:
			s.checkError(action.Err)
			return 0, true
		case Inspect:
			ev.Inspected, ev.Transport = true, l.inspect()
			continue
		case Ping:
			s.checkPing(action.Due.Sub(epoch), wasAsked)
			l.send(action.Due.Sub(epoch))
		}
		ev = l.evidence()
	}
	s.fatalf("it does not come to rest")
	return 0, true
}

// checkPing checks that a ping is on the grid and the only one there, or that
// there was a reason for one off the grid.
func (s *simulation) checkPing(due, wasAsked time.Duration) {
	if due > s.link.now || due <= s.due {
		s.fatalf("ping due at %v, after one at %v", due, s.due)
	}
	s.due = due
	if s.m.floor == s.link.now {
		s.reprobe = due // it may happen to lie on the grid
	} else if s.cfg.Mode == ModeIdle && s.link.lastByte > 0 && due-s.link.lastByte < s.cfg.Interval {
		s.fatalf("ping due at %v, although not idle since %v", due, s.link.lastByte)
	}
	if (due-s.m.first)%s.cfg.Interval == 0 {
		return
	}
	late := s.link.now-wasAsked > s.tolerance
	if due != s.link.now || !late && !s.jumped {
		s.fatalf("ping due at %v, off the grid, late %v", due, late)
	}
	if s.inARow++; s.inARow > maxReprobes && !s.cfg.Strict {
		s.fatalf("%d pings off the grid without a sign of life between them", s.inARow)
	}
}

// checkError checks that the error tells of this moment.
func (s *simulation) checkError(e *TimeoutError) {
	if e == nil || !e.PingDue.Add(e.Waited).Equal(at(s.link.now)) || e.Waited < s.cfg.Timeout ||
		e.SinceByte != s.link.now-max(s.link.lastByte, 0) {
		s.fatalf("error %+v", e)
	}
}

// A live peer that answers within half the timeout is never given up, whatever
// happens on our side and on the way.
func TestSimulateLivePeer(t *testing.T) {
	for seed := range uint64(simulations) {
		s := newSimulation(t, seed)
		if s.run(30 * (s.cfg.Interval + s.cfg.Timeout)) {
			s.fatalf("gave up a live peer: %v", s.m.err)
		}
		if len(s.link.pings) == 0 && !(s.cfg.Mode == ModeIdle && s.link.chatty) {
			s.fatalf("no pings")
		}
	}
}

// A dead one is always given up within Interval + Timeout of the last thing
// that spoke for it.
func TestSimulateDeadPeer(t *testing.T) {
	for seed := range uint64(simulations) {
		s := newSimulation(t, seed)
		period := s.cfg.Interval + s.cfg.Timeout
		s.link.death = s.link.upTo(15 * period)
		if !s.run(200 * period) {
			s.fatalf("a dead peer was not given up")
		}
		bound := s.spokeForIt() + period
		if s.link.late || s.link.stopped {
			// Late at the deadline, a second look, late for that.
			bound += 2*s.tolerance + s.m.quarter()
		}
		if s.link.now > bound {
			s.fatalf("given up late, by %v: %v", s.link.now-bound, s.m.err)
		}
	}
}

// spokeForIt returns when something last spoke for the peer: a byte that was
// read, data that moved, reading that was paused, a process that was stopped.
func (s *simulation) spokeForIt() time.Duration {
	l := s.link
	moved, _ := l.progress()
	last := max(l.lastByte, moved, s.reprobe, 0)
	for _, list := range []spans{l.pauses, l.stops} {
		for _, span := range list {
			if span.from <= l.now {
				last = max(last, min(span.to, l.now))
			}
		}
	}
	return last
}
