package serve

import (
	"errors"
	"fmt"
	"syscall"
)

// inheritKeepAlive sets a listener's options to what package net gives each
// connection, in seconds. They go over to the connections that are accepted, those
// of Multipath TCP too, which such a listener has where the system is capable of
// it. An older one that knows the options only for plain TCP refuses them.
var inheritKeepAlive = func(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1),
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15),
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15),
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9))
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("%w: %w", errNotInherited, err)
	}
	return nil
}
