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
func newRawTransport(rawSocket) transport { return nil }
