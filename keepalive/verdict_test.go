package keepalive

import (
	"testing"
	"time"
)

// pausedDrive is a connection that has not read since its start. ack is when
// the last acknowledgement came; everything since is unacknowledged.
type pausedDrive struct {
	*drive
	ack   time.Duration
	probe Transport // what else the transport says
}

func newPausedDrive(t *testing.T, cfg Config, ack time.Duration, probe Transport) *pausedDrive {
	return &pausedDrive{newDrive(t, cfg), ack, probe}
}

// look asks at now.
func (d *pausedDrive) look(now time.Duration) string {
	d.t.Helper()
	d.paused(now, true)
	d.transport = d.probe
	if now <= d.ack {
		d.transport.SinceAck, d.transport.Unacked = 0, 0
	} else {
		d.transport.SinceAck = now - d.ack
	}
	return d.next(now)
}

// run goes from wait to wait until end.
func (d *pausedDrive) run(end time.Duration) (gaveUp time.Duration, ok bool) {
	d.t.Helper()
	for now := time.Duration(0); now <= end; now = d.m.asked {
		if d.look(now); d.m.err != nil {
			return now, true
		}
	}
	return 0, false
}

// While paused, the transport tells of a dead network: something was sent, and
// no acknowledgement of any kind has come since the ping.
func TestPausedOnADeadNetwork(t *testing.T) {
	for _, timeout := range []time.Duration{sec, 10 * sec, 20 * sec, 50 * sec, 5 * time.Minute} {
		for ack := time.Duration(0); ack < 10*time.Minute; ack += 7 * sec {
			cfg := Config{Interval: 20 * sec, Timeout: timeout, Phase: 20 * sec}
			d := newPausedDrive(t, cfg, ack, Transport{Known: true, Unacked: 10, SendWindow: 1000})
			gaveUp, ok := d.run(time.Hour)
			after := gaveUp - ack
			if !ok || after < timeout || after > cfg.Interval+timeout {
				t.Errorf("timeout %v, last ack at %v: gave up: %v, %v after it", timeout, ack, ok, after)
			} else if e := d.m.err; e.Cause != NetworkDead || !e.PausedNow || e.Paused != gaveUp {
				t.Errorf("error: %+v", e)
			}
		}
	}
}

// Everything else that the transport may say keeps the connection.
func TestPausedAndNotDead(t *testing.T) {
	for name, probe := range map[string]Transport{
		"unknown":                 {},
		"not known, but filled":   {Unacked: 10, Retransmits: 10},
		"everything acknowledged": {Known: true, SendWindow: 1000, Retransmits: 10},
		"the window is closed":    {Known: true, Unacked: 10, SendWindow: 0},
		"... with a probe out":    {Known: true, Unacked: 10, SendWindow: 0, Retransmits: 1},
	} {
		d := newPausedDrive(t, Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 20 * sec}, 0, probe)
		if gaveUp, ok := d.run(6 * time.Hour); ok {
			t.Errorf("%s: gave up at %v: %v", name, gaveUp, d.m.err)
		}
		if len(d.pings) < 6*180-1 {
			t.Errorf("%s: only %d pings", name, len(d.pings))
		}
	}
}

// A closed window whose probes are not answered is a dead network too, and so
// is one of which nothing is known.
func TestPausedBehindAWindow(t *testing.T) {
	for name, probe := range map[string]Transport{
		"two probes without an answer": {Known: true, Unacked: 10, SendWindow: 0, Retransmits: 2},
		"no window known":              {Known: true, Unacked: 10, SendWindow: -1},
	} {
		d := newPausedDrive(t, Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 20 * sec}, 30*sec, probe)
		if gaveUp, ok := d.run(time.Hour); !ok || gaveUp != 55*sec {
			t.Errorf("%s: gave up: %v at %v, want at 55s", name, ok, gaveUp)
		} else if d.m.err.Cause != NetworkDead {
			t.Errorf("%s: %v", name, d.m.err)
		}
	}
}

// An acknowledgement within the timeout of each ping keeps a paused connection
// for ever, although something is always on the way.
func TestPausedAndAcknowledged(t *testing.T) {
	d := newPausedDrive(t, Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 20 * sec}, 0,
		Transport{Known: true, Unacked: 10, SendWindow: 1000})
	for now := time.Duration(0); now < time.Hour; now = d.m.asked {
		if n := len(d.pings); n > 0 {
			if ack := d.pings[n-1] + 14*sec; ack < now {
				d.ack = ack
			}
		}
		if d.look(now); d.m.err != nil {
			t.Fatalf("gave up at %v: %v", now, d.m.err)
		}
	}
}

// The looks at the transport cost system calls: one for each ping at most, and
// none before a ping has been out for the timeout.
func TestPausedLooksAreFew(t *testing.T) {
	d := newPausedDrive(t, Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 20 * sec}, time.Hour, Transport{Known: true})
	looks := 0
	for now := time.Duration(0); now < time.Hour; now = d.m.asked {
		if before := d.look(now); len(before) > 7 && before[:7] == "inspect" {
			looks++
			if now < 35*sec {
				t.Errorf("a look at %v", now)
			}
		}
	}
	if looks > len(d.pings) || looks < len(d.pings)/3 {
		t.Errorf("%d looks for %d pings", looks, len(d.pings))
	}
}

// A stop of our own while paused gives the network time for an acknowledgement
// of the ping after it.
func TestPausedAndStopped(t *testing.T) {
	d := newPausedDrive(t, Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 20 * sec}, 20*sec,
		Transport{Known: true, Unacked: 10, SendWindow: 1000})
	for _, step := range []struct {
		now  time.Duration
		want string
	}{
		{20 * sec, "ping 20s, wait 35s"},
		{100 * sec, "ping 1m40s, wait 1m55s"},
		{115 * sec, "inspect, give up (network dead)"},
	} {
		if got := d.look(step.now); got != step.want {
			t.Errorf("at %v: %s, want %s", step.now, got, step.want)
		}
	}
}

// The ping that is due when the peer is given up is not sent: one that has
// just left would make the transport look worse than it is.
func TestNoPingBeforeTheVerdict(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
	d.expect(20*sec, "ping 20s, wait 40s")
	d.expect(40*sec, "inspect, give up (unknown)")
}

// ... also when no pings off the grid are left: those that were not sent while
// we were stopped cannot be unacknowledged.
func TestPausedAndStoppedTooOften(t *testing.T) {
	d := newPausedDrive(t, Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 20 * sec}, 21*sec,
		Transport{Known: true, Unacked: 10, SendWindow: 1000})
	d.look(20 * sec)
	d.m.reprobes = maxReprobes
	for _, step := range []struct {
		now  time.Duration
		want string
	}{
		{205 * sec, "inspect, ping 3m20s, wait 3m40s"},
		{220 * sec, "inspect, give up (network dead)"},
	} {
		if got := d.look(step.now); got != step.want {
			t.Errorf("at %v: %s, want %s", step.now, got, step.want)
		}
	}
}

// When everything was acknowledged at a look, the next one is for the ping that
// is due at this very moment, and not for the one after it.
func TestPausedLookForThePingThatIsDue(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
	for _, step := range []struct {
		now     time.Duration
		unacked int64
		want    string
	}{
		{20 * sec, 0, "ping 20s, wait 40s"},
		{40 * sec, 0, "inspect, ping 40s, wait 1m0s"},
		{60 * sec, 10, "inspect, give up (network dead)"},
	} {
		d.paused(step.now, true)
		d.transport = Transport{Known: true, Unacked: step.unacked, SinceAck: step.now - 39*sec, SendWindow: 1}
		d.expect(step.now, step.want)
	}
}

// While data come the network is not dead, whatever became of what we sent: the
// acknowledgements that they carry tell nothing new, and the kernel counts them
// for nothing. When no more come the peer is given up within Interval + Timeout.
func TestPausedWhileDataArrive(t *testing.T) {
	for _, strict := range []bool{false, true} {
		cfg := Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 20 * sec, Strict: strict}
		d := newPausedDrive(t, cfg, 30*sec, Transport{Known: true, Unacked: 10, SendWindow: 1000, Retransmits: 6, RTO: 200 * ms})
		const last = 10 * time.Minute
		for now := time.Duration(0); d.m.err == nil; now = d.m.asked {
			d.probe.SinceData = max(now-last, sec)
			if now > time.Hour {
				t.Fatal("not given up when no more data came")
			}
			if d.look(now); d.m.err != nil && (now < last+cfg.Timeout || now > last+cfg.Interval+cfg.Timeout) {
				t.Errorf("strict %t: gave up at %v, when data came until %v: %v", strict, now, last, d.m.err)
			}
		}
	}
}

// A ping that waits at our own door is not out, though it was due: what is not
// acknowledged may have been written this very moment. The transport has not sent
// it again then, and has time to do so or to have it acknowledged.
func TestPausedAndJustWritten(t *testing.T) {
	for name, test := range map[string]struct {
		then Transport
		want string
	}{
		"acknowledged":     {Transport{Known: true, SendWindow: 1000, SinceAck: 50 * ms, RTO: 300 * ms}, "inspect, wait 1m20s"},
		"more was written": {Transport{Known: true, SendWindow: 1000, SinceAck: 50 * ms, RTO: 300 * ms, Unacked: 10}, "inspect, wait 1m20s"},
		"sent again":       {Transport{Known: true, SendWindow: 1000, SinceAck: 40*sec + 200*ms, RTO: 300 * ms, Unacked: 10, Retransmits: 1}, "inspect, give up (network dead)"},
	} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
		d.transport = Transport{Known: true, SendWindow: 1000}
		d.paused(20*sec, true)
		d.expect(20*sec, "ping 20s, wait 40s")
		d.paused(40*sec, true)
		d.stuck = true // behind a message that is sent in pieces
		d.expect(40*sec, "inspect, ping 40s, wait 1m0s")
		d.paused(60*sec, true)
		d.transport = Transport{Known: true, Unacked: 10, SinceAck: 39*sec + 900*ms, SendWindow: 1000, RTO: 300 * ms}
		d.ev.WriteProgress = at(60*sec - ms)
		d.expect(60*sec, "inspect, ping 1m0s, wait 1m0.3s")
		d.paused(60*sec+300*ms, true)
		d.transport = test.then
		if got := d.next(60*sec + 300*ms); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// One that left when it was due has been out since, and a transport that has not
// sent it again by now has had all the time that the peer has: that it takes long to
// do so puts nothing off. It is trusted as long as no acknowledgement can have come
// yet.
func TestPausedAndWrittenInTime(t *testing.T) {
	for name, test := range map[string]struct {
		rto  time.Duration
		want string
	}{
		"slow to send again":  {21 * sec, "inspect, give up (network dead)"},
		"a longer round trip": {25 * sec, "inspect, ping 1m0s, wait 1m3.9s"},
	} {
		d := newDrive(t, Config{Interval: 20 * sec, Timeout: 20 * sec, Phase: 20 * sec})
		d.transport = Transport{Known: true, SendWindow: 1000}
		d.paused(20*sec, true)
		d.stuck = true
		d.expect(20*sec, "ping 20s, wait 40s")
		d.stuck, d.ev.PingSent = false, true // what was ahead of it has left
		d.paused(40*sec, true)
		d.expect(40*sec, "inspect, ping 40s, wait 1m0s")
		d.paused(60*sec, true)
		d.transport = Transport{Known: true, Unacked: 10, SinceAck: 21*sec + 100*ms, SendWindow: 1000, RTO: test.rto}
		if got := d.next(60 * sec); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// One that we were late to ask for was not out since it was due either, also when
// lateness has earned all the pings that it can.
func TestPausedAndAskedForLate(t *testing.T) {
	d := newDrive(t, Config{Interval: 20 * sec, Timeout: 15 * sec, Phase: 20 * sec})
	d.transport = Transport{Known: true, SendWindow: 1000}
	d.m.reprobes = maxReprobes
	d.paused(20*sec, true)
	d.expect(20*sec, "ping 20s, wait 35s")
	d.paused(35*sec, true)
	d.expect(35*sec, "inspect, wait 40s") // all is acknowledged
	d.paused(54*sec, true)
	d.ev.WriteProgress = at(54 * sec)
	d.expect(54*sec, "ping 40s, wait 55s")
	d.paused(55*sec, true)
	d.transport = Transport{Known: true, Unacked: 10, SinceAck: 34 * sec, SendWindow: 1000, RTO: 300 * ms}
	d.expect(55*sec, "inspect, wait 55.3s")
	d.paused(55*sec+300*ms, true)
	d.transport = Transport{Known: true, SinceAck: 100 * ms, SendWindow: 1000, RTO: 300 * ms}
	d.expect(55*sec+300*ms, "inspect, wait 1m0s")
}
