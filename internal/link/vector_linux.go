package link

import (
	"syscall"
	"unsafe"
)

// The system calls are made directly, for package syscall's wrappers take room
// on the stack that a waiting receiver does not have; see receiver.

// gathersVectors: writeVector writes both at once.
const gathersVectors = true

// readVector reads into a, then b, which is not empty.
func readVector(fd uintptr, a []byte, b *block) (n int, err syscall.Errno) {
	if len(a) == 0 {
		return call(syscall.SYS_READ, fd, unsafe.Pointer(b), blockSize)
	}
	return callVector(syscall.SYS_READV, fd, a, b[:])
}

// writeVector writes a, then b, which are not both empty.
func writeVector(fd uintptr, a, b []byte) (n int, err syscall.Errno) {
	switch {
	case len(b) == 0:
		return call(syscall.SYS_WRITE, fd, unsafe.Pointer(&a[0]), len(a))
	case len(a) == 0:
		return call(syscall.SYS_WRITE, fd, unsafe.Pointer(&b[0]), len(b))
	}
	return callVector(syscall.SYS_WRITEV, fd, a, b)
}

func callVector(trap, fd uintptr, a, b []byte) (n int, err syscall.Errno) {
	iov := [2]syscall.Iovec{{Base: &a[0]}, {Base: &b[0]}}
	iov[0].SetLen(len(a))
	iov[1].SetLen(len(b))
	return call(trap, fd, unsafe.Pointer(&iov), len(iov))
}

func call(trap, fd uintptr, p unsafe.Pointer, size int) (n int, err syscall.Errno) {
	r, _, err := syscall.Syscall(trap, fd, uintptr(p), uintptr(size))
	return int(r), err
}
