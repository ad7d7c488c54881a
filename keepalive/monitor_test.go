package keepalive

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// The first ping comes at Phase and then one every Interval, as long as the
// peer answers. Each ping is due on the grid, and asked for as soon as it is.
func TestSchedule(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 5 * sec, Phase: 7 * sec})
	d.expect(0, "wait 7s")
	d.expect(7*sec, "ping 7s, wait 12s") // the deadline
	d.heard(8 * sec)
	d.expect(12*sec, "wait 27s")
	d.expect(27*sec, "ping 27s, wait 32s")
	d.heard(27*sec + 1)
	d.expect(32*sec, "wait 47s")
}

// The defaults are a ping every 20 s, and 20 s to answer it.
func TestScheduleByDefault(t *testing.T) {
	d := newDrive(t, Config{})
	var first time.Duration
	if first = d.m.first; first <= 0 || first > 20*sec {
		t.Fatalf("the first ping is due at %v", first)
	}
	d.next(first)
	gaveUp, ok := d.on(first, time.Minute)
	if want := first + 20*sec; !ok || gaveUp != want {
		t.Errorf("gave up: %v at %v, want at %v", ok, gaveUp, want)
	}
}

// Being asked at other times than agreed changes nothing.
func TestAskedAtOtherTimes(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 10 * sec})
	d.expect(0, "wait 10s")
	d.expect(3*sec, "wait 10s")
	d.expect(3*sec, "wait 10s")
	d.expect(2*sec, "wait 10s") // not even if the clock goes back
	d.expect(10*sec, "ping 10s, wait 25s")
	d.expect(10*sec, "wait 25s")
	d.expect(11*sec, "wait 25s")
	d.heard(12 * sec)
	d.expect(12*sec, "wait 30s")
	d.expect(29999*ms, "wait 30s")
	d.expect(30*sec, "ping 30s, wait 45s")
	d.expect(44*sec, "wait 45s")
	d.expect(45*sec, "inspect, give up (unknown)")
}

// Over a day the grid does not drift, although each call is late by another
// few milliseconds and the grid has an odd number of nanoseconds.
func TestNoDrift(t *testing.T) {
	const interval, phase = 19*sec + 7, 3 * sec
	const day = 24 * time.Hour
	d := newDrive(t, Config{Interval: interval, Timeout: 10 * sec, Phase: phase})
	for now, i := time.Duration(0), time.Duration(0); now < day; i++ {
		d.next(now)
		d.heard(now) // it answers at once
		now = d.m.asked + i%5*ms
	}
	if want := int((day-phase)/interval) + 1; len(d.pings) != want {
		t.Fatalf("%d pings in a day, want %d", len(d.pings), want)
	}
	for i, due := range d.pings {
		if want := phase + time.Duration(i)*interval; due != want {
			t.Fatalf("ping %d was due at %v, want %v", i, due, want)
		}
	}
}

// A runner that is late by less than the tolerance sends the ping that was
// due; the next one comes on the grid, and not an interval later.
func TestLatePingKeepsTheGrid(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
	d.expect(0, "wait 20s")
	d.expect(20900*ms, "ping 20s, wait 40s")
	d.heard(21 * sec)
	d.expect(40900*ms, "ping 40s, wait 1m0s")
}

// Pings that could not be sent, here because nobody asked for them in time,
// are not made up for.
func TestMissedPingsAreNotMadeUpFor(t *testing.T) {
	d := newDrive(t, Config{Interval: ms, Timeout: 100 * ms, Phase: ms})
	d.expect(0, "wait 1ms")
	d.expect(20*ms, "ping 20ms, wait 21ms")
	d.expect(40*ms+500*time.Microsecond, "ping 40ms, wait 41ms")
	if len(d.pings) != 2 {
		t.Errorf("pings: %v", d.pings)
	}
}

// With Interval off there is nothing to do, ever.
func TestOff(t *testing.T) {
	d := newDrive(t, Config{Interval: -1, Timeout: sec})
	d.expect(0, "wait")
	d.expect(time.Hour, "wait")
	d.paused(time.Hour, true)
	d.expect(2*time.Hour, "wait")
	d.wallAhead = 24 * time.Hour
	d.expect(3*time.Hour, "wait")
}

// Without a timeout pings go out for ever, and nobody is given up: not if
// nothing answers, not while paused, and not on a dead network.
func TestNoTimeout(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: -1, Phase: 20 * sec})
	d.transport = Transport{Known: true, Unacked: 100, SinceAck: time.Hour, Retransmits: 10}
	d.ev.Unsent = 100 // worth an inspection, if anybody cared
	d.expect(0, "wait 20s")
	for due := 20 * sec; due < time.Hour; due += 20 * sec {
		d.paused(due/2, due%(40*sec) == 0)
		d.expect(due, "ping "+due.String()+", wait "+(due+20*sec).String())
	}
}

// The zero Monitor waits for ever, and SetConfig starts it.
func TestZeroMonitor(t *testing.T) {
	var m Monitor
	ev := Evidence{LastByte: at(sec), PausedNow: true, Paused: sec}
	for range 3 {
		if a := m.Next(at(time.Hour), &ev); a != (Action{}) {
			t.Fatalf("%+v, want to wait for ever", a)
		}
	}
	m.SetConfig(Config{Phase: sec}, epoch)
	if a := m.Next(epoch, &Evidence{}); a != (Action{At: at(sec)}) {
		t.Errorf("%+v, want to wait 1s", a)
	}
}

// Start may be called again for another connection, even after giving up.
func TestStartAgain(t *testing.T) {
	cfg := Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec}
	d := newDrive(t, cfg)
	d.ev.Unsent = 100
	if _, ok := d.on(0, time.Minute); !ok {
		t.Fatal("did not give up")
	}
	d.m.Start(cfg, epoch)
	if got := d.m.Started(); !got.Equal(epoch) {
		t.Errorf("started at %v, want %v", got, epoch)
	}
	fresh := newDrive(t, cfg)
	if d.m != fresh.m {
		t.Errorf("started again: %+v\n\twant %+v", d.m, fresh.m)
	}
}

// Once given up, always given up, with the same error, whatever comes.
func TestGiveUpIsSticky(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
	if _, ok := d.on(0, time.Minute); !ok {
		t.Fatal("did not give up")
	}
	first := d.m.err
	d.heard(41 * sec)
	d.paused(sec, true)
	for _, cfg := range []Config{{}, {Interval: -1}, {Timeout: -1}, {Interval: time.Hour}} {
		d.m.SetConfig(cfg, at(time.Minute))
		a := d.m.Next(at(time.Hour), &d.ev)
		if a.Kind != GiveUp || a.Err != first {
			t.Errorf("after SetConfig(%+v): %+v", cfg, a)
		}
	}
}

// A Monitor takes the times of the runner as they are: with a monotonic
// reading, or without one on either side.
func TestNextWithEitherKindOfTime(t *testing.T) {
	mono := time.Now()
	wall := mono.Round(0)
	for name, test := range map[string]struct{ start, now time.Time }{
		"both monotonic": {mono, mono},
		"start only":     {mono, wall},
		"now only":       {wall, mono},
		"neither":        {wall, wall},
	} {
		var m Monitor
		m.Start(Config{Interval: 20 * sec, Phase: 5 * sec}, test.start)
		a := m.Next(test.now.Add(sec), &Evidence{})
		if a.Kind != Wait || !a.At.Equal(test.start.Add(5*sec)) {
			t.Errorf("%s: %+v, want to wait until 5s", name, a)
		}
		if a := m.Next(test.now.Add(5*sec), &Evidence{}); a.Kind != Ping || !a.Due.Equal(test.start.Add(5*sec)) {
			t.Errorf("%s: %+v, want the ping that is due at 5s", name, a)
		}
	}
}

// Each kind has a name; what is none says so.
func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{Wait: "wait", Ping: "ping", Inspect: "inspect", GiveUp: "give up", 99: "unknown"} {
		if k.String() != want {
			t.Errorf("Kind %d is %q, want %q", k, k, want)
		}
	}
}

// What is given up carries the error that says why.
func TestGiveUpHasAnError(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
	if _, ok := d.on(0, time.Minute); !ok {
		t.Fatal("did not give up")
	}
	err := error(d.m.err)
	if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "20s since the ping was due") {
		t.Errorf("error: %v", err)
	}
}

// TestAsked asks a schedule when it wants to be asked: as Start and Next say.
func TestAsked(t *testing.T) {
	var m Monitor
	if got := m.Asked(); !got.IsZero() {
		t.Errorf("before the start: %v", got)
	}
	m.Start(Config{Interval: -1}, epoch)
	if got := m.Asked(); !got.IsZero() {
		t.Errorf("without pings: %v", got)
	}
	m.Start(Config{Interval: 20 * sec, Phase: 5 * sec}, epoch)
	if got := m.Asked(); !got.Equal(at(5 * sec)) {
		t.Errorf("at first: %v", got)
	}
	ev := Evidence{LastByte: epoch}
	for _, now := range []time.Duration{sec, 5 * sec, 5 * sec} {
		if a := m.Next(at(now), &ev); a.Kind == Wait && !m.Asked().Equal(a.At) {
			t.Errorf("asked for %v, said %v", a.At, m.Asked())
		}
	}
}

// TestPinged asks a schedule when its latest ping was due.
func TestPinged(t *testing.T) {
	var m Monitor
	m.Start(Config{Interval: 20 * sec, Phase: 5 * sec}, epoch)
	m.Next(at(sec), &Evidence{})
	if got := m.Pinged(); !got.IsZero() {
		t.Errorf("before the first one: %v", got)
	}
	m.Next(at(6*sec), &Evidence{})
	if got := m.Pinged(); !got.Equal(at(5 * sec)) {
		t.Errorf("behind it: %v", got)
	}
}
