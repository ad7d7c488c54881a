package keepalive

import (
	"math/rand/v2"
	"testing"
	"time"
)

// While the ping waits at our own door and bytes ahead of it leave, the clock
// starts anew from the last one that left.
func TestWriteProgress(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.stuck = true
	d.expect(20*sec, "ping 20s, wait 30s")
	d.ev.WriteProgress = at(29 * sec)
	d.expect(30*sec, "wait 39s")
	d.ev.WriteProgress = at(35 * sec)
	d.expect(36*sec, "wait 40s") // the next ping; the deadline is 45s
	d.expect(40*sec, "inspect, ping 40s, wait 45s")
	d.expect(45*sec, "inspect, give up (peer not reading)")
	if e := d.m.err; e.PingSent || !e.PingDue.Equal(at(20*sec)) {
		t.Errorf("%+v", e)
	}
}

// Progress from before the ping was due means nothing, and neither does that
// of a ping that left as soon as it was asked for.
func TestWriteProgressThatMeansNothing(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.ev.WriteProgress = at(19 * sec)
	d.expect(20*sec, "ping 20s, wait 30s")
	d.ev.WriteProgress = at(20*sec + 1)
	d.expect(30*sec, "inspect, give up (unknown)")
}

// A ping that has waited and then left gets its time from when it left, also
// when nobody asked in between, and when others have waited with it.
func TestHeldPingLeaves(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.stuck = true
	d.expect(20*sec, "ping 20s, wait 30s")
	d.ev.PingSent, d.ev.WriteProgress = true, at(29*sec)
	d.expect(30*sec, "wait 39s")
	d.expect(39*sec, "inspect, give up (unknown)")

	d = newDrive(t, Config{Interval: 20 * sec, Timeout: 50 * sec, Phase: 20 * sec})
	d.stuck = true
	d.expect(20*sec, "ping 20s, wait 40s")
	d.expect(40*sec, "inspect, ping 40s, wait 1m0s")
	d.expect(60*sec, "inspect, ping 1m0s, wait 1m10s")
	d.ev.PingSent, d.ev.WriteProgress = true, at(65*sec)
	d.expect(70*sec, "wait 1m20s")
	d.expect(80*sec, "ping 1m20s, wait 1m40s")
	if gaveUp, ok := d.on(100*sec, time.Hour); !ok || gaveUp != 115*sec {
		t.Errorf("gave up: %v at %v, want at 115s", ok, gaveUp)
	}
}

// A ping that waits for a moment, as with a writer of its own, does not keep a
// link on which an older one is unanswered.
func TestEachPingIsHeldForAMoment(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 50 * sec, Phase: 20 * sec})
	d.stuck = true
	for now := 20 * sec; d.m.err == nil; now = d.m.asked {
		if now > 80*sec {
			t.Fatalf("still waiting at %v", now)
		}
		d.next(now)
		d.ev.PingSent = true
		d.ev.WriteProgress = at(d.pings[len(d.pings)-1] + ms)
	}
	if got := d.m.err.Waited; got != 50*sec+ms {
		t.Errorf("gave up after %v, want 50.001s", got)
	}
}

// A step of progress that is older than one seen before changes nothing.
func TestWriteProgressGoesForwards(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.stuck = true
	d.expect(20*sec, "ping 20s, wait 30s")
	d.ev.WriteProgress = at(28 * sec)
	d.expect(29*sec, "wait 38s")
	d.ev.WriteProgress = at(25 * sec)
	d.expect(30*sec, "wait 38s")
	d.expect(38*sec, "inspect, give up (peer not reading)")
}

// What may hold up the ping: then the transport is looked at when it is due,
// so that the deadline has something to compare with.
func TestWorthInspecting(t *testing.T) {
	for name, test := range map[string]struct {
		evidence func(*drive)
		want     string
	}{
		"an idle connection": {func(d *drive) {}, "ping 40s, wait 50s"},
		"a ping and a pong":  {func(d *drive) { d.ev.Written += quiet }, "ping 40s, wait 50s"},
		"a message":          {func(d *drive) { d.ev.Written += quiet + 1 }, "inspect, ping 40s, wait 50s"},
		"bytes at our door":  {func(d *drive) { d.ev.Unsent = 1 }, "inspect, ping 40s, wait 50s"},
		"a stuck ping":       {func(d *drive) { d.ev.PingSent = false }, "inspect, ping 40s, wait 50s"},
	} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
		d.ev.Written = 1000
		d.expect(20*sec, "inspect, ping 20s, wait 30s") // something was written
		d.heard(21 * sec)
		d.expect(30*sec, "wait 40s")
		test.evidence(d)
		if got := d.next(40 * sec); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// The first ping is not called stuck because none was sent before it.
func TestFirstPingIsNotStuck(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 30s")
}

// A connection that was draining is looked at at the next ping too, although
// nothing was written since.
func TestDrainingIsWatched(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.ev.Written = 1 << 20
	d.transport = Transport{Known: true, Unacked: 1 << 20, Acked: 1000}
	d.expect(20*sec, "inspect, ping 20s, wait 30s")
	d.heard(25 * sec)
	d.expect(30*sec, "wait 40s")
	d.transport = Transport{Known: true, Acked: 1<<20 + 1000}
	d.expect(40*sec, "inspect, ping 40s, wait 50s")
	d.heard(45 * sec)
	d.expect(50*sec, "wait 1m0s")
	d.expect(60*sec, "ping 1m0s, wait 1m10s")
}

// While the transport delivers what is ahead of the ping, the clock starts
// anew, from the last acknowledgement.
func TestTransportProgress(t *testing.T) {
	d := newDriveBehind(t)
	d.transport = Transport{Known: true, Unacked: 1 << 19, Acked: 1000 + 1<<19, SinceAck: 2 * sec, SendWindow: -1}
	d.expect(30*sec, "inspect, wait 38s")
	d.transport.Acked++
	d.transport.SinceAck = sec
	d.expect(38*sec, "inspect, wait 40s")
	d.expect(40*sec, "inspect, ping 40s, wait 47s")
	d.transport.SinceAck = 10 * sec
	d.expect(47*sec, "inspect, give up (network dead)")
}

// What does not count as progress: each of these ends in giving up on time.
func TestNoTransportProgress(t *testing.T) {
	moved := Transport{Known: true, Unacked: 1 << 19, Acked: 1000 + 1<<19, SinceAck: 2 * sec, SendWindow: -1}
	for name, test := range map[string]struct {
		change func(*Transport)
		want   string
	}{
		"it has moved":                     {func(tr *Transport) {}, "inspect, wait 38s"},
		"nothing was acknowledged":         {func(tr *Transport) { tr.Acked = 1000 }, "inspect, give up (peer not reading)"},
		"the peer answers window probes":   {func(tr *Transport) { tr.Acked, tr.SendWindow = 1000, 0 }, "inspect, give up (peer not reading)"},
		"the ping was acknowledged":        {func(tr *Transport) { tr.PingAcked = true }, "inspect, give up (peer stuck)"},
		"everything was acknowledged":      {func(tr *Transport) { tr.Unacked = 0 }, "inspect, give up (peer stuck)"},
		"the last move was before":         {func(tr *Transport) { tr.SinceAck = 11 * sec }, "inspect, give up (network dead)"},
		"the transport says nothing":       {func(tr *Transport) { *tr = Transport{} }, "inspect, give up (unknown)"},
		"it says something, but not known": {func(tr *Transport) { tr.Known = false }, "inspect, give up (unknown)"},
	} {
		d := newDriveBehind(t)
		d.transport = moved
		test.change(&d.transport)
		if got := d.next(30 * sec); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// newDriveBehind returns a drive whose ping, due at 20 s and to be answered by
// 30 s, waits behind a mebibyte that is not acknowledged.
func newDriveBehind(t *testing.T) *drive {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.ev.Written = 1 << 20
	d.transport = Transport{Known: true, Unacked: 1 << 20, Acked: 1000, SendWindow: -1}
	d.expect(20*sec, "inspect, ping 20s, wait 30s")
	return d
}

// On a link with a long queue an acknowledgement may take longer than the timeout.
// While the transport has not yet begun to send again, nothing is wrong.
func TestSlowAcknowledgements(t *testing.T) {
	slow := Transport{Known: true, Unacked: 1 << 20, Acked: 1000, SinceAck: 11 * sec, RTO: 15 * sec, SendWindow: -1}
	for name, test := range map[string]struct {
		change func(*Transport)
		want   string
	}{
		"it waits yet":                {func(tr *Transport) {}, "inspect, wait 34s"},
		"it has sent again":           {func(tr *Transport) { tr.Retransmits = 1 }, "inspect, give up (network dead)"},
		"it should have sent again":   {func(tr *Transport) { tr.SinceAck = 15 * sec }, "inspect, give up (network dead)"},
		"nobody knows for how long":   {func(tr *Transport) { tr.RTO = 0 }, "inspect, give up (network dead)"},
		"something was acknowledged":  {func(tr *Transport) { tr.SinceAck = 9 * sec }, "inspect, give up (peer not reading)"},
		"the ping was acknowledged":   {func(tr *Transport) { tr.PingAcked = true }, "inspect, give up (network dead)"},
		"everything was acknowledged": {func(tr *Transport) { tr.Unacked = 0 }, "inspect, give up (peer stuck)"},
	} {
		d := newDriveBehind(t)
		d.transport = slow
		test.change(&d.transport)
		if got := d.next(30 * sec); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		d.transport.SinceAck += 4 * sec
		if d.next(34 * sec); d.m.err == nil {
			t.Errorf("%s: not given up when it has waited in vain", name)
		}
	}
}

// What the transport says of how long it will wait holds until the next look and
// no longer: after an outage that may be minutes.
func TestSlowAcknowledgementsOnce(t *testing.T) {
	d := newDriveBehind(t)
	d.transport.SinceAck, d.transport.RTO = 11*sec, 120*sec
	d.expect(30*sec, "inspect, wait 40s")
	d.transport.SinceAck, d.transport.RTO, d.transport.Retransmits = 21*sec, sec, 3
	d.expect(40*sec, "inspect, give up (network dead)")
}

// What has arrived and was not read is proof of life that we cannot see yet:
// the clock starts anew from when the last of it came.
func TestUnread(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.transport = Transport{Known: true, Unread: 1, SinceArrival: 3 * sec, SinceAck: 9 * sec, SendWindow: -1}
	d.expect(30*sec, "inspect, wait 37s")
	d.transport.SinceArrival = 10 * sec // nothing has come any more
	d.expect(37*sec, "inspect, give up (peer stuck)")
}

// The same holds for what the system has given to a reader who had no turn since.
func TestTakenAndNotSeen(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.transport = Transport{Known: true, SinceData: 9 * sec, SinceAck: 9 * sec, SendWindow: -1}
	d.expect(30*sec, "inspect, wait 31s")
	d.transport.Unread, d.transport.SinceArrival = 1, 2*sec // something behind a gap
	d.transport.SinceData = 10 * sec
	d.expect(31*sec, "inspect, wait 39s")
	d.transport.SinceArrival, d.transport.SinceData = 10*sec, 18*sec // nothing has come any more
	d.expect(39*sec, "inspect, give up (peer stuck)")
}

// When it does not count: it came before the ping was due, or there is nothing,
// or nothing but a pong would do.
func TestUnreadThatMeansNothing(t *testing.T) {
	for name, test := range map[string]struct {
		strict    bool
		transport Transport
	}{
		"it is old":     {false, Transport{Known: true, Unread: 1, SinceArrival: 10 * sec}},
		"there is none": {false, Transport{Known: true, SinceArrival: sec}},
		"strict":        {true, Transport{Known: true, Unread: 1, SinceArrival: sec}},
		"not known":     {false, Transport{Unread: 1, SinceArrival: sec}},
		"old, taken":    {false, Transport{Known: true, SinceData: 10 * sec}},
		"strict, taken": {true, Transport{Known: true, SinceData: sec}},
		"never any":     {false, Transport{Known: true}},
	} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec, Strict: test.strict})
		d.expect(20*sec, "ping 20s, wait 30s")
		d.transport = test.transport
		d.next(30 * sec)
		if d.m.err == nil {
			t.Errorf("%s: not given up on time", name)
		}
	}
}

// While reading is paused the clock stands still as it is: what is unread then
// does not start it anew.
func TestUnreadWhilePaused(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.ev.PausedNow, d.ev.Paused = true, 5*sec
	d.transport = Transport{Known: true, Unread: 1, SinceArrival: sec}
	d.next(30 * sec)
	if start := d.m.clockStart(); start != 20*sec {
		t.Errorf("the clock starts at %v; want 20s, when the ping was due", start)
	}
}

// Whoever cannot inspect just asks again.
func TestCannotInspect(t *testing.T) {
	var m Monitor
	m.Start(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec}, epoch)
	ev := Evidence{Unsent: 1}
	for i, want := range []Kind{Inspect, Ping, Wait, Wait} {
		if a := m.Next(at(20*sec), &ev); a.Kind != want {
			t.Fatalf("call %d: %v, want %v", i, a.Kind, want)
		}
	}
	for i, want := range []Kind{Inspect, GiveUp, GiveUp} {
		if a := m.Next(at(30*sec), &ev); a.Kind != want {
			t.Fatalf("call %d at the deadline: %v, want %v", i, a.Kind, want)
		}
	}
	// Transport was not filled by an inspection, so the error has none.
	if m.err.Transport != (Transport{}) {
		t.Errorf("transport in the error: %+v", m.err.Transport)
	}
}

// Evidence of the transport that nobody asked for is not looked at: it may be
// of an earlier call.
func TestUnaskedInspection(t *testing.T) {
	var m Monitor
	m.Start(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec}, epoch)
	ev := Evidence{Inspected: true, Transport: Transport{Known: true, Unacked: 10, Acked: 10}}
	if a := m.Next(at(sec), &ev); a.Kind != Wait || m.draining || m.acked != 0 {
		t.Errorf("%+v, monitor %+v", a, m)
	}
}

// That something was acknowledged is no excuse for a ping behind which nothing is
// left: it arrived, whether the transport says so of it or not.
func TestEverythingAcknowledged(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.next(20 * sec)
	d.transport = Transport{Known: true, Acked: 100, SendWindow: 100}
	d.expect(30*sec, "inspect, give up (peer stuck)")
}

// A ping that has left late is remembered, whatever came after it: later pings, those
// that lateness has earned, another interval.
func TestRemembersPingThatLeftLate(t *testing.T) {
	told := 0
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 0))
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 24 * time.Hour})
		var late []bool // by number of the ping
		for now := d.m.first; len(late) < 300; {
			d.stuck = rng.IntN(50) == 0
			d.next(now)
			for i, due := range d.pings[:len(late)] {
				if told++; !d.m.leftLate(due) && late[i] {
					t.Fatalf("seed %d at %v: it is not known that the ping left late that was due at %v, of %v", seed, now, due, d.pings)
				}
			}
			left, next := now, d.m.asked
			if rng.IntN(20) == 0 {
				next += time.Duration(rng.IntN(50)) * sec // we were stopped
			}
			if d.stuck {
				left += time.Duration(rng.Int64N(int64(2 * (next - now)))) // perhaps after the next
			}
			if len(d.pings) > len(late) {
				late = append(late, left > d.pings[len(late)]+d.m.tolerance())
				d.ev.PingSent, d.ev.WriteProgress = left < next, at(min(left, next))
			}
			if rng.IntN(50) == 0 {
				d.set(Config{Interval: time.Duration(1+rng.IntN(40)) * sec, Timeout: 24 * time.Hour}, now)
			}
			if now = next; rng.IntN(20) == 0 {
				d.heard(now) // or there would be no pings for lateness
			}
		}
	}
	if told == 0 {
		t.Error("nothing was looked at")
	}
}

// Of the latest ping it is known that it left in time however many did.
func TestLatestOfManyPromptPings(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec})
	for now := d.m.first; len(d.pings) < 600; now = d.m.asked {
		d.heard(now)
		if d.next(now); d.m.leftLate(d.m.last) {
			t.Fatalf("ping %d may have left late", len(d.pings))
		}
	}
}
