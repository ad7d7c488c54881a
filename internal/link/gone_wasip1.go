package link

import "syscall"

// gone are the errors with which a system gives up a connection by itself.
var gone = [...]syscall.Errno{syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH}
