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

// TestInspectData: when data came last is known of every connection, also when it
// was a moment ago, which the kernel's milliseconds call 0.
func TestInspectData(t *testing.T) {
	for ms, want := range map[uint32]time.Duration{0: 1, 1: time.Millisecond, 2500: 2500 * time.Millisecond} {
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
