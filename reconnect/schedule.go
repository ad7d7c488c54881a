package reconnect

import (
	"math"
	"time"
)

// A Wait says how long a client waits before its next attempt, and why.
type Wait struct {
	// N counts the waits since a connection lived, or since the beginning:
	// this one is the N-th.
	N int

	// Err is how the latest attempt has failed or, if Connected, how the
	// connection that it brought has ended.
	Err       error
	Connected bool

	// Delay is how long the client waits in all, and RetryAfter the part of it
	// that the server has asked for.
	Delay, RetryAfter time.Duration
}

// A Schedule is where a client stands in its row of delays. It is pure: it
// waits for nothing and reads no clock. [NewSchedule] makes one. It is not safe
// for concurrent use.
type Schedule struct {
	cfg Config
	n   int // waits since a connection lived
}

// NewSchedule returns the schedule of a client that has not tried yet.
func NewSchedule(cfg Config) *Schedule { return &Schedule{cfg: cfg.withDefaults()} }

// ProcessError returns nil if an attempt that has failed like this is worth
// another one, else what the caller is to get; see [Config.ProcessError].
func (s *Schedule) ProcessError(err error) error { return s.cfg.ProcessError(err) }

// Failed returns how long to wait after an attempt that has failed. Its error
// may have an answer of the server's in it; now is when it came.
func (s *Schedule) Failed(err error, now time.Time) Wait {
	after := min(retryAfter(err, now), s.cfg.MaxRetryAfter)
	delay := s.delay()
	return Wait{N: s.n, Err: err, Delay: after + delay, RetryAfter: after}
}

// Ended returns how long to wait after a connection that has lasted for uptime
// and ended with err.
func (s *Schedule) Ended(err error, uptime time.Duration) Wait {
	if uptime >= s.cfg.MinUptime {
		s.n = 0
	}
	delay := s.delay()
	return Wait{N: s.n, Err: err, Connected: true, Delay: delay}
}

// delay returns the next delay in the row.
func (s *Schedule) delay() time.Duration {
	s.n++
	return atMost(max(s.cfg.Delay(s.n, s.limit()), 0))
}

// limit returns the limit of the n-th delay.
func (s *Schedule) limit() time.Duration {
	if s.n == 1 {
		return min(s.cfg.InitialDelay, s.cfg.MaxDelay)
	}
	limit := float64(s.cfg.MinDelay) * math.Pow(s.cfg.Factor, float64(s.n-2))
	if limit < float64(s.cfg.MaxDelay) {
		return time.Duration(limit)
	}
	return s.cfg.MaxDelay
}
