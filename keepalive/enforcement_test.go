package keepalive

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// pingsAt returns the index of the ping that is one too many, -1 if none is.
func pingsAt(rule Enforcement, x *Enforcer, times ...time.Duration) int {
	for i, d := range times {
		if x.Ping(at(d), rule) != nil {
			return i
		}
	}
	return -1
}

func pingsEach(d time.Duration, n int) (times []time.Duration) {
	for i := range n {
		times = append(times, time.Duration(i)*d)
	}
	return times
}

func TestEnforcement(t *testing.T) {
	rule := Enforcement{MinInterval: 10 * sec}
	none := Enforcement{MinInterval: 10 * sec, Strikes: -1}
	for name, test := range map[string]struct {
		rule  Enforcement
		times []time.Duration
		want  int
	}{
		"off":                     {Enforcement{}, pingsEach(1, 1000), -1},
		"negative":                {Enforcement{MinInterval: -1}, pingsEach(1, 1000), -1},
		"as often as allowed":     {rule, pingsEach(10*sec, 1000), -1},
		"... with none too early": {none, pingsEach(10*sec, 1000), -1},
		"far too often":           {rule, pingsEach(ms, 1000), 3},
		"none too early":          {none, pingsEach(9*sec, 10), 1},
		"a little too often":      {rule, pingsEach(9*sec, 1000), 21}, // a second saved for each ping, up to 20
		"late and on time":        {rule, []time.Duration{0, 19 * sec, 20 * sec, 39 * sec, 40 * sec, 59 * sec, 60 * sec}, -1},
		"read all at once":        {rule, []time.Duration{0, 95 * sec, 95 * sec, 95 * sec, 95 * sec, 95 * sec, 100 * sec}, -1},
		"strikes come back":       {rule, []time.Duration{0, 1, 2, 30 * sec, 30*sec + 1, 30*sec + 2, 60 * sec}, -1},
		"... not at once":         {rule, []time.Duration{0, 1, 2, 10 * sec, 11 * sec}, 4},
	} {
		if got := pingsAt(test.rule, new(Enforcer), test.times...); got != test.want {
			t.Errorf("%s: ping %d was one too many, want %d", name, got, test.want)
		}
	}
}

// After we have not read for a minute, the pings of that minute may come soon
// after each other, and those of the next one not.
func TestEnforcementPaused(t *testing.T) {
	rule := Enforcement{MinInterval: 10 * sec}
	var x Enforcer
	x.Paused(60 * sec)
	x.Paused(sec)
	if got := pingsAt(rule, &x, pingsEach(ms, 100)...); got != 3+6 {
		t.Errorf("ping %d was one too many, want %d", got, 3+6)
	}
}

// A way that stood still for a while, or was slow, brings pings soon after each
// other that were not sent so, in as many reads as it likes. That is no fault of
// the client's, also when it happens at the very start.
func TestEnforcementOfPingsHeldUp(t *testing.T) {
	const interval = 10 * sec
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		rule := Enforcement{MinInterval: interval, Strikes: rng.IntN(4) - 1}
		longest := 1 + rng.Int64N(int64(15*time.Minute))
		var x Enforcer
		x.Start(at(0))
		var sent, arrived, way time.Duration
		for n := range 1000 {
			if rng.IntN(10) == 0 {
				way = time.Duration(rng.Int64N(longest))
			}
			arrived = max(arrived+1, sent+way)
			if err := x.Ping(at(arrived), rule); err != nil {
				t.Fatalf("seed %d: ping %d, sent at %v: %v", seed, n, sent, err)
			}
			sent += interval
		}
	}
}

// For who saves pings up there is a bound all the same, and in the long run it is
// one each MinInterval.
func TestEnforcementOfPingsSavedUp(t *testing.T) {
	rule := Enforcement{MinInterval: 10 * sec}
	for _, quiet := range []time.Duration{30 * sec, 5 * time.Minute, heldUp, 24 * time.Hour} {
		var x Enforcer
		x.Start(at(0))
		want := 3 + int(min(quiet, heldUp)/rule.MinInterval)
		var times []time.Duration
		for i := range time.Duration(want + 10) {
			times = append(times, quiet+i)
		}
		if got := pingsAt(rule, &x, times...); got != want {
			t.Errorf("after %v without one, ping %d was one too many; want %d", quiet, got, want)
		}
	}
}

func TestEnforcementError(t *testing.T) {
	var x Enforcer
	x.Ping(at(0), Enforcement{MinInterval: 10 * sec, Strikes: -1})
	err := x.Ping(at(3*sec), Enforcement{MinInterval: 10 * sec, Strikes: -1})
	if err == nil || *err != (EnforcementError{MinInterval: 10 * sec, SincePing: 3 * sec}) {
		t.Fatalf("error %+v", err)
	}
	if wrapped := fmt.Errorf("lost: %w", err); !errors.Is(wrapped, ErrPingsTooOften) || errors.Is(wrapped, ErrTimeout) {
		t.Error("errors.Is does not find ErrPingsTooOften alone")
	}
	if text := err.Error(); !strings.Contains(text, "3s after the one before") {
		t.Error(text)
	}
}
