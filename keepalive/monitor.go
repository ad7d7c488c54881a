package keepalive

import (
	"time"
)

// A Kind says what an [Action] asks for.
type Kind uint8

const (
	// Wait: ask again at [Action.At], or sooner. A zero At means that there is
	// nothing to wait for until SetConfig is called.
	Wait Kind = iota

	// Ping: hand over a ping and ask again at once. Remember [Action.Due],
	// which names the ping in [Evidence.Answered].
	Ping

	// Pong: hand over a pong that nobody asked for and ask again at once.
	Pong

	// Inspect: fill [Evidence.Transport], set [Evidence.Inspected] and ask
	// again at once, or with a time in [Action.At] after whoever reads has had a
	// turn to see what has come. Whoever cannot inspect just asks again.
	Inspect

	// GiveUp: the connection is lost, for the reason in [Action.Err].
	GiveUp
)

// String returns the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Wait:
		return "wait"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	case Inspect:
		return "inspect"
	case GiveUp:
		return "give up"
	}
	return "unknown"
}

// An Action is what a [Monitor] asks for.
type Action struct {
	Kind Kind
	At   time.Time     // for Wait: when to ask again, zero is never; for Inspect: until when the reader may take
	Due  time.Time     // for Ping and Pong: when it was due
	Err  *TimeoutError // for GiveUp
}

// A Monitor is the keepalive schedule of one connection. It is pure: it starts
// no goroutine, takes no lock and reads no clock, it is asked and it answers.
// It allocates only when it gives up. It is not safe for concurrent use: its
// owner has a lock. The zero value waits for ever until [Monitor.Start].
type Monitor struct {
	// start is the origin: every other time here is a duration since then. It
	// carries both the monotonic and the wall clock's reading.
	start time.Time

	interval time.Duration // between two pings; off or 0: none
	timeout  time.Duration // off: nobody is given up

	// The grid: pings are due at first, first+interval, and so on.
	first time.Duration // where the grid in force began
	next  time.Duration // the next point of the grid that was not pinged yet
	last  time.Duration // when the latest ping was due; none: no ping yet
	left  time.Duration // when the latest ping was due that left before the latest was asked for; none: none did

	skipFrom, skipTo time.Duration // the latest points that were missed: from the one to before the other

	// The clock that runs against the peer (clock.go).
	base  time.Duration // the oldest ping without proof of life; after last: it is yet to come
	floor time.Duration // the clock does not start before this, though base may
	stood int64         // ns that reading had stood still, in all, when the clock started

	// The verdict (verdict.go).
	recheck  time.Duration // when a deadline noticed late is looked at once more; 0: not noticed
	nextLook time.Duration // while paused: when to inspect the transport; 0: when the clock would be over
	err      *TimeoutError

	// What the latest inspection of the transport saw (progress.go).
	acked   int64 // bytes acknowledged
	written int64 // Evidence.Written at the latest ping

	// Lateness and suspension (late.go).
	asked time.Duration // when the next call was asked for; none: not at all
	skew  time.Duration // how far the wall clock was ahead of the monotonic one, at the latest call

	look     lookState
	mode     Mode
	reprobes uint8 // pings because of lateness, since the last proof of life
	strict   bool
	draining bool  // bytes were unacknowledged
	held     bool  // a ping after left was seen waiting at our own door
	prompt   uint8 // how many pings on the grid came after the latest that left late; 255 may be more
}

// none stands for a time that there is not.
const none time.Duration = -1

// Start begins the schedule of a connection whose opening handshake is over.
// The Monitor may be part of a larger value; Start may be called again for
// another connection.
func (m *Monitor) Start(cfg Config, now time.Time) {
	*m = Monitor{
		start:    now,
		interval: cfg.interval(),
		timeout:  cfg.timeout(),
		strict:   cfg.Strict,
		mode:     cfg.Mode,
		last:     none,
		left:     none,
		asked:    none,
	}
	if m.interval != off {
		m.layGrid(cfg.phase(m.interval))
		m.asked = m.first
	}
}

// Started returns the time that Start was given.
func (m *Monitor) Started() time.Time { return m.start }

// Asked returns when Start, or the latest call of Next, asked for the next call of
// Next; zero if it did not.
func (m *Monitor) Asked() (at time.Time) {
	if m.asked != none {
		at = m.start.Add(m.asked)
	}
	return at
}

// Pinged returns when the latest ping was due that Next has asked for, or the pong that
// nobody asked for; zero if there was none.
func (m *Monitor) Pinged() (due time.Time) {
	if m.last != none {
		due = m.start.Add(m.last)
	}
	return due
}

// SetConfig changes the configuration of a running schedule. Whoever runs the
// Monitor must ask it again at once.
//
// With another Interval a new grid begins: the next ping comes Phase after
// now. With the same one the grid stays as it is, and Phase means nothing.
//
// A ping that is unanswered stays so. A longer Timeout gives it longer; a
// shorter one counts from now, but does not put its deadline off. So a dead
// link is reported within the new Interval + Timeout of the last byte or of
// now, whichever is later. Turning pings off forgets it, and so does ModePong.
func (m *Monitor) SetConfig(cfg Config, now time.Time) {
	if m.start.IsZero() {
		m.Start(cfg, now)
		return
	}
	m.configure(cfg, m.read(now))
}

// configure is SetConfig with both readings of the clock.
func (m *Monitor) configure(cfg Config, now reading) {
	if m.interval == off {
		m.skew = now.skew() // what the wall clock did meanwhile is past
	}
	m.setMode(cfg.Mode)
	m.setTimeout(cfg.timeout(), now.mono)
	m.setInterval(&cfg, now.mono)
	m.strict = cfg.Strict
	m.recheck = min(m.recheck, now.mono+m.quarter())
	m.nextLook = 0 // it was worked out from the old configuration
	m.asked = now.mono
}

// Next returns what to do now, in view of what the connection knows. Call it
// when the time that it asked for has come, and again after it answered Ping
// or Inspect; to call it at other times does no harm. Nothing of ev is kept.
// Once it has answered GiveUp it always does, with the same error.
func (m *Monitor) Next(now time.Time, ev *Evidence) (action Action) {
	m.decide(m.read(now), ev).fill(&action, m)
	return action
}

// An answer is an Action in less memory, for who asks may have a small stack. at is
// Action.At or Action.Due, as a duration since the start; none stands for zero.
type answer struct {
	kind Kind
	at   time.Duration
}

func (a answer) fill(action *Action, m *Monitor) {
	action.Kind = a.kind
	switch {
	case a.kind == GiveUp:
		action.Err = m.err
	case a.kind == Ping, a.kind == Pong:
		action.Due = m.start.Add(a.at)
	case a.at != none:
		action.At = m.start.Add(a.at)
	}
}

// decide is Next with both readings of the clock.
func (m *Monitor) decide(now reading, ev *Evidence) answer {
	t, slept := now.mono, m.slept(now)
	switch {
	case m.err != nil:
		return answer{kind: GiveUp}
	case m.interval <= 0:
		return m.waitUntil(none)
	}
	m.observe(t, ev)
	if (slept || m.late(t)) && m.reprobes < maxReprobes {
		return m.reprobe(t, ev)
	}
	if verdict, ok := m.judge(t, ev); ok {
		return verdict
	}
	if t >= m.next {
		return m.ping(t, ev)
	}
	return m.wait(t, ev)
}

// observe brings the clock up to date with the evidence.
func (m *Monitor) observe(t time.Duration, ev *Evidence) {
	m.observeProof(t, ev)
	m.observeWrite(t, ev)
	m.observeTransport(t, ev)
	m.observePause(t, ev)
}

// wait asks for a call at whatever comes first.
func (m *Monitor) wait(t time.Duration, ev *Evidence) answer {
	at := m.next
	if m.awaiting() {
		at = min(at, m.deadline(ev))
		if ev.PausedNow {
			at = min(at, m.lookAt())
		}
	}
	return m.waitUntil(max(at, t+1))
}

func (m *Monitor) waitUntil(at time.Duration) answer {
	m.look = lookIdle
	m.asked = at
	return answer{Wait, at}
}

// inspect asks for a look at the transport.
func (m *Monitor) inspect(t time.Duration) answer {
	m.look = lookAsked
	m.asked = t
	return answer{Inspect, none}
}

// A reading is one moment on both clocks, as durations since the start.
type reading struct{ mono, wall time.Duration }

// skew returns how far the wall clock is ahead of the monotonic one.
func (r reading) skew() time.Duration { return r.wall - r.mono }

// read separates the two clocks that a time.Time carries: without its
// monotonic reading, which Round(0) strips, Sub compares the wall clock.
func (m *Monitor) read(now time.Time) reading {
	return reading{m.since(now), now.Round(0).Sub(m.start.Round(0))}
}

// since returns t as a duration since the start, at least 0. The upper limit
// leaves room to add to it.
func (m *Monitor) since(t time.Time) time.Duration {
	return min(max(t.Sub(m.start), 0), 10*longest)
}
