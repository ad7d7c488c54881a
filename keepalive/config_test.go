package keepalive

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for _, test := range []struct{ given, interval, timeout time.Duration }{
		{0, DefaultInterval, DefaultTimeout},
		{-1, off, off},
		{-time.Hour, off, off},
		{20, ms, ms}, // a forgotten unit
		{ms - 1, ms, ms},
		{ms, ms, ms},
		{sec, sec, sec},
		{longest, longest, longest},
		{1<<63 - 1, longest, longest},
		{-1 << 63, off, off},
	} {
		cfg := Config{Interval: test.given, Timeout: test.given}
		if got := cfg.interval(); got != test.interval {
			t.Errorf("Interval %v is taken as %v, want %v", test.given, got, test.interval)
		}
		if got := cfg.timeout(); got != test.timeout {
			t.Errorf("Timeout %v is taken as %v, want %v", test.given, got, test.timeout)
		}
	}
}

func TestPhase(t *testing.T) {
	for _, test := range []struct{ given, want time.Duration }{
		{1, 1},
		{7 * sec, 7 * sec},
		{20 * sec, 20 * sec},
		{20*sec + 1, 20 * sec},
		{-1, 20 * sec},
		{-1 << 63, 20 * sec},
		{1<<63 - 1, 20 * sec},
	} {
		cfg := Config{Phase: test.given}
		if got := cfg.phase(20 * sec); got != test.want {
			t.Errorf("Phase %v is taken as %v, want %v", test.given, got, test.want)
		}
	}
}

// Without a Phase the first pings of many connections are spread over the
// whole interval, and none is at 0, where the handshake has just been. With
// 10,000 at random and ten bins, one that is off by a third would be off by
// more than ten standard deviations.
func TestPhaseIsSpread(t *testing.T) {
	const n = 10000
	var bins [10]int
	for range n {
		cfg := Config{}
		phase := cfg.phase(20 * sec)
		if phase <= 0 || phase > 20*sec {
			t.Fatalf("phase %v is not in (0, 20s]", phase)
		}
		bins[(phase-1)*10/(20*sec)]++
	}
	for i, got := range bins {
		if got < n/10*2/3 || got > n/10*4/3 {
			t.Errorf("%d of %d phases are in tenth %d", got, n, i)
		}
	}
	// With the shortest interval in nanoseconds both ends are reached.
	seen := map[time.Duration]bool{}
	for range 200 {
		seen[(&Config{}).phase(2)] = true
	}
	if !seen[1] || !seen[2] || len(seen) != 2 {
		t.Errorf("phases within 2ns: %v, want 1ns and 2ns", seen)
	}
}
