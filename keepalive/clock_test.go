package keepalive

import (
	"testing"
	"time"
)

// While reading is paused the clock stands still: what is left of the timeout
// when the pause begins is left when it ends.
func TestPausedClockStandsStill(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 16 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 36s")
	// Paused from 24s to 28s: 12 s are left, from 28s.
	d.paused(4*sec, false)
	d.expect(36*sec, "wait 40s")
	d.expect(40*sec, "inspect, give up (unknown)")
}

// Pauses add up, and only those after the ping was due count.
func TestPausesAddUp(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 16 * sec, Phase: 20 * sec})
	d.paused(7*sec, false) // before the ping
	d.expect(20*sec, "ping 20s, wait 36s")
	d.paused(8*sec, false)
	d.expect(25*sec, "wait 37s")
	d.paused(10*sec, false)
	d.expect(30*sec, "wait 39s")
	d.expect(39*sec, "inspect, give up (unknown)")
}

// A pause that began before the ping was due counts from when it was due.
func TestPauseAcrossThePing(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 16 * sec, Phase: 20 * sec})
	d.paused(10*sec, true) // since 10s
	d.expect(20*sec, "ping 20s, wait 36s")
	d.paused(14*sec, false) // until 24s: 16 s are left
	d.expect(24*sec, "wait 40s")
	d.expect(40*sec, "inspect, give up (unknown)")
}

// While paused, pings go on, and nobody is given up as long as the transport
// cannot say anything.
func TestPausedForLong(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 16 * sec, Phase: 20 * sec})
	for now := time.Duration(0); now < time.Hour; now = d.m.asked {
		d.paused(now, true)
		d.next(now)
	}
	if d.m.err != nil {
		t.Fatalf("given up: %v", d.m.err)
	}
	if want := int(time.Hour/(20*sec)) - 1; len(d.pings) < want {
		t.Errorf("%d pings in an hour, want %d at least", len(d.pings), want)
	}
}

// Whoever resumes reading has a quarter of the timeout to find the answer in
// the buffers, even if less was left when the pause began.
func TestResumeLeavesAQuarter(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 16 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 36s")
	// The pause begins at 35s with 1 s left, and is seen at 36s.
	d.paused(sec, true)
	d.expect(36*sec, "inspect, wait 40s")
	d.paused(5*sec, true)
	d.expect(40*sec, "ping 40s, wait 44s")
	d.paused(7*sec, false) // resumed at 42s
	d.expect(42*sec, "wait 46s")
	d.expect(46*sec, "inspect, give up (unknown)")
}

// The same with a pause that nobody asked about while it lasted: what was left
// is left, and no more.
func TestShortPauseLeavesWhatWasLeft(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 16 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 36s")
	d.paused(500*ms, false) // from 35s
	d.expect(36*sec, "wait 36.5s")
	d.expect(36500*ms, "inspect, give up (unknown)")
}

// An answer that is found on resuming ends the matter.
func TestAnswerFoundOnResuming(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 16 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 36s")
	d.paused(10*sec, true)
	d.expect(36*sec, "inspect, wait 40s")
	d.paused(13*sec, false)
	d.heard(39 * sec)
	d.expect(40*sec, "ping 40s, wait 56s")
}

// A new ping's clock is not lengthened by the pauses before it, also when it
// was lengthened by a quarter for the one before.
func TestPauseDoesNotLengthenTheNextClock(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 16 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 36s")
	d.paused(sec, true)
	d.expect(36*sec, "inspect, wait 40s")
	d.paused(2*sec, false)
	d.heard(37 * sec)
	d.expect(37*sec, "wait 40s")
	d.expect(40*sec, "ping 40s, wait 56s")
	d.expect(56*sec, "inspect, give up (unknown)")
}
