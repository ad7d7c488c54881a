//go:build !unix

package link

import (
	"net"
	"syscall"
)

type rawSocket interface {
	net.Conn
	syscall.Conn
}

// rawTransport is none here: there is no waiting for readiness.
type rawTransport struct{ transport }

func (*rawTransport) init(rawSocket, *input) (ok bool) { return false }

// whenWritable returns nil, for there is no waiting for that either.
func (out *output) whenWritable() func(uintptr) bool { return nil }
