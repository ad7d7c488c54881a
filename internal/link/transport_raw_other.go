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

// newRawTransport returns nil: there is no waiting for readiness here.
func newRawTransport(rawSocket, *input) transport { return nil }

// whenWritable returns nil, for there is no waiting for that either.
func (out *output) whenWritable() func(uintptr) bool { return nil }
