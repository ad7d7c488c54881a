//go:build linux && !386

package link

import (
	"syscall"
	"unsafe"
)

// What reads and writes sockets is less work for the system than what reads and
// writes anything.

// send writes b, which is not empty.
func send(fd uintptr, b []byte) (n int, err syscall.Errno) {
	r, _, err := syscall.Syscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), syscall.MSG_NOSIGNAL, 0, 0)
	return int(r), err
}

// receive reads into b.
func receive(fd uintptr, b *block) (n int, err syscall.Errno) {
	r, _, err := syscall.Syscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(b)), blockSize, 0, 0, 0)
	return int(r), err
}
