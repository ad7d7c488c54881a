package witness

import (
	"flag"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Main is the TestMain of rigs whose cases mostly wait: all of them wait at
// once, no goroutine is left behind, and it is noticed when the machine does
// not let the process run.
func Main(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "1000")
	goleak.VerifyTestMain(watched{m})
}

// watched runs the tests with the witness beside them.
type watched struct{ m *testing.M }

func (w watched) Run() int {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		watchStalls(done)
	}()
	defer func() { close(done); <-ended }()
	return w.m.Run()
}

// A stall is a time for which the process, or the part of it that looked, did
// not run.
type stall struct{ from, to time.Time }

var stalls struct {
	sync.Mutex
	list []stall
}

// The witness wakes this often, and notes when it woke later by noteworthy.
const (
	wakeUp     = 20 * time.Millisecond
	noteworthy = 100 * time.Millisecond
)

// watchStalls is the witness: a goroutine with next to nothing to do.
func watchStalls(done <-chan struct{}) {
	ticker := time.NewTicker(wakeUp)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		now := time.Now()
		if now.Sub(last) > wakeUp+noteworthy {
			stalls.Lock()
			stalls.list = append(stalls.list, stall{last, now})
			stalls.Unlock()
		}
		last = now
	}
}

// stalled returns for how long in all the process did not run between two
// times, and for how long at most at a stretch.
func stalled(from, to time.Time) (all, worst time.Duration) {
	stalls.Lock()
	defer stalls.Unlock()
	for _, s := range stalls.list {
		if s.to.After(from) && s.from.Before(to) {
			d := s.to.Sub(s.from)
			all, worst = all+d, max(worst, d)
		}
	}
	return all, worst
}
