//go:build unix && !linux

package link

import "syscall"

// send writes b, which is not empty.
func send(fd uintptr, b []byte) (n int, err syscall.Errno) { return writeVector(fd, b, nil) }
