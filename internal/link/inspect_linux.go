package link

import (
	"net"
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

// inspectRaw reads TCP_INFO, and SIOCOUTQ for what the kernel still holds: not
// sent or not acknowledged. On a Unix socket there is no TCP_INFO.
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
		tr = keepalive.Transport{
			Known:       true,
			Unacked:     int64(unacked),
			Acked:       int64(info.Bytes_acked),
			SinceAck:    time.Duration(info.Last_ack_recv) * time.Millisecond,
			SendWindow:  int64(info.Snd_wnd),
			Retransmits: int(info.Retransmits),
		}
	})
	return tr
}
