//go:build !windows && !wasip1

package link

import "syscall"

// gone are the errors with which a system gives up a connection by itself. All but
// the first are what routers and firewalls on the way have said (the last three for
// a port, a protocol or, with IPv6, a sender that they do not let through), or the
// system's own interface. TCP tries on all the same, and tells the latest of them
// when it gives up.
var gone = [...]syscall.Errno{
	syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN,
	syscall.ECONNREFUSED, syscall.ENOPROTOOPT, syscall.EACCES,
}
