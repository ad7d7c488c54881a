//go:build !race

// The race detector allocates on its own account, so these tests are built
// without it only.

package keepalive

import (
	"fmt"
	"testing"
	"time"
)

// clockwork is a Thread whose clock and goroutine a test is.
type clockwork struct {
	thread  Thread
	now     time.Time
	timer   *time.Timer
	entries []Entry
	conns   []punctual
}

func newClockwork(n int) *clockwork {
	c := &clockwork{now: epoch, timer: time.NewTimer(never), entries: make([]Entry, n), conns: make([]punctual, n)}
	c.thread.Now = func() time.Time { return c.now }
	c.thread.running = true // no other goroutine
	c.thread.wake, c.thread.epoch = make(chan struct{}, 1), epoch
	for i := range c.conns {
		c.conns[i].monitor.Start(Config{Interval: 20 * sec, Timeout: 10 * sec}, epoch)
		c.thread.Add(&c.entries[i], &c.conns[i], epoch)
	}
	c.step()
	return c
}

// step calls all that are due and goes on to the next.
func (c *clockwork) step() {
	c.thread.tickDue(c.timer)
	c.now = epoch.Add(c.thread.setTo)
}

// Once connections are registered, pinging them allocates nothing, and neither
// does waking them.
func TestAllocsThread(t *testing.T) {
	c := newClockwork(1000)
	defer c.timer.Stop()
	if n := testing.AllocsPerRun(5000, c.step); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
	if n := testing.AllocsPerRun(1000, c.entries[17].Wake); n != 0 {
		t.Errorf("a wake allocates %v times", n)
	}
	for i := range c.conns {
		if n := c.conns[i].pings.Load(); n < 2 {
			t.Fatalf("connection %d had %d pings", i, n)
		}
	}
}

// A Monitor allocates only when it gives up.
func TestAllocsMonitor(t *testing.T) {
	var m Monitor
	m.Start(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: sec}, epoch)
	ev, now := Evidence{PingSent: true}, epoch
	if n := testing.AllocsPerRun(1000, func() {
		switch a := m.Next(now, &ev); a.Kind {
		case Wait:
			now = a.At
		case Ping:
			ev.LastByte, ev.Unsent = now, 1-ev.Unsent
		case Inspect:
			ev.Inspected, ev.Transport = true, Transport{Known: true, Unacked: 1}
		}
	}); n != 0 {
		t.Errorf("a call allocates %v times", n)
	}
	if m.err != nil {
		t.Errorf("given up: %v", m.err)
	}
}

// BenchmarkThread measures what one Tick costs on a Thread, with few connections
// and with many: the agenda, the timer and the Monitor. What a ping costs on top
// does not depend on how many there are.
func BenchmarkThread(b *testing.B) {
	for _, conns := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("%d connections", conns), func(b *testing.B) {
			c := newClockwork(conns)
			defer c.timer.Stop()
			for range c.conns {
				c.step() // past the first ping, to the steady state
			}
			b.ReportAllocs()
			for b.Loop() {
				c.step()
			}
		})
	}
}
