package main

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// resolution is how finely lateness is measured.
const resolution = 10 * time.Microsecond

// lateness counts how late pings were, up to a second. nil counts nothing.
type lateness struct {
	counts [time.Second/resolution + 1]atomic.Int64
}

func (l *lateness) add(d time.Duration) {
	if l != nil {
		l.counts[min(max(d/resolution, 0), time.Duration(len(l.counts)-1))].Add(1)
	}
}

func (l *lateness) forget() {
	if l != nil {
		for i := range l.counts {
			l.counts[i].Store(0)
		}
	}
}

// quantile returns how late a part of all pings were at most.
func (l *lateness) quantile(q float64) time.Duration {
	all := int64(0)
	for i := range l.counts {
		all += l.counts[i].Load()
	}
	below := int64(0)
	for i := range l.counts {
		n := l.counts[i].Load()
		if below += n; n > 0 && float64(below) >= q*float64(all) {
			return time.Duration(i+1) * resolution
		}
	}
	return 0
}

// A clock is what the loops around other libraries have in common.
type clock struct{ late *lateness }

// tick calls ping every interval, beginning at a random moment within the
// first, until it fails.
func (c clock) tick(ping func() error) {
	time.Sleep(rand.N(interval))
	begin := time.Now()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for range ticker.C {
		if ping() != nil {
			return
		}
		if c.late != nil {
			c.late.add(time.Since(begin) % interval)
		}
	}
}
