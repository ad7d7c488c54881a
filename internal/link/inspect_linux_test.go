package link

import (
	"net"
	"testing"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"golang.org/x/sys/unix"
)

// What the kernel says of a connection is what the schedule understands by it:
// bytes that arrived and were not read, and bytes that were acknowledged.
func TestInspect(t *testing.T) {
	here, there := tcpPair(t)
	before := inspectConn(here)
	if !before.Known || before.SinceData <= 0 || before.Unread != 0 || before.Unacked != 0 || before.SendWindow <= 0 {
		t.Fatalf("an idle connection: %+v", before)
	}

	there.Write([]byte("unread"))
	await(t, here, "bytes to read", func(tr keepalive.Transport) bool { return tr.Unread > 0 })
	here.Read(make([]byte, 6))
	await(t, here, "nothing left to read", func(tr keepalive.Transport) bool { return tr.Unread == 0 })

	here.Write([]byte("acknowledged"))
	await(t, here, "an acknowledgement", func(tr keepalive.Transport) bool {
		return tr.Unacked == 0 && tr.Acked >= before.Acked+int64(len("acknowledged"))
	})
}

// A Unix socket does not know of a network.
func TestInspectUnixSocket(t *testing.T) {
	listener, err := net.Listen("unix", t.TempDir()+"/socket")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if tr := inspectConn(conn); tr != (keepalive.Transport{}) {
		t.Errorf("%+v; want nothing", tr)
	}
}

// await inspects until what is wanted is seen: the kernel delivers and
// acknowledges when it likes.
func await(t *testing.T, conn net.Conn, want string, seen func(keepalive.Transport) bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		tr := inspectConn(conn)
		switch {
		case seen(tr):
			return
		case time.Now().After(deadline):
			t.Fatalf("%+v; want %s", tr, want)
		}
	}
}

// TestInspectProbes: with the window closed the kernel sends probes, and counts
// those that nobody answers apart from retransmissions.
func TestInspectProbes(t *testing.T) {
	for _, test := range []struct {
		info unix.TCPInfo
		want int
	}{
		{unix.TCPInfo{}, 0},
		{unix.TCPInfo{Retransmits: 3}, 3},
		{unix.TCPInfo{Probes: 2}, 2},
	} {
		if got := transportOf(&test.info, 100, 0).Retransmits; got != test.want {
			t.Errorf("%d retransmissions and %d probes count as %d", test.info.Retransmits, test.info.Probes, got)
		}
	}
}

// TestInspectTicks: the kernel counts in ticks, and may call an acknowledgement
// older than the ping that it was for. That ping is not out for all that; the one
// after it is, and has its time while reading is paused.
func TestInspectTicks(t *testing.T) {
	const interval, timeout = 10 * time.Second, 20 * time.Second
	const acked = 30*time.Second + 200*time.Microsecond // and nothing after it
	for _, hz := range []time.Duration{100, 250, 1000} {
		var m keepalive.Monitor
		start := time.Now()
		m.Start(keepalive.Config{Interval: interval, Timeout: timeout, Phase: interval}, start)
		// ask asks at now, and reports whether the peer lives.
		ask := func(now time.Duration) bool {
			ev := keepalive.Evidence{Paused: now, PausedNow: true, PingSent: true}
			for {
				switch m.Next(start.Add(now), &ev).Kind {
				case keepalive.Wait:
					return true
				case keepalive.GiveUp:
					return false
				case keepalive.Inspect:
					ev.Inspected, ev.Transport = true, transportSince(now-min(acked, now), hz)
				}
			}
		}
		for _, now := range []time.Duration{interval, 2 * interval, 3 * interval, 4 * interval, 5*interval + time.Millisecond} {
			if !ask(now) {
				t.Errorf("%d ticks a second: given up at %v", hz, now)
			}
		}
		if ask(6*interval + 15*time.Millisecond) {
			t.Errorf("%d ticks a second: not given up when the time was over", hz)
		}
	}
}

// transportSince is what the kernel says when the last acknowledgement came so long
// ago, by ticks of which there are hz a second.
func transportSince(ack, hz time.Duration) keepalive.Transport {
	if ack == 0 {
		return transportOf(&unix.TCPInfo{Snd_wnd: 1000}, 0, 0)
	}
	ticks := ack/(time.Second/hz) + 1
	ago := uint32(ticks * 1000 / hz)
	return transportOf(&unix.TCPInfo{Snd_wnd: 1000, Retransmits: 5, Last_ack_recv: ago, Last_data_recv: 60000}, 10, 0)
}

// TestInspectData: when data came last is known of every connection, also when it
// was a moment ago, which the kernel's milliseconds call 0, or a tick.
func TestInspectData(t *testing.T) {
	for ms, want := range map[uint32]time.Duration{0: 1, 1: 1, 10: 1, 2500: 2490 * time.Millisecond} {
		if got := transportOf(&unix.TCPInfo{Last_data_recv: ms, Last_ack_recv: 9000}, 0, 0).SinceData; got != want {
			t.Errorf("%d ms: %v; want %v", ms, got, want)
		}
	}
}

// TestHasWindow: kernels before 5.4 do not tell the peer's window.
func TestHasWindow(t *testing.T) {
	for release, want := range map[string]bool{
		"4.18.0-553.el8_10.x86_64": false, "5.3.18-default": false, "5.4.0": true,
		"5.15.0-91-generic": true, "6.18.1": true, "10.0": true, "": false, "odd": false,
	} {
		if got := hasWindow(release); got != want {
			t.Errorf("%q: %t", release, got)
		}
	}
}
