package keepalive

import "time"

// The clock runs against the peer from when the oldest unanswered ping was
// due. It stands still while reading is paused, and starts anew when our own
// bytes move or when we were late.

// awaiting reports whether the clock runs: a ping is without proof of life,
// as far as was seen, and somebody cares.
func (m *Monitor) awaiting() bool { return m.timeout != off && m.unanswered() }

// unanswered reports whether there is a ping without proof of life.
func (m *Monitor) unanswered() bool { return m.interval != off && m.base <= m.last }

// clockStart returns from when the timeout counts.
func (m *Monitor) clockStart() time.Duration { return max(m.base, m.floor) }

// deadline returns when the peer is given up, if reading is not paused from
// now on.
func (m *Monitor) deadline(ev *Evidence) time.Duration {
	return m.clockStart() + m.timeout + m.standstill(ev)
}

// standstill returns for how long the clock has stood still.
func (m *Monitor) standstill(ev *Evidence) time.Duration {
	return max(time.Duration(ev.pausedFor()-m.stood), 0)
}

// pausedFor returns Paused in nanoseconds, within limits that leave room to
// add to it.
func (ev *Evidence) pausedFor() int64 { return int64(min(max(ev.Paused, 0), 10*longest)) }

// restart starts the clock anew from t, when something moved, unless it started
// later.
func (m *Monitor) restart(t time.Duration) {
	if t > m.clockStart() {
		m.floor = t
		m.recheck, m.reprobes = 0, 0
	}
}

// observeProof goes on to the next ping when there was proof of life for the
// oldest one: a byte that arrived when the ping was due or later. The first
// ping after the proof may have been sent already, if the timeout is longer
// than the interval; it is that one, and not the next to be sent, that keeps
// the promise of interval + timeout.
func (m *Monitor) observeProof(t time.Duration, ev *Evidence) {
	proof := ev.LastByte
	if m.mode == ModeIdle {
		m.putOff(m.before(t, proof))
	}
	if m.strict {
		proof = ev.Answered
	}
	if alive := m.before(t, proof); alive >= m.base {
		m.base = m.sent(m.after(alive))
		m.recheck, m.nextLook, m.reprobes = 0, 0, 0
	}
}

// observePause makes the clock stand still while reading is paused.
//
// Reading cannot have been paused for longer than the time itself, so at least
// ev.Paused - elapsed of it lies before the clock's start. A call at the very
// start makes this exact, and pings are due where the clock starts.
func (m *Monitor) observePause(t time.Duration, ev *Evidence) {
	paused := ev.pausedFor()
	elapsed := int64(max(t-m.clockStart(), 0))
	m.stood = max(m.stood, paused-elapsed)
	if ev.PausedNow && m.timeout != off {
		// Whoever resumes with the clock nearly over has to find the
		// answer in the buffers first: leave a quarter of the timeout.
		m.stood = min(m.stood, paused-elapsed+int64(m.timeout-m.quarter()))
	}
}

// setTimeout changes the timeout of a clock that may be running.
func (m *Monitor) setTimeout(timeout, t time.Duration) {
	switch {
	case timeout == off:
	case m.timeout == off:
		m.floor = max(m.floor, t)
	case timeout < m.timeout:
		m.floor = max(m.floor, min(t, m.clockStart()+m.timeout-timeout))
	}
	m.timeout = timeout
}

// quarter is a quarter of the timeout, the share of it by which other times
// are bounded.
func (m *Monitor) quarter() time.Duration { return m.timeout / 4 }

// before returns at as a duration since the start, no later than t, so that no
// evidence can come from the future.
func (m *Monitor) before(t time.Duration, at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return min(m.since(at), t)
}
