package keepalive

import (
	"math/rand/v2"
	"testing"
	"time"
)

// With another Interval a new grid begins, Phase after now.
func TestSetInterval(t *testing.T) {
	for name, cfg := range map[string]Config{
		"longer":  {Interval: time.Minute, Timeout: 10 * sec, Phase: 7 * sec},
		"shorter": {Interval: 9 * sec, Timeout: 10 * sec, Phase: 7 * sec},
	} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
		d.expect(20*sec, "ping 20s, wait 30s")
		d.heard(21 * sec)
		d.expect(21*sec, "wait 40s")
		d.set(cfg, 25*sec)
		d.expect(25*sec, "wait 32s")
		second := 32*sec + cfg.Interval
		d.expect(32*sec, "ping 32s, wait "+min(42*sec, second).String())
		d.heard(33 * sec)
		d.expect(33*sec, "wait "+second.String())
		if d.next(second); d.pings[2] != second {
			t.Errorf("%s: the second ping of the new grid was due at %v, want %v", name, d.pings[2], second)
		}
	}
}

// With the same Interval the grid stays, and Phase means nothing.
func TestSetSameInterval(t *testing.T) {
	d := newDrive(t, Config{Timeout: 10 * sec, Phase: 15 * sec})
	d.expect(0, "wait 15s")
	d.set(Config{Interval: DefaultInterval, Timeout: 5 * sec, Phase: sec}, 3*sec)
	d.expect(3*sec, "wait 15s")
	d.expect(15*sec, "ping 15s, wait 20s")
	d.heard(15 * sec)
	d.expect(16*sec, "wait 35s")
	d.set(Config{Phase: sec}, 18*sec)
	d.expect(18*sec, "wait 35s")
	d.expect(35*sec, "ping 35s, wait 55s")
}

// Without a Phase the new grid begins within the new interval.
func TestSetIntervalAtRandom(t *testing.T) {
	for range 1000 {
		d := newDrive(t, Config{Phase: 20 * sec})
		d.set(Config{Interval: sec}, 5*sec)
		d.next(5 * sec)
		if d.m.asked <= 5*sec || d.m.asked > 6*sec {
			t.Fatalf("the next ping comes at %v", d.m.asked)
		}
	}
}

// A ping that is unanswered stays so. A longer timeout gives it longer; a
// shorter one counts from now, and does not put the deadline off.
func TestSetTimeout(t *testing.T) {
	for _, test := range []struct{ timeout, when, deadline time.Duration }{
		{50 * sec, 30 * sec, 110 * sec}, // longer, from when the ping was due
		{10 * sec, 65 * sec, 75 * sec},  // shorter: from now
		{10 * sec, 75 * sec, 80 * sec},  // ... but it was over earlier anyway
		{19 * sec, 61 * sec, 80 * sec},
		{20 * sec, 70 * sec, 80 * sec}, // the same
	} {
		d := newDrive(t, Config{Interval: time.Minute, Timeout: 20 * sec, Phase: time.Minute})
		d.next(60 * sec)
		d.set(Config{Interval: time.Minute, Timeout: test.timeout}, max(test.when, 60*sec))
		d.next(max(test.when, 60*sec))
		if gaveUp, ok := d.on(d.m.asked, time.Hour); !ok || gaveUp != test.deadline {
			t.Errorf("%+v: gave up: %v at %v", test, ok, gaveUp)
		}
	}
}

// A shorter timeout whose time was paused: what counts is when reading went
// on.
func TestSetShorterTimeoutAfterAPause(t *testing.T) {
	d := newDrive(t, Config{Interval: time.Minute, Timeout: 20 * sec, Phase: time.Minute})
	d.next(60 * sec)
	d.paused(15*sec, false)
	d.expect(75*sec, "wait 1m35s")
	d.set(Config{Interval: time.Minute, Timeout: 10 * sec}, 75*sec)
	d.expect(75*sec, "wait 1m25s")
	d.expect(85*sec, "inspect, give up (unknown)")
}

// Setting the same thing over and over puts nothing off.
func TestSetConfigOverAndOver(t *testing.T) {
	cfg := Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec}
	d := newDrive(t, cfg)
	now := time.Duration(0)
	for ; d.m.err == nil && now < time.Hour; now += 100 * ms {
		d.set(cfg, now)
		d.next(now)
	}
	if now != 40*sec+100*ms {
		t.Errorf("given up by %v, want 40s", now)
	}
}

// A new interval does not forget an unanswered ping, or a dead link could be
// kept by changing it over and over.
func TestSetIntervalKeepsTheUnanswered(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 30 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 40s")
	d.set(Config{Interval: time.Minute, Timeout: 30 * sec, Phase: time.Minute}, 25*sec)
	d.expect(25*sec, "wait 50s")
	d.expect(50*sec, "inspect, give up (unknown)")
}

// When it is answered, the next to be proved is the first of the new grid.
func TestSetIntervalThenProof(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 30 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 40s")
	d.set(Config{Interval: time.Minute, Timeout: 30 * sec, Phase: time.Minute}, 25*sec)
	d.heard(24 * sec)
	d.expect(25*sec, "wait 1m25s")
	d.expect(85*sec, "ping 1m25s, wait 1m55s")
	d.expect(115*sec, "inspect, give up (unknown)")
}

// Pings turned off forget the unanswered one; turned on again, a new grid
// begins, with the same interval too.
func TestOffAndOn(t *testing.T) {
	cfg := Config{Interval: 20 * sec, Timeout: 30 * sec, Phase: 20 * sec}
	d := newDrive(t, cfg)
	d.expect(20*sec, "ping 20s, wait 40s")
	d.set(Config{Interval: -1, Timeout: 30 * sec}, 25*sec)
	d.expect(25*sec, "wait")
	d.expect(time.Hour, "wait")
	cfg.Phase = 5 * sec
	d.set(cfg, time.Hour)
	d.expect(time.Hour, "wait 1h0m5s")
	d.expect(time.Hour+5*sec, "ping 1h0m5s, wait 1h0m25s")
	d.expect(time.Hour+25*sec, "ping 1h0m25s, wait 1h0m35s")
	d.expect(time.Hour+35*sec, "inspect, give up (unknown)")
}

// A Monitor that was started with pings off begins when they are turned on.
func TestOnAfterStartingOff(t *testing.T) {
	d := newDrive(t, Config{Interval: -1})
	d.expect(0, "wait")
	d.set(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec}, time.Hour)
	d.expect(time.Hour, "wait 1h0m20s")
	d.expect(time.Hour+20*sec, "ping 1h0m20s, wait 1h0m30s")
	d.expect(time.Hour+30*sec, "inspect, give up (unknown)")
}

// A timeout turned on counts from now, for a ping that has long been out too.
func TestTimeoutTurnedOn(t *testing.T) {
	d := newDrive(t, Config{Interval: time.Minute, Timeout: -1, Phase: time.Minute})
	d.expect(time.Minute, "ping 1m0s, wait 2m0s")
	d.set(Config{Interval: time.Minute, Timeout: 10 * sec}, 90*sec)
	d.expect(90*sec, "wait 1m40s")
	d.expect(100*sec, "inspect, give up (unknown)")
}

// A timeout turned off while a ping is out: nobody is given up any more.
func TestTimeoutTurnedOff(t *testing.T) {
	d := newDrive(t, Config{Interval: time.Minute, Timeout: 10 * sec, Phase: time.Minute})
	d.expect(time.Minute, "ping 1m0s, wait 1m10s")
	d.set(Config{Interval: time.Minute, Timeout: -1}, 65*sec)
	d.expect(65*sec, "wait 2m0s")
	if gaveUp, ok := d.on(2*time.Minute, time.Hour); ok {
		t.Errorf("gave up at %v", gaveUp)
	}
}

// Strict can be turned on and off under way.
func TestSetStrict(t *testing.T) {
	cfg := Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec}
	d := newDrive(t, cfg)
	d.expect(20*sec, "ping 20s, wait 30s")
	d.heard(21 * sec)
	d.expect(25*sec, "wait 40s")
	cfg.Strict = true
	d.set(cfg, 25*sec)
	d.expect(40*sec, "ping 40s, wait 50s")
	d.heard(41 * sec)
	d.expect(45*sec, "wait 50s")
	d.expect(50*sec, "inspect, give up (unknown)")
}

// While paused, a dead network is reported within the new Interval + Timeout
// too, however far away the next look at the transport was.
func TestSetConfigWhilePaused(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: time.Hour, Phase: 20 * sec})
	lastAck := time.Hour + 25*sec
	var now time.Duration
	look := func(now time.Duration) {
		d.paused(now, true)
		d.transport = Transport{Known: true, Unacked: 10, SinceAck: now - lastAck, SendWindow: -1, Retransmits: 3}
		d.next(now)
	}
	for now <= lastAck {
		look(now)
		now = d.m.asked
	}
	changed := now
	d.set(Config{Interval: 20 * sec, Timeout: 5 * sec}, changed)
	for now < 3*time.Hour && d.m.err == nil {
		look(now)
		now = d.m.asked
	}
	if d.m.err == nil || now > changed+25*sec {
		t.Errorf("gave up: %v, %v after the change, want within 25s", d.m.err != nil, now-changed)
	}
}

// The promise for changes: a dead link is reported within the new Interval +
// Timeout of the last byte or of the change, whichever is later.
func TestSetConfigInTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	upTo := func(d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) + 1 }
	for range 1000 {
		d := newDrive(t, Config{Interval: upTo(time.Minute), Timeout: upTo(2 * time.Minute)})
		last := upTo(2 * time.Minute)
		d.next(0)
		for d.m.asked <= last {
			d.heard(d.m.asked)
			d.next(d.m.asked)
		}
		cfg := Config{Interval: upTo(time.Minute), Timeout: upTo(2 * time.Minute)}
		if rng.IntN(3) == 0 {
			cfg.Interval = d.m.interval
		}
		changed := min(last+upTo(time.Minute), d.m.asked)
		d.set(cfg, changed)
		d.next(changed)
		bound := max(last, changed) + cfg.interval() + cfg.timeout()
		gaveUp, ok := d.on(d.m.asked, 2*bound)
		if !ok || gaveUp > bound {
			t.Fatalf("%+v at %v, last byte at %v: gave up: %v at %v, want by %v", cfg, changed, last, ok, gaveUp, bound)
		}
	}
}

// A second look that is to come is as near as the new timeout wants it.
func TestSetShorterTimeoutBeforeTheSecondLook(t *testing.T) {
	d := newDrive(t, Config{Interval: time.Minute, Timeout: 20 * sec, Phase: time.Minute})
	d.expect(60*sec, "ping 1m0s, wait 1m20s")
	d.m.reprobes = maxReprobes
	d.expect(100*sec, "wait 1m45s")
	d.set(Config{Interval: time.Minute, Timeout: sec}, 101*sec)
	d.expect(101*sec, "wait 1m41.25s")
	d.expect(101*sec+250*ms, "inspect, give up (we were busy)")
}
