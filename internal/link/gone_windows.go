package link

import "golang.org/x/sys/windows"

// gone are the errors with which Windows gives up a connection by itself; the last
// is for TCP's own keepalive. Those that package syscall calls ETIMEDOUT and so on
// are no system's there. WSAECONNABORTED is not among them, although Windows may
// return it when nothing is acknowledged: it does so as well for a write after
// the peer has reset the connection.
var gone = [...]windows.Errno{
	windows.WSAETIMEDOUT, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH, windows.WSAEHOSTDOWN, windows.WSAENETDOWN,
	windows.WSAENETRESET,
}
