package protocol

import "time"

// Besides the size of a message, a peer decides on how many frames it comes
// in, how long it takes, and how many control frames come in between. None of
// them needs memory, and each of them can keep us at work for ever. RFC 6455,
// section 10.4, has an endpoint protect itself with limits of its own.

// DefaultMaxFragments is how many frames a message may come in unless a [Conn]
// is told otherwise: 128 Ki. That is a message of the default size in frames of
// 8 bytes, and one of 8 MiB in frames of 64 bytes.
const DefaultMaxFragments = 128 << 10

// DefaultMaxControlFrames is how many pings and pongs a second a [Conn] accepts
// unless told otherwise: 1,000.
const DefaultMaxControlFrames = 1000

func orDefault[T int | int64](value, byDefault T) T {
	if value == 0 {
		return byDefault
	}
	return value
}

// An allowance of control frames: one comes back each rate-th of a second, and
// no more than rate of them are saved up. That is a token bucket; all that
// needs to be known of it is when it will be full.
type allowance struct {
	rate  int           // negative: no limit
	full  time.Time     // zero: it is
	spare time.Duration // for how long they are saved up, besides a second
}

func (a *allowance) init(rate int, full time.Time) { a.rate, a.full = rate, full }

// take takes one control frame from the allowance; ok is false when there is
// none left.
func (a *allowance) take(now time.Time) (ok bool) {
	if a.rate < 0 {
		return true
	}
	full := a.full
	if full.Before(now) {
		full = now
	}
	full = full.Add(time.Second / time.Duration(a.rate))
	if full.Sub(now) > time.Second+a.spare {
		return false
	}
	a.full = full
	return true
}

// ControlsFrom returns when the allowance of control frames will be whole
// again, the zero time if it is. A driver that makes another connection of one that
// is [Conn.Idle] gives it to [Config] when this one goes on: a peer that pauses between
// its pings must not get a new allowance by that.
func (c *Conn) ControlsFrom() time.Time {
	if !c.in.controls.full.After(c.in.now) {
		return time.Time{}
	}
	return c.in.controls.full
}

// Paused tells for how long in all the driver has let lie what had arrived. The
// control frames of that time come at once when it reads again, from a peer
// that did nothing wrong, so that as many more are accepted at once.
func (c *Conn) Paused(inAll time.Duration) { c.in.controls.spare = inAll }

// late reports whether the message in progress has taken too long, which is a
// violation. Only what
// arrives is a reason to look: a peer that sends nothing at all is for
// keepalive to notice, and one that answers keepalive is looked at.
func (in *inbound) late() bool {
	if !in.open || in.now.Sub(in.since) <= in.timeout {
		return false
	}
	in.violation = lateMessage.violation(in.timeout)
	return true
}
