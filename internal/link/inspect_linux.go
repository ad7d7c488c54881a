package link

import (
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"golang.org/x/sys/unix"
)

// inspectConn asks the kernel about conn if it is a TCP connection.
func inspectConn(conn net.Conn) keepalive.Transport {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return keepalive.Transport{}
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return keepalive.Transport{}
	}
	return inspectRaw(raw)
}

// inspectRaw reads TCP_INFO, and what the kernel still holds: SIOCOUTQ counts
// what was not sent or not acknowledged, and the first value of SO_MEMINFO what
// was not read, also what cannot be yet because something before it was lost.
// On a Unix socket there is no TCP_INFO.
func inspectRaw(raw syscall.RawConn) (tr keepalive.Transport) {
	raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		unacked, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		if err != nil {
			return
		}
		unread, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MEMINFO)
		if err != nil {
			unread = 0 // before Linux 4.12
		}
		tr = transportOf(info, unacked, unread)
	})
	return tr
}

// transportOf returns what the kernel said. The probes of a closed window do
// not count as retransmissions there, but they are: each that is answered sets
// the count back.
func transportOf(info *unix.TCPInfo, unacked, unread int) keepalive.Transport {
	data, ack := atLeast(info.Last_data_recv), atLeast(info.Last_ack_recv)
	return keepalive.Transport{
		Known:    true,
		Unacked:  int64(unacked),
		Acked:    int64(info.Bytes_acked) + int64(info.Delivered),
		Unread:   int64(unread),
		SinceAck: ack,
		// The former tells of data in order, the latter also of what came
		// behind a gap: it brought an acknowledgement with it.
		SinceArrival: min(data, ack),
		SinceData:    max(data, 1),                                                      // 0 is that nobody knows
		RTO:          time.Duration(info.Rto>>min(info.Backoff, 31)) * time.Microsecond, // before it was doubled
		SendWindow:   sendWindow(info),
		Retransmits:  int(max(info.Retransmits, info.Probes)),
	}
}

// kernelTick is the longest time between two ticks of a kernel's clock.
const kernelTick = 10 * time.Millisecond

// atLeast returns for how long at least something is past that the kernel says was
// so many milliseconds ago: it counts whole ticks, and what has come a moment after
// a ping must not seem to have come before it.
func atLeast(ms uint32) time.Duration {
	return max(time.Duration(ms)*time.Millisecond-kernelTick, 0)
}

// sendWindow returns the window, -1 where the kernel does not tell.
func sendWindow(info *unix.TCPInfo) int64 {
	if !tellsWindow() {
		return -1
	}
	return int64(info.Snd_wnd)
}

// tellsWindow reports whether the kernel tells the window. An older one leaves it
// at 0, which would look like a peer that never reads.
var tellsWindow = sync.OnceValue(func() bool {
	var name unix.Utsname
	return unix.Uname(&name) == nil && hasWindow(unix.ByteSliceToString(name.Release[:]))
})

// hasWindow reports whether it is a release since 5.4.
func hasWindow(release string) bool {
	var major, minor int
	fmt.Sscanf(release, "%d.%d", &major, &minor)
	return major > 5 || major == 5 && minor >= 4
}
