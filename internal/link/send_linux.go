//go:build linux && !386

package link

import (
	"syscall"
	"unsafe"
)

// send writes b, which is not empty, to a socket. To the system that is less work
// than a write, which may be to anything; and it does not wait, even if somebody has
// put the socket into blocking mode.
func send(fd uintptr, b []byte) (n int, err syscall.Errno) {
	r, _, err := syscall.Syscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT, 0, 0)
	return int(r), err
}
