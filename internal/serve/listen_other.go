//go:build !linux

package serve

import "syscall"

// inheritKeepAlive is nil: what a connection inherits is for each system to say.
var inheritKeepAlive func(network, address string, raw syscall.RawConn) error
