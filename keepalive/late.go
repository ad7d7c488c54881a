package keepalive

import "time"

// maxReprobes is how often in a row lateness earns the peer another ping. On a
// machine that is late every time, or whose clock is set over and over, a dead
// link has to be reported too. Once is not enough: a process that is stopped
// again right after it went on may not have read the answer.
const maxReprobes = 3

// tolerance is how late a call may come without our having been stopped. A
// busy machine is late by milliseconds, one that collects garbage or is
// throttled by a tenth of a second; whoever is late by a second did not run.
// With a short timeout a quarter of it matters as much.
func (m *Monitor) tolerance() time.Duration { return tolerance(m.timeout) }

func tolerance(timeout time.Duration) time.Duration {
	if timeout == off {
		return time.Second
	}
	return min(time.Second, timeout/4)
}

// late reports that the call comes so much later than was asked for that
// nothing can be said about the time between: answers may lie unread, and
// pings were not sent when they were due.
func (m *Monitor) late(t time.Duration) bool {
	return m.asked != none && t-m.asked > m.tolerance()
}

// lateForGood returns by how much a deadline was missed if that is because we
// were stopped again and again, so that the peer has no further chance; else 0:
// one that was noticed a little late, and looked at twice, is no fault of ours.
func (m *Monitor) lateForGood(lateness time.Duration) time.Duration {
	if m.reprobes < maxReprobes {
		return 0
	}
	return lateness
}

// slept reports that the machine was suspended since the previous call: the
// wall clock went on and the monotonic one, by which timers run, did not. If
// somebody set the wall clock forward instead, this costs one early ping; if
// it was set back, nothing.
func (m *Monitor) slept(now reading) bool {
	ahead := now.skew() - m.skew
	m.skew = now.skew()
	return m.interval > 0 && ahead > m.interval
}

// reprobe pings at once, off the grid, and starts the clock anew.
func (m *Monitor) reprobe(t time.Duration, ev *Evidence) answer {
	m.reprobes++
	m.floor = t
	return m.demand(t, t, ev)
}

// recheckAfter returns how long after a deadline that was noticed late it is
// looked at once more. We may have been stopped until a moment ago, with the
// answer in a buffer: the reader gets as long as we were late, and time enough
// to be scheduled at all. When we are on time, as in a test with virtual time,
// there is no second look.
func (m *Monitor) recheckAfter(lateness time.Duration) time.Duration {
	return min(max(lateness, 10*time.Millisecond), m.quarter())
}
