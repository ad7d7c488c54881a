package reconnect

import (
	"math/rand/v2"
	"time"
)

// The defaults of a [Config]. The first four are those of Python's websockets.
const (
	DefaultInitialDelay  = 5 * time.Second
	DefaultMinDelay      = 3100 * time.Millisecond
	DefaultMaxDelay      = 90 * time.Second
	DefaultFactor        = 1.618
	DefaultMinUptime     = 5 * time.Second
	DefaultMaxRetryAfter = 5 * time.Minute
)

// A Config says when to try again. The zero value is what most clients want.
type Config struct {
	// InitialDelay is the limit of the first delay: the one after a connection
	// that lived, or after the first attempt of all. 0 means
	// [DefaultInitialDelay]; negative means no first delay. Without it all
	// clients of a server that ends come back at the same moment.
	InitialDelay time.Duration

	// MinDelay is the limit of the second delay in a row, and the next ones
	// grow from it. 0 and less mean [DefaultMinDelay]: it cannot be turned
	// off, for nothing else would slow down a client that is refused. Less
	// than a millisecond is taken as a millisecond.
	MinDelay time.Duration

	// MaxDelay bounds all limits, those of InitialDelay and MinDelay too. 0
	// and less mean [DefaultMaxDelay], or the larger of those two if they are
	// more. Less than a millisecond is taken as a millisecond.
	MaxDelay time.Duration

	// Factor is how many times the limit before it each limit is, from the
	// third on. 0 means [DefaultFactor]; less than 1 is taken as 1.
	Factor float64

	// Delay, if not nil, chooses the n-th delay in a row, n being 1 at first,
	// in place of a random one between 0 and limit. Negative is taken as 0. It
	// is for delays that follow no such rule, and for tests.
	Delay func(n int, limit time.Duration) time.Duration

	// MinUptime is how long a connection has to last for the delays to start
	// anew. 0 and less mean [DefaultMinUptime].
	MinUptime time.Duration

	// MaxRetryAfter bounds the time that a server can ask for with
	// Retry-After. 0 means [DefaultMaxRetryAfter]; negative means that servers
	// are not asked.
	MaxRetryAfter time.Duration

	// ProcessError is given the error of each attempt that has failed. nil
	// means that the error could be gone at the next attempt; an error, the
	// same or another one, that there is to be none: it is what the caller
	// gets. A nil function is the one called [ProcessError].
	ProcessError func(err error) error

	// Waiting, if not nil, is told of each delay before it begins. It is
	// called by the goroutine that waits, and delays it.
	Waiting func(w Wait)
}

// A forgotten unit (MinDelay: 3, MaxDelay: 90) must not make a busy loop, nor
// may sums of durations overflow.
const (
	shortest = time.Millisecond
	longest  = 10 * 365 * 24 * time.Hour
)

// withDefaults returns the configuration with the default in place of each
// zero, and nothing out of bounds.
func (c Config) withDefaults() Config {
	c.InitialDelay = atMost(orDefault(c.InitialDelay, DefaultInitialDelay))
	c.MinDelay = atMost(max(positive(c.MinDelay, DefaultMinDelay), shortest))
	c.MaxDelay = atMost(max(positive(c.MaxDelay, max(DefaultMaxDelay, c.InitialDelay, c.MinDelay)), shortest))
	c.MinUptime = positive(c.MinUptime, DefaultMinUptime)
	c.MaxRetryAfter = atMost(orDefault(c.MaxRetryAfter, DefaultMaxRetryAfter))
	if c.Factor == 0 {
		c.Factor = DefaultFactor
	}
	if !(c.Factor >= 1) { // or it is not a number
		c.Factor = 1
	}
	if c.Delay == nil {
		c.Delay = fullJitter
	}
	if c.ProcessError == nil {
		c.ProcessError = ProcessError
	}
	return c
}

// fullJitter is the default of Delay.
func fullJitter(_ int, limit time.Duration) time.Duration { return rand.N(limit + 1) }

func atMost(d time.Duration) time.Duration { return min(d, longest) }

// orDefault returns d, or byDefault when it is zero; negative is 0.
func orDefault(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return max(d, 0)
}

// positive returns d, or byDefault when it is not more than zero.
func positive(d, byDefault time.Duration) time.Duration {
	if d <= 0 {
		return byDefault
	}
	return d
}
