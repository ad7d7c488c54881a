//go:build unix && !linux

package link

import "syscall"

// gathersVectors: readVector reads, and writeVector writes, one of them at a time.
const gathersVectors = false

// readVector reads into a, or into b when a is empty.
func readVector(fd uintptr, a []byte, b *block) (n int, err syscall.Errno) {
	if len(a) == 0 {
		a = b[:]
	}
	return result(syscall.Read(int(fd), a))
}

// readApart is not needed: no header is read apart where vectors are not gathered.
func readApart(uintptr, *input) (n int, err syscall.Errno) { return 0, syscall.ENOSYS }

// writeAhead is not needed: nothing is ahead where vectors are not gathered.
func writeAhead(uintptr, *output) (n int, err syscall.Errno) { return 0, syscall.ENOSYS }

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
