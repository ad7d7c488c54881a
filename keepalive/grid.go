package keepalive

import "time"

// layGrid begins a grid with a ping at the time first.
func (m *Monitor) layGrid(first time.Duration) {
	m.first, m.next, m.base = first, first, first
}

// setInterval begins a new grid if the interval is another one.
func (m *Monitor) setInterval(cfg *Config, t time.Duration) {
	interval := cfg.interval()
	if interval == m.interval {
		return
	}
	unanswered, base := m.unanswered(), m.base
	m.interval = interval
	if interval == off {
		return
	}
	m.layGrid(t + cfg.phase(interval))
	m.prompt = 0 // they were on another grid
	if unanswered {
		m.base = base
	}
}

// after returns the first point of the grid after t. It is computed, not
// counted up, so that the grid does not drift and missed points cost nothing.
func (m *Monitor) after(t time.Duration) time.Duration {
	if t < m.first {
		return m.first
	}
	return t + m.interval - (t-m.first)%m.interval
}

// ping asks for the ping that is due. Points of the grid that were missed are
// not made up for: one ping proves as much as several.
func (m *Monitor) ping(t time.Duration, ev *Evidence) answer {
	if m.worthInspecting(ev) && m.look == lookIdle {
		return m.inspect(t)
	}
	m.written = ev.Written
	due := m.after(t) - m.interval
	ask := m.demand(t, due, ev)
	m.prompt += min(1, ^m.prompt)
	if m.base == due && t-due > m.tolerance() {
		m.floor = t // nobody else is to blame for the delay
	}
	return ask
}

// demand asks for a ping that was due at the time due, now or before.
func (m *Monitor) demand(t, due time.Duration, ev *Evidence) answer {
	if ev.PingSent || m.last == none {
		m.left, m.held = m.last, false // this one waits alone, if at all
	} else {
		m.prompt = 0
	}
	m.skip(due)
	m.last = due
	m.next = m.after(t)
	m.asked = t
	return answer{m.kind(), due}
}

// leftLate reports whether a ping since the one that was due then may have left late.
// There was one at each point of the grid at most, but for those that lateness has
// earned, which do not count as prompt.
func (m *Monitor) leftLate(due time.Duration) bool {
	return due+(time.Duration(m.prompt)-1)*m.interval < m.last
}

// kind is what to send.
func (m *Monitor) kind() Kind {
	if m.mode == ModePong {
		return Pong
	}
	return Ping
}

// skip notes that the points of the grid from the next one to due, if any, were
// missed. No proof of life can be expected for them: the ping that is due takes
// their place.
func (m *Monitor) skip(due time.Duration) {
	if due > m.next {
		m.skipFrom, m.skipTo = m.next, due
		m.base = m.sent(m.base)
	}
}

// sent returns when the ping was due that was sent in the place of the one on
// the grid at due.
func (m *Monitor) sent(due time.Duration) time.Duration {
	if m.skipFrom <= due && due < m.skipTo {
		return m.skipTo
	}
	return due
}
