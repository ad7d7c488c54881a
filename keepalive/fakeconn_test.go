package keepalive

import (
	"testing"
	"time"
)

// A fakeConn is a connection as a runner sees it: a Monitor, and a peer that
// answers each ping at once or is dead. It is called by one goroutine only.
type fakeConn struct {
	monitor  Monitor
	start    time.Time
	lastByte time.Time
	dead     bool

	pings  []time.Duration // when they were asked for
	gaveUp time.Duration   // 0: it did not
}

func newFakeConn(cfg Config) *fakeConn {
	c := &fakeConn{start: time.Now()}
	c.monitor.Start(cfg, c.start)
	return c
}

func (c *fakeConn) Tick(now time.Time) (next time.Time, ok bool) {
	for {
		switch action := c.monitor.Next(now, &Evidence{LastByte: c.lastByte, PingSent: true}); action.Kind {
		case Wait:
			return action.At, true
		case Ping:
			c.ping(now)
		case GiveUp:
			c.gaveUp = now.Sub(c.start)
			return time.Time{}, false
		}
	}
}

func (c *fakeConn) ping(now time.Time) {
	c.pings = append(c.pings, now.Sub(c.start))
	if !c.dead {
		c.lastByte = now
	}
}

// wantGrid checks that there was a ping at first and then one every interval,
// until end.
func (c *fakeConn) wantGrid(t *testing.T, first, interval, end time.Duration) {
	t.Helper()
	if want := int((end-first-1)/interval) + 1; len(c.pings) != want {
		t.Errorf("%d pings, want %d", len(c.pings), want)
	}
	for i, got := range c.pings {
		if want := first + time.Duration(i)*interval; got != want {
			t.Fatalf("ping %d came at %v, want %v", i, got, want)
		}
	}
}
