package link

import (
	"sync"
	"syscall"
	"unsafe"
)

// The system calls are made directly, for package syscall's wrappers take room
// on the stack that a waiting receiver does not have; see receiver.

// gathersVectors: readVector reads, and writeVector writes, both at once.
const gathersVectors = true

// readVector reads into a, then b. One of them may be missing.
func readVector(fd uintptr, a []byte, b *block) (n int, err syscall.Errno) {
	if len(a) == 0 {
		a, b = b[:], nil
	}
	if b == nil {
		return call(syscall.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(a)), len(a))
	}
	return callVector(syscall.SYS_READV, fd, a, b[:])
}

// readApart reads a header and a payload; see direct.go. It is not inlined: what it
// takes of the stack is for who needs it.
//
//go:noinline
func readApart(fd uintptr, in *input) (n int, err syscall.Errno) {
	header, payload := in.pieces()
	return callVector(syscall.SYS_READV, fd, header, payload)
}

// writeAhead writes head, body and the fragments ahead. It is not inlined: what it
// takes of the stack is for who needs it.
//
//go:noinline
func writeAhead(fd uintptr, out *output) (n int, err syscall.Errno) {
	if out.leads() {
		return callVector(syscall.SYS_WRITEV, fd, out.head, out.body[:lead])
	}
	iov := vectors.Get().(*[2 + 2*maxAhead]syscall.Iovec)
	pieces := appendPiece(appendPiece(iov[:0], out.head), out.body)
	for i := range out.ahead {
		f := &out.ahead[i]
		pieces = appendPiece(appendPiece(pieces, f.head()), f.payload)
	}
	n, err = call(syscall.SYS_WRITEV, fd, unsafe.Pointer(iov), len(pieces))
	clear(pieces)
	vectors.Put(iov)
	return n, err
}

var vectors = sync.Pool{New: func() any { return new([2 + 2*maxAhead]syscall.Iovec) }}

func appendPiece(pieces []syscall.Iovec, b []byte) []syscall.Iovec {
	pieces = append(pieces, syscall.Iovec{Base: unsafe.SliceData(b)})
	pieces[len(pieces)-1].SetLen(len(b))
	return pieces
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
