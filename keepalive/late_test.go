package keepalive

import (
	"testing"
	"time"
)

// A deadline that is noticed a little late is looked at once more, after as
// long as we were late, within 10 ms and a quarter of the timeout. The answer
// may come in that time.
func TestRecheck(t *testing.T) {
	for _, test := range []struct {
		timeout, lateness, again time.Duration
	}{
		{20 * sec, 0, 0}, // on time: no second look
		{20 * sec, 1, 10 * ms},
		{20 * sec, 5 * ms, 10 * ms},
		{20 * sec, 300 * ms, 300 * ms},
		{20 * sec, sec, sec}, // the tolerance
		{2 * sec, 500 * ms, 500 * ms},
		{20 * ms, 1 * ms, 5 * ms}, // the quarter
		{20 * ms, 5 * ms, 5 * ms},
	} {
		for _, answered := range []bool{false, true} {
			d := newDrive(t, Config{Interval: 20 * sec, Timeout: test.timeout, Phase: 20 * sec})
			d.next(20 * sec)
			now := 20*sec + test.timeout + test.lateness
			if test.again > 0 {
				d.expect(now, "wait "+(now+test.again).String())
				now += test.again
			}
			if answered {
				d.heard(now)
			}
			if d.next(now); (d.m.err == nil) != answered {
				t.Errorf("%+v: answered %v, gave up: %v", test, answered, d.m.err)
			}
		}
	}
}

// The second look happens once. Whoever is late for it too has had time to
// read, unless he was stopped.
func TestRecheckOnce(t *testing.T) {
	d := newDrive(t, Config{Interval: time.Minute, Timeout: 20 * sec, Phase: time.Minute})
	d.expect(60*sec, "ping 1m0s, wait 1m20s")
	d.expect(80*sec+200*ms, "wait 1m20.4s")
	d.expect(80*sec+300*ms, "wait 1m20.4s") // woken for something else
	d.expect(80*sec+900*ms, "inspect, give up (unknown)")
}

// The next clock gets a second look of its own, whatever ended the one before.
func TestRecheckAnewForEachDeadline(t *testing.T) {
	for name, recover := range map[string]func(*drive){
		"proof of life":       func(d *drive) { d.heard(80*sec + 100*ms) },
		"progress of a write": func(d *drive) { d.ev.PingSent = false; d.ev.WriteProgress = at(80*sec + 100*ms) },
		"a pause":             func(d *drive) { d.paused(50*sec, true); d.next(80*sec + 210*ms); d.paused(60*sec, false) },
		"a longer timeout": func(d *drive) {
			d.set(Config{Interval: time.Minute, Timeout: 50 * sec}, 80*sec+210*ms)
		},
		"another interval": func(d *drive) {
			d.set(Config{Interval: time.Hour, Timeout: time.Minute, Phase: 10 * sec}, 80*sec+210*ms)
		},
		"off and on": func(d *drive) {
			d.set(Config{Interval: -1}, 80*sec+210*ms)
			d.set(Config{Interval: time.Hour, Timeout: 20 * sec, Phase: 20 * sec}, 80*sec+210*ms)
		},
		"no timeout for a while": func(d *drive) {
			d.set(Config{Interval: time.Minute, Timeout: -1}, 80*sec+210*ms)
			d.set(Config{Interval: time.Minute, Timeout: 20 * sec}, 80*sec+220*ms)
		},
	} {
		d := newDrive(t, Config{Interval: time.Minute, Timeout: 20 * sec, Phase: time.Minute})
		d.expect(60*sec, "ping 1m0s, wait 1m20s")
		d.expect(80*sec+200*ms, "wait 1m20.4s")
		recover(d)
		d.next(80*sec + 250*ms)
		for d.m.err == nil && d.m.recheck <= 81*sec {
			d.next(d.m.asked + 200*ms) // a little late every time
		}
		if d.m.err != nil {
			t.Errorf("%s: gave up at the first look, %v after the ping was due", name, d.m.err.Waited)
		}
	}
}

// Whoever was stopped for longer than the tolerance pings again and waits
// again before giving up; the grid stays.
func TestStopped(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 30 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 40s")
	d.expect(75*sec, "ping 1m15s, wait 1m20s")
	d.expect(80*sec, "ping 1m20s, wait 1m40s")
	d.expect(100*sec, "ping 1m40s, wait 1m45s")
	d.expect(105*sec, "inspect, give up (unknown)")
}

// Whoever is late each time has the clock begin anew three times and not with
// every ping: a link that is dead is reported then, though newer pings went out
// late too.
func TestLateEachTime(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 50 * sec, Phase: 20 * sec})
	d.expect(22*sec, "ping 22s, wait 40s")
	d.expect(42*sec, "ping 42s, wait 1m0s")
	d.expect(62*sec, "ping 1m2s, wait 1m20s")
	d.expect(82*sec, "ping 1m20s, wait 1m40s")
	d.expect(102*sec, "ping 1m40s, wait 1m52s")
	d.expect(112*sec, "inspect, give up (unknown)")
}

// An answer to the ping after the stop, or one that had lain unread, is proof.
func TestStoppedAndAnswered(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.expect(75*sec, "ping 1m15s, wait 1m20s")
	d.heard(75*sec + 10*ms)
	d.expect(80*sec, "ping 1m20s, wait 1m30s")
	d.expect(90*sec, "inspect, give up (unknown)")
}

// Under Strict the pong for the ping after the stop is proof as any other.
func TestStoppedAndAnsweredStrict(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec, Strict: true})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.expect(77*sec, "ping 1m17s, wait 1m20s")
	d.answered(77 * sec)
	d.expect(80*sec, "ping 1m20s, wait 1m30s")
	d.expect(90*sec, "inspect, give up (unknown)")
}

// How late a call may be without our having been stopped: a second, or a
// quarter of the timeout.
func TestTolerance(t *testing.T) {
	for _, test := range []struct{ timeout, tolerance time.Duration }{
		{20 * sec, sec},
		{4 * sec, sec},
		{2 * sec, 500 * ms},
		{ms, ms / 4},
		{time.Hour, sec},
		{-1, sec},
	} {
		cfg := Config{Interval: 20 * sec, Timeout: test.timeout, Phase: 20 * sec}
		d := newDrive(t, cfg)
		d.next(20*sec + test.tolerance)
		if d.pings[0] != 20*sec {
			t.Errorf("timeout %v: late by %v is stopped", test.timeout, test.tolerance)
		}
		d = newDrive(t, cfg)
		now := 20*sec + test.tolerance + 1
		d.next(now)
		if d.pings[0] != now {
			t.Errorf("timeout %v: late by 1ns more than %v is not stopped", test.timeout, test.tolerance)
		}
	}
}

// Three times in a row at most: on a machine that is late every time a dead
// link is reported too.
func TestStoppedAgainAndAgain(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 40s")
	d.expect(45*sec, "ping 45s, wait 1m0s")
	d.expect(70*sec, "ping 1m10s, wait 1m20s")
	d.expect(95*sec, "ping 1m35s, wait 1m40s")
	d.expect(130*sec, "wait 2m15s") // a second look all the same
	d.expect(145*sec, "inspect, give up (we were busy)")
}

// Proof of life gives the peer three more.
func TestReprobesAreGivenBack(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
	now := 20 * sec
	for i := range 20 {
		d.next(now)
		if i%3 == 0 {
			d.heard(now + 1)
		}
		now = d.m.asked + 5*sec
	}
	if d.m.err != nil {
		t.Errorf("given up at %v", now)
	}
}

// A machine that was suspended: the wall clock has run ahead of the monotonic
// one by more than an interval. The next ping is due at once.
func TestSuspended(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.heard(21 * sec)
	d.expect(30*sec, "wait 40s")
	d.wallAhead = 8 * time.Hour
	d.expect(33*sec, "ping 33s, wait 40s")
	d.expect(34*sec, "wait 40s") // once
	d.expect(40*sec, "ping 40s, wait 50s")
	d.expect(50*sec, "inspect, give up (unknown)")
}

// ... also with a ping out: its time runs from the ping after the suspension.
func TestSuspendedWithAPingOut(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.wallAhead = 8 * time.Hour
	d.expect(30*sec, "ping 30s, wait 40s")
	d.expect(40*sec, "inspect, give up (unknown)")
}

// A wall clock that is set back costs nothing, and neither does one that is
// set or corrected by less than an interval at a time.
func TestWallClockSet(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	for i, ahead := range []time.Duration{0, 20 * sec, 40 * sec, 60 * sec, -time.Hour, -time.Hour + 20*sec} {
		d.wallAhead = ahead
		now := time.Duration(i+1) * 20 * sec
		d.expect(now, "ping "+now.String()+", wait "+(now+10*sec).String())
		d.heard(now)
		d.expect(now+10*sec, "wait "+(now+20*sec).String())
	}
	d.wallAhead += 20*sec + 1
	d.expect(131*sec, "ping 2m11s, wait 2m20s")
}

// A wall clock that jumps ahead over and over does not keep a dead link.
func TestWallClockSetOverAndOver(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	now := 20 * sec
	for d.m.err == nil && now < time.Hour {
		d.wallAhead += time.Minute
		d.next(now)
		now = d.m.asked
	}
	if d.m.err == nil || now > 2*time.Minute {
		t.Errorf("gave up: %v at %v, want within two minutes", d.m.err != nil, now)
	}
}

// What the wall clock did while pings were off is nobody's business once they
// are on: the first ping is due when Phase says.
func TestSuspendedWhileOff(t *testing.T) {
	d := newDrive(t, Config{Interval: -1})
	d.expect(0, "wait")
	d.wallAhead = 8 * time.Hour
	d.set(Config{Interval: 20 * sec, Phase: 10 * sec}, sec)
	d.expect(sec, "wait 11s")
}

// Whoever was late too often gets no ping off the grid any more. Still, no
// answer is expected to pings that were never sent, and the one that is sent
// now has its full time.
func TestMissedPingsNeedNoAnswer(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.m.reprobes = maxReprobes
	d.expect(75*sec, "wait 1m17.5s") // a second look
	d.heard(21 * sec)                // it was unread
	d.expect(77500*ms, "ping 1m0s, wait 1m20s")
	d.expect(80*sec, "ping 1m20s, wait 1m27.5s")
	d.expect(87500*ms, "inspect, give up (unknown)")
	if e := d.m.err; !e.PingDue.Equal(at(60 * sec)) {
		t.Errorf("the oldest unanswered ping was due at %v, want 60s", e.PingDue.Sub(epoch))
	}
}

// The answer to an older ping may be read only after the stop is over and the
// next ping was sent: the ones between the two were not.
func TestOldAnswerReadAfterTheStop(t *testing.T) {
	for _, strict := range []bool{false, true} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 35 * sec, Phase: 20 * sec, Strict: strict})
		d.expect(20*sec, "ping 20s, wait 40s")
		d.expect(105*sec, "ping 1m45s, wait 2m0s")
		d.heard(21 * sec)
		d.answered(20 * sec)
		d.expect(106*sec, "wait 2m0s")
		d.expect(120*sec, "ping 2m0s, wait 2m20s")
		d.expect(140*sec, "inspect, give up (unknown)")
		if e := d.m.err; !e.PingDue.Equal(at(105*sec)) || e.Waited != 35*sec {
			t.Errorf("the oldest unanswered ping was due at %v", e.PingDue.Sub(epoch))
		}
	}
}

// A new grid knows nothing of what was missed on the old one.
func TestMissedPingsOfAnotherGrid(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(75*sec, "ping 1m15s, wait 1m20s")
	d.heard(75 * sec)
	d.set(Config{Interval: 7 * sec, Timeout: 5 * sec, Phase: sec}, 76*sec)
	d.expect(76*sec, "wait 1m17s")
	d.expect(77*sec, "ping 1m17s, wait 1m22s")
	d.expect(82*sec, "inspect, give up (unknown)")
}

// A data transfer that goes on gives the peer three more pings too: it is not
// our lateness alone that keeps the connection.
func TestProgressGivesReprobesBack(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
	d.stuck = true
	now := 20 * sec
	for range 20 {
		d.next(now)
		d.ev.WriteProgress = at(now + 1)
		now = d.m.asked + 50*sec
	}
	if len(d.pings) != 20 {
		t.Errorf("%d pings in 20 calls, given up: %v", len(d.pings), d.m.err)
	}
}

// One that is stopped each time when the answer is due has no peer to blame,
// unless the transport knows better.
func TestStoppedTooOften(t *testing.T) {
	for _, test := range []struct {
		tr   Transport
		want string
	}{
		{Transport{}, "inspect, give up (we were busy)"},
		{Transport{Known: true, SendWindow: 100}, "inspect, give up (we were busy)"},
		{Transport{Known: true, Unacked: 6, SinceAck: 57 * sec, SendWindow: 100}, "inspect, give up (network dead)"},
	} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
		d.expect(20*sec, "ping 20s, wait 30s")
		d.ev.PingSent, d.transport = true, test.tr
		d.m.reprobes = maxReprobes
		d.expect(75*sec, "wait 1m17.5s") // a second look
		d.expect(77500*ms, test.want)
		if late := d.m.err.Late; late != 47500*ms {
			t.Errorf("late by %v, want 47.5s", late)
		}
	}
}

// A deadline that is noticed late once, and looked at twice, does not make it
// our fault.
func TestNoticedLateOnce(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 21s")
	d.expect(21*sec+250*ms, "wait 21.5s")
	d.expect(21*sec+500*ms, "inspect, give up (unknown)")
	if d.m.err.Late != 0 {
		t.Errorf("late by %v", d.m.err.Late)
	}
}

// Before a peer is given up, whoever reads is to have a turn, for which a look at
// the transport at a ping does not wait. If it takes long we were late.
func TestReaderHasATurn(t *testing.T) {
	begin := func() (m *Monitor) {
		m = new(Monitor)
		m.Start(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec}, epoch)
		ev := Evidence{Unsent: 1}
		if a := m.Next(at(20*sec), &ev); a.Kind != Inspect || !a.At.IsZero() {
			t.Fatalf("at the ping: %+v", a)
		}
		m.Next(at(20*sec), &ev)
		m.Next(at(20*sec), &Evidence{PingSent: true})
		if a := m.Next(at(30*sec), &Evidence{PingSent: true}); a.Kind != Inspect || !a.At.Equal(at(31*sec+1)) {
			t.Fatalf("at the deadline: %+v; want to inspect until 31s", a)
		}
		return m
	}
	for after, want := range map[time.Duration]Kind{0: GiveUp, sec: GiveUp, sec + 1: Ping, 10 * sec: Ping} {
		m := begin()
		if a := m.Next(at(30*sec+after), &Evidence{PingSent: true, Inspected: true}); a.Kind != want {
			t.Errorf("%v later: %v; want %v", after, a.Kind, want)
		}
	}
	m := begin()
	if a := m.Next(at(30*sec+1), &Evidence{PingSent: true, Inspected: true, LastByte: at(30*sec + 1)}); a.Kind != Wait {
		t.Errorf("he has found something: %v; want to wait", a.Kind)
	}
}
