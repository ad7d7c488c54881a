//go:build unix && (!linux || 386)

package link

import "syscall"

// send writes b, which is not empty, to a socket.
func send(fd uintptr, b []byte) (n int, err syscall.Errno) { return writeVector(fd, b, nil) }
