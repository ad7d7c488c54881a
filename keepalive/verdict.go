package keepalive

import "time"

// judge looks whether the time is over. ok tells that the action is all there
// is to do for now.
func (m *Monitor) judge(t time.Duration, ev *Evidence) (_ answer, ok bool) {
	over := m.awaiting() && !ev.PausedNow && t >= m.deadline(ev)
	if !over {
		m.recheck = 0 // the next deadline gets a second look of its own
	}
	switch {
	case over:
		return m.judgeOver(t, ev)
	case ev.PausedNow && m.awaiting():
		return m.judgePaused(t, ev)
	}
	return answer{}, false
}

// judgeOver gives up, unless a second look or the transport speaks against it.
// The ping that is due at the same time is not sent before: a ping that has
// just left tells nothing about the network.
func (m *Monitor) judgeOver(t time.Duration, ev *Evidence) (answer, bool) {
	lateness := t - m.deadline(ev)
	if lateness > 0 && m.recheck == 0 && m.look == lookIdle {
		m.recheck = t + m.recheckAfter(lateness)
	}
	switch {
	case t < m.recheck:
		return m.waitUntil(m.recheck), true
	case m.look == lookIdle:
		return m.lastLook(t), true
	}
	return m.giveUp(t, m.lateForGood(lateness), ev), true
}

// lastLook asks for a look at the transport, and for a turn of whoever reads: a
// process that computes all the time may send pings on time and not come to read
// the answers. If that takes longer than we tolerate we were late, and it pings
// again.
func (m *Monitor) lastLook(t time.Duration) answer {
	look := m.inspect(t)
	look.at = t + m.tolerance() + 1
	return look
}

// judgePaused asks the transport whether the network is dead, since no answer
// can be seen while reading is paused. It does so whenever a ping has been out
// for the timeout; the network is dead if something was sent, and no
// acknowledgement of any kind has come since. If the transport cannot tell,
// all that is left is to wait. The next look is when the oldest ping that can
// be unacknowledged has been out for the timeout, or else the next one that is
// sent: it may be due at this very moment.
//
// A ping that was due need not have been out since: it may have left late. Then what
// is not acknowledged may have been written just now, and the look is repeated when
// the transport has sent it again.
func (m *Monitor) judgePaused(t time.Duration, ev *Evidence) (answer, bool) {
	switch {
	case t < m.lookAt():
		return answer{}, false
	case m.look == lookIdle:
		return m.inspect(t), true
	}
	oldest, ok := m.oldestUnacked(t, ev)
	over := ok && t-oldest >= m.timeout
	switch {
	case over && !ev.Transport.windowClosed():
		if more := ev.Transport.tries(); more > 0 && m.leftLate(oldest) {
			m.nextLook = t + min(more, m.timeout)
			return answer{}, false
		}
		return m.giveUp(t, 0, ev), true
	case over || !ok:
		oldest = max(m.next, t)
	}
	m.nextLook = oldest + m.timeout
	return answer{}, false
}

// lookAt returns when the transport is inspected while reading is paused: when
// the clock would be over if it did not stand still, and later as the latest
// inspection has shown.
func (m *Monitor) lookAt() time.Duration {
	return max(m.clockStart()+m.timeout, m.nextLook)
}

func (m *Monitor) giveUp(t, late time.Duration, ev *Evidence) answer {
	m.err = m.seen(t, ev)
	m.err.Late = late
	m.err.Cause = m.err.cause()
	return answer{kind: GiveUp}
}

// Lost explains err, with which the operating system has ended the connection
// because the peer's did not answer: ETIMEDOUT, or that there is no way to it.
// ev should have what the transport says, with Inspected set. The schedule is
// over then; Lost changes nothing of it.
func (m *Monitor) Lost(now time.Time, ev *Evidence, err error) *TimeoutError {
	e := m.seen(m.since(now), ev)
	e.Err = err
	e.Cause = e.cause()
	return e
}
