//go:build unix && !linux

package link

import "syscall"

// gathersVectors: writeVector writes one of them at a time.
const gathersVectors = false

// readVector reads into a, or into b when a is empty.
func readVector(fd uintptr, a []byte, b *block) (n int, err syscall.Errno) {
	if len(a) == 0 {
		a = b[:]
	}
	return result(syscall.Read(int(fd), a))
}

// writeOutput writes head, or body when head is empty. Nothing is ahead where
// vectors are not gathered.
func writeOutput(fd uintptr, out *output) (n int, err syscall.Errno) {
	return writeVector(fd, out.head, out.body)
}

// writeVector writes a, or b when a is empty.
func writeVector(fd uintptr, a, b []byte) (n int, err syscall.Errno) {
	if len(a) == 0 {
		a = b
	}
	return result(syscall.Write(int(fd), a))
}

func result(n int, err error) (int, syscall.Errno) {
	errno, _ := err.(syscall.Errno)
	return n, errno
}
