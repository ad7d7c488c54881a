package link

import "golang.org/x/sys/windows"

// gone are the errors with which Windows gives up a connection by itself. Those
// that package syscall calls ETIMEDOUT and so on are no system's there.
var gone = [...]windows.Errno{windows.WSAETIMEDOUT, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH}
