package keepalive

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// epoch is when tests happen. Everywhere below, times are durations since
// then.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

// Durations in tests are mostly whole seconds.
const (
	ms  = time.Millisecond
	sec = time.Second
)

// A drive asks a Monitor as a runner does, and is the connection that gives
// the evidence. What the Monitor wants is written down as text, so that a test
// reads as a script.
type drive struct {
	t  *testing.T
	m  Monitor
	ev Evidence

	stuck     bool      // pings do not leave
	transport Transport // what an inspection sees
	wallAhead time.Duration

	pings []time.Duration // when they were due
	pongs int             // that nobody asked for
}

func newDrive(t *testing.T, cfg Config) *drive {
	d := &drive{t: t}
	d.m.Start(cfg, epoch)
	return d
}

// next asks at now until there is something to wait for.
func (d *drive) next(now time.Duration) string {
	d.t.Helper()
	var log []string
	for range 10 {
		var action Action
		d.m.decide(reading{now, now + d.wallAhead}, &d.ev).fill(&action, &d.m)
		d.ev.Inspected, d.ev.Transport = false, Transport{}
		log = append(log, d.told(action))
		switch action.Kind {
		case Wait, GiveUp:
			return strings.Join(log, ", ")
		case Ping:
			d.pings = append(d.pings, action.Due.Sub(epoch))
			d.ev.PingSent = !d.stuck
		case Pong:
			d.pongs++
		case Inspect:
			d.ev.Inspected, d.ev.Transport = true, d.transport
		}
	}
	d.t.Fatalf("at %v the Monitor does not come to rest: %s", now, strings.Join(log, ", "))
	return ""
}

// set changes the configuration.
func (d *drive) set(cfg Config, now time.Duration) {
	d.m.configure(cfg, reading{now, now + d.wallAhead})
}

// told puts an action into words.
func (d *drive) told(a Action) string {
	switch {
	case a.Kind == Wait && a.At.IsZero():
		return "wait"
	case a.Kind == Wait:
		return "wait " + a.At.Sub(epoch).String()
	case a.Kind == Ping || a.Kind == Pong:
		return a.Kind.String() + " " + a.Due.Sub(epoch).String()
	case a.Kind == GiveUp:
		return fmt.Sprintf("give up (%v)", a.Err.Cause)
	}
	return a.Kind.String()
}

// expect asks at now and compares what is wanted.
func (d *drive) expect(now time.Duration, want string) {
	d.t.Helper()
	if got := d.next(now); got != want {
		d.t.Errorf("at %v: %s\n\twant %s", now, got, want)
	}
}

// on goes from wait to wait, from when the Monitor wanted to be asked, and
// returns when it gave up; it stops at end.
func (d *drive) on(from, end time.Duration) (gaveUp time.Duration, ok bool) {
	d.t.Helper()
	for now := from; now <= end; {
		d.next(now)
		switch {
		case d.m.err != nil:
			return now, true
		case d.m.asked == none:
			return 0, false
		case d.m.asked <= now:
			d.t.Fatalf("at %v the Monitor waits until %v", now, d.m.asked)
		}
		now = d.m.asked
	}
	return 0, false
}

// heard notes that a byte arrived.
func (d *drive) heard(when time.Duration) { d.ev.LastByte = at(when) }

// answered notes that the pong arrived for the ping that was due then.
func (d *drive) answered(due time.Duration) { d.ev.Answered = at(due) }

// paused notes for how long reading has stood still in all.
func (d *drive) paused(inAll time.Duration, now bool) { d.ev.Paused, d.ev.PausedNow = inAll, now }
