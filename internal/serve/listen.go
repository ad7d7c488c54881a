package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
)

// listen listens on host:port or, for a Unix socket, on unix:path.
func listen(addr string) (net.Listener, error) {
	path, ok := strings.CutPrefix(addr, "unix:")
	if !ok {
		return listenTCP(addr)
	}
	return listenUnix(path)
}

// listenUnix listens on a Unix socket, also where there is an abandoned one.
// Two servers that both replaced it would end with one of them listening on a
// socket that is gone; and one that was just made looks abandoned until it is
// listened on. So they do it one after the other. An abstract one, whose name
// begins with @, is not in a folder and goes with its server.
func listenUnix(path string) (net.Listener, error) {
	if path == "" || path[0] == '@' {
		return net.Listen("unix", path)
	}
	unlock, held := lockFolder(path)
	defer unlock()
	listener, err := net.Listen("unix", path)
	if held && errors.Is(err, syscall.EADDRINUSE) && abandoned(path) && os.Remove(path) == nil {
		return net.Listen("unix", path)
	}
	return listener, err
}

// listenTCP listens as net.Listen does. Go turns on TCP's own keepalive for each
// connection that is accepted, which takes four system calls; where a connection
// inherits that from its listener it is turned on there.
func listenTCP(addr string) (net.Listener, error) {
	if inheritKeepAlive != nil {
		config := net.ListenConfig{KeepAlive: -1, Control: inheritKeepAlive}
		if listener, err := config.Listen(context.Background(), "tcp", addr); !errors.Is(err, errNotInherited) {
			return listener, err
		}
	}
	return net.Listen("tcp", addr)
}

// errNotInherited: the system does not take TCP's keepalive for a listener.
var errNotInherited = errors.New("websocket: a listener cannot have TCP's keepalive")

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

// An audible listener tells when it can accept nobody for now, as without file
// descriptors. net/http, which tries again, tells of that where it tells of
// clients' mistakes.
type audible struct {
	net.Listener
	logger *slog.Logger
}

func (l *audible) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil && passes(err) {
		l.logger.Error("websocket: accepting connections fails for now", "address", l.Addr(), "error", err)
	}
	return conn, err
}

// passes reports whether an error of Accept is one after which net/http goes on,
// and not about a client that is gone already, as most of the system's are.
func passes(err error) bool {
	t, ok := err.(interface{ Temporary() bool })
	if !ok || !t.Temporary() {
		return false
	}
	var errno syscall.Errno
	return !errors.As(err, &errno) || errno == syscall.EMFILE || errno == syscall.ENFILE
}
