package keepalive

import (
	"math/rand/v2"
	"time"
)

// The defaults of a [Config]. Many proxies end a connection on which nothing
// was said for 60 s, some after 30 s; a ping every 20 s keeps them open.
const (
	DefaultInterval = 20 * time.Second
	DefaultTimeout  = 20 * time.Second
)

// A Config says how often to ping and how long to wait for an answer. The
// zero value is what most connections want.
type Config struct {
	// Interval is the time between two pings. Keep it below the shortest
	// idle timeout on the way (proxies, load balancers, NAT). 0 means
	// [DefaultInterval]; negative means no pings, and so nobody is ever given
	// up. Less than a millisecond is taken as a millisecond, more than ten
	// years as ten years.
	Interval time.Duration

	// Timeout is how long a ping may go without proof of life, counted from
	// when it was due. It may be shorter or longer than Interval: a dead link
	// is reported within Interval + Timeout of the last byte. 0 means
	// [DefaultTimeout]; negative means that the peer is never given up: pings
	// still go out, which keeps the path open. The limits are those of
	// Interval.
	Timeout time.Duration

	// Phase is when the first ping is due, counted from the start. 0 means a
	// random time between 0 and Interval, so that the pings of many
	// connections are spread. Negative, or more than Interval, means
	// Interval. Set it in tests.
	Phase time.Duration

	// Mode is what is sent, and when it is left out.
	Mode Mode

	// Heartbeat, if not nil, is sent in place of pings. Nothing is sent in its
	// place with ModePong, nor by [Watch].
	Heartbeat *Heartbeat

	// Strict makes the pong for the ping, or for a later one, the only proof
	// of life. By default any byte from the peer is: one that sends a large
	// message over a slow link is alive, although its pong has to wait.
	Strict bool
}

// off, as an interval or a timeout, means that there is none.
const off time.Duration = -1

// The shortest and the longest duration that is taken as it is. The shortest
// keeps a forgotten unit (Interval: 20) from becoming a busy loop, the longest
// keeps sums of durations from overflowing.
const (
	shortest = time.Millisecond
	longest  = 10 * 365 * 24 * time.Hour
)

func (c *Config) interval() time.Duration { return resolve(c.Interval, DefaultInterval) }

// timeout is off when nothing is sent that anybody would answer.
func (c *Config) timeout() time.Duration {
	if c.Mode == ModePong {
		return off
	}
	return resolve(c.Timeout, DefaultTimeout)
}

// resolve applies the rule for all options: zero is the default, negative off.
func resolve(d, byDefault time.Duration) time.Duration {
	switch {
	case d == 0:
		return byDefault
	case d < 0:
		return off
	}
	return min(max(d, shortest), longest)
}

// phase returns when the first ping is due: in (0, interval]. Not at 0, where
// the opening handshake has just proved that the peer is there.
func (c *Config) phase(interval time.Duration) time.Duration {
	switch {
	case c.Phase == 0:
		return rand.N(interval) + 1
	case c.Phase < 0:
		return interval
	}
	return min(c.Phase, interval)
}
