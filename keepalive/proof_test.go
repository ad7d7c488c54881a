package keepalive

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Any byte that arrived since the ping was due proves life, and only such a
// byte; under Strict only the pong does.
func TestProofOfLife(t *testing.T) {
	const given, proof = "inspect, give up (unknown)", "wait 1m0s"
	for name, test := range map[string]struct {
		strict   bool
		evidence func(*drive)
		want     string // at the deadline, 50s, of the ping that was due at 40s
	}{
		"nothing":                        {false, func(d *drive) {}, given},
		"a byte before the ping was due": {false, func(d *drive) { d.heard(40*sec - 1) }, given},
		"a byte when it was due":         {false, func(d *drive) { d.heard(40 * sec) }, proof},
		"a byte after it":                {false, func(d *drive) { d.heard(41 * sec) }, proof},
		"a byte at the deadline":         {false, func(d *drive) { d.heard(50 * sec) }, proof},
		"a pong without its byte":        {false, func(d *drive) { d.answered(40 * sec) }, given},
		"strict, nothing":                {true, func(d *drive) {}, given},
		"strict, bytes but no pong":      {true, func(d *drive) { d.heard(49 * sec) }, given},
		"strict, the pong":               {true, func(d *drive) { d.answered(40 * sec) }, proof},
		"strict, an older ping's pong":   {true, func(d *drive) { d.answered(20 * sec) }, given},
		"strict, a pong from the future": {true, func(d *drive) { d.answered(time.Hour) }, proof},
	} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec, Strict: test.strict})
		d.expect(0, "wait 20s")
		d.expect(20*sec, "ping 20s, wait 30s")
		d.heard(20 * sec)
		d.answered(20 * sec)
		d.expect(30*sec, "wait 40s")
		d.expect(40*sec, "ping 40s, wait 50s")
		test.evidence(d)
		if got := d.next(50 * sec); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// A pong that comes between two of our calls is seen at the later one; one
// that comes twice changes nothing the second time.
func TestPongTwice(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec, Strict: true})
	d.expect(20*sec, "ping 20s, wait 30s")
	d.answered(20 * sec)
	d.expect(21*sec, "wait 40s")
	d.expect(22*sec, "wait 40s")
	d.expect(40*sec, "ping 40s, wait 50s")
	d.answered(20 * sec) // again, or late by a whole interval
	d.expect(45*sec, "wait 50s")
	d.expect(50*sec, "inspect, give up (unknown)")
}

// With a timeout longer than the interval, pings go on while older ones are
// unanswered, and the time runs from the oldest.
func TestTimeoutLongerThanInterval(t *testing.T) {
	d := newDrive(t, Config{Interval: 10 * sec, Timeout: 25 * sec, Phase: 10 * sec})
	d.expect(10*sec, "ping 10s, wait 20s")
	d.expect(20*sec, "ping 20s, wait 30s")
	d.expect(30*sec, "ping 30s, wait 35s")
	// Proof for the pings at 10s and 20s. It is the one at 30s, already
	// sent, that the time runs from now.
	d.heard(29 * sec)
	d.expect(35*sec, "wait 40s")
	d.expect(40*sec, "ping 40s, wait 50s")
	d.expect(50*sec, "ping 50s, wait 55s")
	d.expect(55*sec, "inspect, give up (unknown)")
	if e := d.m.err; !e.PingDue.Equal(at(30*sec)) || e.Waited != 25*sec {
		t.Errorf("oldest unanswered ping was due at %v, waited %v", e.PingDue, e.Waited)
	}
}

// Under Strict too the pong for an older ping leaves the younger ones open,
// and the pong for a younger one settles the older ones.
func TestStrictWithManyPingsOut(t *testing.T) {
	d := newDrive(t, Config{Interval: 10 * sec, Timeout: 25 * sec, Phase: 10 * sec, Strict: true})
	d.on(0, 30*sec)
	d.heard(31 * sec)
	d.answered(10 * sec)
	d.expect(35*sec, "wait 40s") // not given up, the ping at 20s has until 45s
	d.expect(40*sec, "ping 40s, wait 45s")
	d.answered(30 * sec)
	d.expect(45*sec, "wait 50s") // the one at 40s has until 65s
	if gaveUp, ok := d.on(50*sec, time.Hour); !ok || gaveUp != 65*sec {
		t.Errorf("gave up: %v at %v, want at 65s", ok, gaveUp)
	}
}

// The promise: whenever the last byte comes, the dead link is reported within
// Interval + Timeout of it, and never before Timeout.
func TestDeadLinkIsReportedInTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, timeout := range []time.Duration{ms, sec, 19 * sec, 20 * sec, 21 * sec, 40 * sec, 77 * sec, time.Hour} {
		for _, strict := range []bool{false, true} {
			for range 50 {
				checkDeadLink(t, Config{Interval: 20 * sec, Timeout: timeout, Strict: strict}, time.Duration(rng.Int64N(int64(5*time.Minute))))
			}
		}
	}
}

// checkDeadLink has a peer that answers everything at once, until it is dead.
// Whoever answers at once does so for the pings that were due until then.
func checkDeadLink(t *testing.T, cfg Config, last time.Duration) {
	t.Helper()
	d := newDrive(t, cfg)
	d.next(0)
	for d.m.asked <= last {
		now := d.m.asked
		d.next(now)
		d.heard(now)
		d.answered(d.pings[len(d.pings)-1])
	}
	if !cfg.Strict {
		d.heard(last) // one more byte of its own accord
	}
	proof := max(d.ev.LastByte.Sub(epoch), 0)
	gaveUp, ok := d.on(d.m.asked, last+2*time.Hour)
	after := gaveUp - proof
	if !ok || after > cfg.Interval+cfg.Timeout || after < cfg.Timeout {
		t.Fatalf("%+v: gave up: %v, %v after the last byte at %v", cfg, ok, after, proof)
	}
}
