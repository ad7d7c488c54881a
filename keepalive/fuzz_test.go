package keepalive

import (
	"testing"
	"time"
)

// FuzzMonitor has bytes decide what happens to a Monitor: what it is asked and
// when, what the evidence says and how it is configured. Whatever that is, it
// does not panic, it comes to rest and what it wants makes sense.
func FuzzMonitor(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x01\x05\x02\x11\x05\x03\x20\x05\x04"))                 // starts, asks
	f.Add([]byte("\x00\x14\x20\x14\x20\x05\x01\x15\x05\x02\x15\x05\x03\x15")) // a byte, then silence
	f.Add([]byte("\x00\x08\x13\x08\x33\x05\x06\x13\x16\x05\x26\x05\x46\x05")) // pauses
	f.Add([]byte("\x01\x20\x07\x18\x07\x28\x07\xf8\x07\x19\x07\x29"))         // lateness and suspension
	f.Add([]byte("\x00\x08\x08\x1f\x05\x01\x08\xff\x05\x08\x00\x05"))         // configurations
	f.Fuzz(func(t *testing.T, script []byte) {
		z := &fuzzed{t: t, script: script}
		z.m.Start(z.config(), epoch)
		for len(z.script) > 0 {
			z.step()
		}
	})
}

// A fuzzed Monitor and what was seen of it.
type fuzzed struct {
	t      *testing.T
	script []byte

	m   Monitor
	now reading
	ev  Evidence

	lastDue time.Time
	err     *TimeoutError
}

func (z *fuzzed) byte() byte {
	if len(z.script) == 0 {
		return 0
	}
	b := z.script[0]
	z.script = z.script[1:]
	return b
}

// duration is one of 256: none, negative ones, and from 1 ns up to 292 years,
// each about a third longer than the one before.
func (z *fuzzed) duration() time.Duration {
	b := z.byte()
	switch {
	case b == 0:
		return 0
	case b == 1:
		return -1 << 63
	case b < 8:
		return -time.Duration(b) * sec
	case b == 255:
		return 1<<63 - 1
	}
	return time.Duration(uint64(4+b%4) << (b / 4) >> 2)
}

// moment is a time around now.
func (z *fuzzed) moment() time.Time {
	if z.byte()%2 == 0 {
		return at(z.now.mono).Add(-z.duration())
	}
	return at(z.now.mono).Add(z.duration())
}

func (z *fuzzed) config() Config {
	return Config{Interval: z.duration(), Timeout: z.duration(), Phase: z.duration(), Strict: z.byte()%2 == 0, Mode: Mode(z.byte() % 4)}
}

// step does one thing.
func (z *fuzzed) step() {
	ev := &z.ev
	switch z.byte() % 10 {
	case 0:
		z.m.configure(z.config(), z.now)
	case 1:
		ev.LastByte = z.moment()
	case 2:
		ev.Answered = z.moment()
	case 3:
		ev.Paused, ev.PausedNow = z.duration(), z.byte()%2 == 0
	case 4:
		ev.PingSent, ev.WriteProgress = z.byte()%2 == 0, z.moment()
	case 5:
		ev.Written, ev.Unsent = int64(z.duration()), int64(z.duration())
	case 6:
		z.pass(z.duration(), z.duration())
	case 7: // as a runner does that is on time
		if d := z.m.asked - z.now.mono; z.m.asked != none && d > 0 {
			z.pass(d, 0)
		}
	default:
	}
	z.ask()
}

// pass lets time go by, for a hundred years at most: the longest that a Monitor
// has an eye on. It neither stands still nor goes back.
func (z *fuzzed) pass(d, ahead time.Duration) {
	const end = 10 * longest
	d = max(d, 1)
	if d > end-1-z.now.mono {
		z.script = nil // that is all
		return
	}
	z.now.mono += d
	z.now.wall += d
	if sum := z.now.wall + ahead; (sum > z.now.wall) == (ahead > 0) { // no overflow
		z.now.wall = sum
	}
}

// ask asks until there is something to wait for.
func (z *fuzzed) ask() {
	for range 6 {
		var action Action
		z.m.decide(z.now, &z.ev).fill(&action, &z.m)
		z.ev.Inspected = false
		z.check(action)
		switch action.Kind {
		case Wait, GiveUp:
			return
		case Inspect:
			z.ev.Inspected = true
			z.ev.Transport = Transport{
				Known: z.byte()%2 == 0, PingAcked: z.byte()%2 == 0, Unacked: int64(z.duration()),
				Acked: int64(z.duration()), SinceAck: z.duration(),
				SendWindow: int64(z.byte()) - 1, Retransmits: int(z.byte()),
				RTO: z.duration(), SinceData: z.duration(),
			}
		}
	}
	z.t.Fatalf("at %v it does not come to rest: %+v", z.now, z.m)
}

// check checks that an action makes sense.
func (z *fuzzed) check(a Action) {
	now := at(z.now.mono)
	switch a.Kind {
	case Wait:
		if !a.At.IsZero() && !a.At.After(now) {
			z.t.Fatalf("at %v it waits until %v", z.now.mono, a.At.Sub(epoch))
		}
		if a.At.IsZero() != (z.m.interval <= 0) {
			z.t.Fatalf("waits until %v with an interval of %v", a.At, z.m.interval)
		}
		if z.m.interval > 0 && a.At.After(now.Add(2*max(z.m.interval, z.m.timeout))) {
			z.t.Fatalf("at %v it waits until %v: %+v", z.now.mono, a.At.Sub(epoch), z.m)
		}
	case Ping, Pong:
		if (a.Kind == Pong) != (z.m.mode == ModePong) {
			z.t.Fatalf("a %v in mode %v", a.Kind, z.m.mode)
		}
		if z.m.interval <= 0 || a.Due.After(now) || !a.Due.After(z.lastDue) {
			z.t.Fatalf("at %v a ping that was due at %v, after one at %v", now, a.Due, z.lastDue)
		}
		z.lastDue = a.Due
	case Inspect:
		if z.m.timeout == off {
			z.t.Fatal("inspects for nothing")
		}
	case GiveUp:
		z.checkGivenUp(a.Err, now)
	}
	if (a.Kind == GiveUp) != (a.Err != nil) || (a.Kind != Wait && a.Kind != Inspect && !a.At.IsZero()) || (a.Kind != Ping && a.Kind != Pong && !a.Due.IsZero()) {
		z.t.Fatalf("%+v", a)
	}
}

// checkGivenUp checks an error, and that it is always the same one.
func (z *fuzzed) checkGivenUp(err *TimeoutError, now time.Time) {
	switch {
	case z.err != nil && z.err != err:
		z.t.Fatal("another error than before")
	case z.err != nil:
		return
	case z.m.interval <= 0 || z.m.timeout == off:
		z.t.Fatal("given up although nobody asked for it")
	case err.Waited < z.m.timeout && !err.PausedNow || !err.PingDue.Add(err.Waited).Equal(now):
		z.t.Fatalf("at %v: %+v", now, err)
	case err.Error() == "" || err.SinceByte < 0:
		z.t.Fatalf("%+v", err)
	}
	z.err = err
}
