package keepalive

import (
	"testing"
	"time"
)

// Evidence from the future is taken as of now: it is no proof for pings to
// come.
func TestEvidenceFromTheFuture(t *testing.T) {
	for _, strict := range []bool{false, true} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec, Strict: strict})
		d.expect(20*sec, "ping 20s, wait 30s")
		d.heard(time.Hour)
		d.answered(time.Hour)
		d.expect(25*sec, "wait 40s")
		d.heard(0)
		d.answered(0)
		d.expect(40*sec, "ping 40s, wait 50s")
		d.stuck, d.ev.PingSent = true, false
		d.ev.WriteProgress = at(2 * time.Hour)
		d.expect(45*sec, "wait 55s")
		d.ev.WriteProgress = time.Time{}
		d.expect(55*sec, "inspect, give up (peer not reading)")
	}
}

// Evidence from before the start is taken as of the start, and so is none.
func TestEvidenceFromBeforeTheStart(t *testing.T) {
	for _, past := range []time.Time{{}, at(-1), at(-time.Hour), time.Unix(-1<<40, 0)} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
		d.ev = Evidence{LastByte: past, Answered: past, WriteProgress: past}
		d.expect(20*sec, "ping 20s, wait 30s")
		d.expect(30*sec, "inspect, give up (unknown)")
		if e := d.m.err; e.SinceByte != 30*sec || !e.LastByte.Equal(past) {
			t.Errorf("with evidence of %v: %v since the last byte at %v", past, e.SinceByte, e.LastByte)
		}
	}
}

// Asked about a time before the start, the Monitor is at the start.
func TestNowBeforeTheStart(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Phase: 5 * sec})
	if a := d.m.Next(at(-time.Hour), &d.ev); a != (Action{At: at(5 * sec)}) {
		t.Errorf("%+v", a)
	}
}

// A duration that cannot be is taken as the nearest that can: reading has been
// paused for no less than nothing, and for no longer than the time itself.
func TestImpossiblePauses(t *testing.T) {
	for _, pause := range []time.Duration{-1 << 63, -time.Hour, -1, time.Hour, 1<<63 - 1} {
		for _, now := range []bool{false, true} {
			d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
			d.paused(pause, now)
			d.on(0, 25*sec)
			for range 100 {
				asked := d.m.asked
				d.paused(pause, now)
				if d.next(asked); d.m.err != nil {
					break
				}
				if d.m.asked < asked+sec {
					t.Errorf("paused for %v, now %v: at %v it waits until %v", pause, now, asked, d.m.asked)
					break
				}
			}
			if now == (d.m.err != nil) {
				t.Errorf("paused for %v, now %v: gave up: %v", pause, now, d.m.err)
			}
		}
	}
}

// A Transport that says impossible things does no harm either.
func TestImpossibleTransport(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
	d.ev.Unsent = 1
	d.transport = Transport{Known: true, Unacked: 1, Acked: 1, SinceAck: -1 << 63, SendWindow: -1}
	d.expect(20*sec, "inspect, ping 20s, wait 30s")
	d.transport = Transport{Known: true, Unacked: 1, Acked: 2, SinceAck: -time.Hour}
	d.expect(30*sec, "inspect, wait 40s") // taken as: acknowledged just now
	d.transport = Transport{Known: true, Unacked: 1, Acked: 1, SinceAck: 1<<63 - 1, SendWindow: -1}
	d.expect(40*sec, "inspect, give up (network dead)")
}
