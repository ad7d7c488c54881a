package keepalive

import "time"

// The lookState is how far an inspection of the transport has come. It keeps
// one call of the runner from asking twice.
type lookState uint8

const (
	lookIdle  lookState = iota
	lookAsked           // the next call brings it
	lookDone            // until the Monitor waits again
)

// quiet is how many bytes may have been written since the previous ping for a
// connection to count as idle: room for that ping and a pong or two, with the
// records of TLS around them.
const quiet = 256

// worthInspecting reports, when a ping is due, whether it may have to wait
// behind data that the transport has taken and not delivered. Then the
// transport is looked at now, so that at the deadline it can be seen whether
// anything has moved since. Idle connections never pay for this.
func (m *Monitor) worthInspecting(ev *Evidence) bool {
	if m.timeout == off {
		return false
	}
	stuck := m.last != none && !ev.PingSent
	return m.draining || stuck || ev.Unsent > 0 || ev.Written-m.written > quiet
}

// observeWrite starts the clock anew while our own write moves and pings wait
// behind it. The last move is when they leave, of which we may hear later. It
// means nothing if a ping had left before that is to be answered: else a link
// on which nothing is would live on every ping that we write.
func (m *Monitor) observeWrite(t time.Duration, ev *Evidence) {
	m.held = m.held || m.last != none && !ev.PingSent
	if m.leavesLate(t, ev) {
		m.prompt = 0
	}
	if m.awaiting() && m.held && m.left < m.base {
		m.restart(m.before(t, ev.WriteProgress))
	}
}

// leavesLate reports that the latest ping has not left when it was due, because it waited
// at our own door or we were late to ask for it.
func (m *Monitor) leavesLate(t time.Duration, ev *Evidence) bool {
	if ev.PingSent {
		t = m.before(t, ev.WriteProgress)
	}
	return t > m.last+m.tolerance()
}

// observeTransport takes the result of an inspection. If bytes were
// acknowledged since the previous one and the ping is not yet among them, what
// is ahead of it is still being delivered: the clock starts anew, from the
// last acknowledgement and no later. A peer that answers the probes of its
// closed window acknowledges no bytes, and gains nothing. Where an acknowledgement
// takes longer than the timeout, it is waited for as long as the transport itself
// does before it sends again.
func (m *Monitor) observeTransport(t time.Duration, ev *Evidence) {
	if m.look != lookAsked {
		return
	}
	m.look = lookDone
	tr := &ev.Transport
	if !ev.Inspected || !tr.Known {
		return
	}
	moved := tr.Acked > m.acked
	m.draining, m.acked = tr.Unacked > 0, tr.Acked
	if moved && !ev.pingAcked() {
		m.restart(t - sinceAck(t, tr))
	}
	if more := tr.trusts(m.timeout); more > 0 && !ev.pingAcked() {
		m.restart(t - m.timeout + min(more, m.timeout)) // and then it is looked at anew
	}
	if !ev.PausedNow && !m.strict {
		m.restart(t - min(sinceArrival(tr), t))
	}
}

// sinceArrival returns for how long proof of life has lain in the system's hands
// or those of a reader who has no turn, where we can only not see it yet: the
// clock starts anew from when the last of it came. Nothing is said of one that
// we have seen, for the clock has started later. While reading is paused it
// stands still anyhow, and strictly what arrives proves nothing until it is a
// pong.
func sinceArrival(tr *Transport) time.Duration {
	since := time.Duration(longest)
	if tr.Unread > 0 {
		since = max(tr.SinceArrival, 0)
	}
	if tr.SinceData > 0 {
		since = min(since, tr.SinceData)
	}
	return since
}

// pingAcked reports that the latest ping has reached the peer's transport.
func (ev *Evidence) pingAcked() bool {
	tr := &ev.Transport
	return ev.PingSent && (tr.PingAcked || tr.Unacked <= 0)
}

// oldestUnacked returns when the oldest ping was or is due that can be
// unacknowledged: the first one after the last acknowledgement. There is none
// when everything was acknowledged or nothing is known. Data that arrive are as
// good as an acknowledgement, for they come over the same network; they carry one
// too, of which the system takes no note if it tells nothing new.
func (m *Monitor) oldestUnacked(t time.Duration, ev *Evidence) (due time.Duration, ok bool) {
	tr := &ev.Transport
	if !ev.Inspected || !tr.Known || tr.Unacked <= 0 {
		return 0, false
	}
	due = m.sent(m.after(t - min(sinceAck(t, tr), sinceArrival(tr))))
	if due > m.last {
		due = max(due, t) // it was not sent yet
	}
	return due, true
}

// sinceAck returns how long ago the last acknowledgement came, at most since
// the start.
func sinceAck(t time.Duration, tr *Transport) time.Duration {
	return min(max(tr.SinceAck, 0), t)
}
