//go:build linux

package measure

import (
	"slices"
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/load"
)

// A sample is what a turn of a subject came to, or several.
type sample struct {
	cpu time.Duration
	load.Result
}

// A clock tells the CPU time that a process has used.
type clock func() (time.Duration, error)

// time takes a sample of what a process does while the load runs.
func (used clock) time(run func() (*load.Result, error)) (sample, error) {
	before, err := used()
	if err != nil {
		return sample{}, err
	}
	result, err := run()
	if err != nil {
		return sample{}, err
	}
	after, err := used()
	return sample{after - before, *result}, err
}

func (s *sample) add(t sample) {
	s.cpu += t.cpu
	s.Messages += t.Messages
	s.Bytes += t.Bytes
	s.Times = append(s.Times, t.Times...)
}

// round returns the sample of a round in the units of a Round.
func (s *sample) round() Round {
	r := Round{CPU: float64(s.cpu) / float64(s.Messages)}
	if len(s.Times) > 0 {
		slices.Sort(s.Times)
		r[P50], r[P99] = s.quantile(0.5), s.quantile(0.99)
	}
	if s.Bytes > 0 {
		r[Wire] = float64(s.Bytes) / float64(s.Messages)
	}
	return r
}

// quantile returns the time that a part q of all exchanges, batch and answer, took
// at most.
func (s *sample) quantile(q float64) float64 {
	return float64(s.Times[min(int(q*float64(len(s.Times))), len(s.Times)-1)])
}
