package keepalive

import (
	"testing"
	"time"
)

func idleDrive(t *testing.T) *drive {
	return newDrive(t, Config{Mode: ModeIdle, Interval: 20 * sec, Timeout: 8 * sec, Phase: 5 * sec})
}

// Only when idle: the ping comes an interval after the last byte, which may be
// that of a pong.
func TestIdlePutsOff(t *testing.T) {
	d := idleDrive(t)
	d.expect(0, "wait 5s")
	d.expect(5*sec, "ping 5s, wait 13s")
	d.heard(6 * sec)
	d.expect(13*sec, "wait 26s")
	d.heard(25 * sec)
	d.expect(26*sec, "wait 45s")
	d.heard(45 * sec)
	d.expect(45*sec, "wait 1m5s")
	d.expect(65*sec, "ping 1m5s, wait 1m13s")
	d.expect(73*sec, "inspect, give up (unknown)")
}

// A peer that says something all the time is never pinged.
func TestIdleNever(t *testing.T) {
	d := idleDrive(t)
	for now := time.Duration(0); now < time.Hour; now = d.m.asked {
		d.heard(now - now%(3*sec) + 1)
		d.next(now)
	}
	if len(d.pings) > 0 {
		t.Errorf("pings at %v", d.pings)
	}
}

// What came with the handshake does not move the first ping: those of many
// connections stay spread.
func TestIdleKeepsPhase(t *testing.T) {
	d := idleDrive(t)
	d.heard(0)
	d.expect(5*sec, "ping 5s, wait 13s")
}

// A byte from before the ping does not speak for it, and puts off neither its
// deadline nor the next ping.
func TestIdleOldByte(t *testing.T) {
	d := idleDrive(t)
	d.heard(sec)
	d.expect(5*sec, "wait 21s")
	d.expect(21*sec, "ping 21s, wait 29s")
	d.heard(20 * sec)
	d.expect(22*sec, "wait 29s")
	d.expect(29*sec, "inspect, give up (unknown)")
}

// With a Timeout longer than the Interval pings go on at each interval, and a
// dead link is reported within Interval + Timeout of the last byte.
func TestIdleLongTimeout(t *testing.T) {
	d := newDrive(t, Config{Mode: ModeIdle, Interval: 10 * sec, Timeout: 25 * sec, Phase: 5 * sec})
	d.heard(2 * sec)
	d.expect(5*sec, "wait 12s")
	if gaveUp, ok := d.on(12*sec, time.Hour); !ok || gaveUp != 37*sec {
		t.Errorf("given up: %v at %v, want at 37s", ok, gaveUp)
	}
	if len(d.pings) != 3 { // at 12, 22 and 32 s
		t.Errorf("pings at %v", d.pings)
	}
}

// Strict: data puts the ping off, and is no answer to one that was sent.
func TestIdleStrict(t *testing.T) {
	d := newDrive(t, Config{Mode: ModeIdle, Strict: true, Interval: 20 * sec, Timeout: 8 * sec, Phase: 5 * sec})
	d.heard(3 * sec)
	d.expect(5*sec, "wait 23s")
	d.expect(23*sec, "ping 23s, wait 31s")
	d.answered(23 * sec)
	d.heard(24 * sec)
	d.expect(24*sec, "wait 44s")
	d.expect(44*sec, "ping 44s, wait 52s")
	d.heard(50 * sec)
	d.expect(50*sec, "wait 52s")
	d.expect(52*sec, "inspect, give up (unknown)")
}

// One-way pongs go out on the grid, and nobody is given up.
func TestOneWayPong(t *testing.T) {
	d := newDrive(t, Config{Mode: ModePong, Interval: 20 * sec, Timeout: 8 * sec, Phase: 5 * sec})
	d.expect(5*sec, "pong 5s, wait 25s")
	d.expect(25*sec, "pong 25s, wait 45s")
	if gaveUp, ok := d.on(45*sec, time.Hour); ok {
		t.Errorf("given up at %v", gaveUp)
	}
	if d.pongs != 180 || len(d.pings) != 0 {
		t.Errorf("%d pongs and %d pings in an hour, want 180 and none", d.pongs, len(d.pings))
	}
}

// Back to pings: silence while only pongs were sent is held against nobody.
func TestPongThenPing(t *testing.T) {
	for _, mode := range []Mode{ModePing, ModeIdle} {
		cfg := Config{Mode: ModePong, Interval: 20 * sec, Timeout: 8 * sec, Phase: 5 * sec}
		d := newDrive(t, cfg)
		d.expect(5*sec, "pong 5s, wait 25s")
		cfg.Mode = mode
		d.set(cfg, 12*sec)
		d.expect(12*sec, "wait 25s")
		d.expect(25*sec, "ping 25s, wait 33s")
		d.expect(33*sec, "inspect, give up (unknown)")
	}
}

// From pings to pongs: an unanswered ping is forgotten.
func TestPingThenPong(t *testing.T) {
	cfg := Config{Interval: 20 * sec, Timeout: 8 * sec, Phase: 5 * sec}
	d := newDrive(t, cfg)
	d.expect(5*sec, "ping 5s, wait 13s")
	cfg.Mode = ModePong
	d.set(cfg, 12*sec)
	d.expect(12*sec, "wait 25s")
	d.expect(25*sec, "pong 25s, wait 45s")
}

// Between ping and idle the grid stays until a byte comes.
func TestPingThenIdle(t *testing.T) {
	cfg := Config{Interval: 20 * sec, Timeout: 8 * sec, Phase: 5 * sec}
	d := newDrive(t, cfg)
	d.expect(5*sec, "ping 5s, wait 13s")
	d.heard(6 * sec)
	d.expect(7*sec, "wait 25s")
	cfg.Mode = ModeIdle
	d.set(cfg, 8*sec)
	d.expect(8*sec, "wait 26s")
	cfg.Mode = ModePing
	d.set(cfg, 9*sec)
	d.heard(10 * sec)
	d.expect(10*sec, "wait 26s")
}

func TestModeString(t *testing.T) {
	for mode, want := range map[Mode]string{ModePing: "ping", ModeIdle: "idle", ModePong: "pong", 99: "unknown"} {
		if got := mode.String(); got != want {
			t.Errorf("mode %d is %q, want %q", mode, got, want)
		}
	}
	if Pong.String() != "pong" {
		t.Errorf("Pong is %q", Pong)
	}
}
