package serve

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
)

// listen listens on host:port or, for a Unix socket, on unix:path.
func listen(addr string) (net.Listener, error) {
	path, ok := strings.CutPrefix(addr, "unix:")
	if !ok {
		return net.Listen("tcp", addr)
	}
	listener, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) && abandoned(path) && os.Remove(path) == nil {
		return net.Listen("unix", path)
	}
	return listener, err
}

// abandoned reports whether path is a socket that nobody listens on, which a
// program that was killed has left behind.
func abandoned(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
