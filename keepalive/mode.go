package keepalive

import "time"

// A Mode is what keeps a connection alive. It can be changed at any time.
type Mode uint8

const (
	// ModePing: a ping every Interval, whatever else comes and goes. Latency
	// is measured all the time.
	ModePing Mode = iota

	// ModeIdle: a ping when nothing has arrived for an Interval, counted from
	// the last byte. A peer that says something more often than that is never
	// pinged, and its latency not measured. Only what arrives counts, for what
	// we send ourselves tells nothing about the peer. A dead link is reported
	// within Interval + Timeout of the last byte, as ever.
	ModeIdle

	// ModePong: a pong that nobody asked for every Interval (RFC 6455, section
	// 5.5.3). It keeps the path open at half the traffic, and is not answered:
	// Timeout means nothing, nobody is ever given up, and there is no latency.
	// For a server whose clients ping it, or notice by themselves. Some
	// proxies count what comes from the other side alone.
	ModePong
)

// String returns the mode in lower case.
func (m Mode) String() string {
	switch m {
	case ModePing:
		return "ping"
	case ModeIdle:
		return "idle"
	case ModePong:
		return "pong"
	}
	return "unknown"
}

// putOff moves the next ping to an interval after the latest byte: the grid
// begins anew there. The handshake is no reason to, so that first pings stay
// spread; and pings that are without an answer stay so. But such a link is not
// dead, also if we were late three times in a row: with the pings put off there
// is no look at the transport that would show it.
func (m *Monitor) putOff(heard time.Duration) {
	at := heard + m.interval
	if heard == 0 || at <= m.next {
		return
	}
	unanswered := m.unanswered()
	m.first, m.next, m.reprobes = at, at, 0
	if !unanswered {
		m.base = at
	}
}

// setMode changes what is sent. Pongs are not answered, so of what was sent
// before nothing is waited for: the clock begins with the next ping.
func (m *Monitor) setMode(mode Mode) {
	if m.mode == ModePong && mode != ModePong {
		m.base, m.last = m.next, none
	}
	m.mode = mode
}
