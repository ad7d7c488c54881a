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
	unanswered, base := m.interval != off && m.base <= m.last, m.base
	m.interval = interval
	if interval == off {
		return
	}
	m.layGrid(t + cfg.phase(interval))
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
func (m *Monitor) ping(t time.Duration, ev *Evidence) Action {
	if m.worthInspecting(ev) && m.look == lookIdle {
		return m.inspect(t)
	}
	m.written = ev.Written
	return m.demand(t, m.after(t)-m.interval)
}

// demand asks for a ping that was due at the time due, now or before.
func (m *Monitor) demand(t, due time.Duration) Action {
	m.last = due
	m.next = m.after(t)
	m.asked = t
	return Action{Kind: Ping, Due: m.start.Add(due)}
}
