//go:build !unix

package link

import "net"

// rawTransport is none here: there is no waiting for readiness.
type rawTransport struct{ transport }

func (*rawTransport) init(net.Conn, *Conn) (ok bool) { return false }

// whenWritable returns nil, for there is no waiting for that either.
func (out *output) whenWritable() func(uintptr) bool { return nil }
