package link

import (
	"syscall"
	"unsafe"
)

// Package syscall knows no system calls for sockets here.

func send(fd uintptr, b []byte) (n int, err syscall.Errno) {
	return call(syscall.SYS_WRITE, fd, unsafe.Pointer(&b[0]), len(b))
}

func receive(fd uintptr, b *block) (n int, err syscall.Errno) {
	return call(syscall.SYS_READ, fd, unsafe.Pointer(b), blockSize)
}
