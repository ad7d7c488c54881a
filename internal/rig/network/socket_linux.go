package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A socket stays in the namespace that it was made in, whoever uses it. So
// sockets are made by a thread that visits the host, and the test does the
// rest from where it is.

// visit calls f on a thread that is in the host's namespace.
func (h *Host) visit(f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := enter(h.file); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter %s: %w", h.name, err)
	}
	err = f()
	if left := enter(home); left != nil {
		// The thread stays locked and so ends with its goroutine: nobody
		// else is to find himself elsewhere.
		return fmt.Errorf("leave %s: %w", h.name, left)
	}
	runtime.UnlockOSThread()
	return err
}

func enter(namespace *os.File) error {
	return unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
}

// TCP's own keepalive would be traffic too, and find a dead peer by itself. It
// is off here.

// DialContext connects from the host, to an address without names to look up.
func (h *Host) DialContext(ctx context.Context, network, address string) (conn net.Conn, err error) {
	dialer := net.Dialer{KeepAlive: -1, Control: h.prepare}
	err = h.visit(func() error {
		conn, err = dialer.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens in the host, on any free port.
func (h *Host) Listen(t testing.TB) net.Listener {
	t.Helper()
	var listener net.Listener
	config := net.ListenConfig{KeepAlive: -1, Control: h.prepare}
	err := h.visit(func() (err error) {
		listener, err = config.Listen(context.Background(), "tcp4", ":0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// prepare sets what the host wants of a new socket. Those that a listener
// accepts inherit it.
func (h *Host) prepare(_, _ string, raw syscall.RawConn) error {
	var failed error
	set := func(fd uintptr, level, option, value int) {
		if value != 0 {
			failed = errors.Join(failed, unix.SetsockoptInt(int(fd), level, option, value))
		}
	}
	err := raw.Control(func(fd uintptr) {
		set(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, h.Buffer)
		set(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(h.UserTimeout/time.Millisecond))
	})
	return errors.Join(err, failed)
}

// Set sets a parameter of the host's kernel, a path below /proc/sys.
func (h *Host) Set(t testing.TB, parameter, value string) {
	t.Helper()
	err := h.visit(func() error {
		return os.WriteFile("/proc/sys/"+parameter, []byte(value), 0)
	})
	if err != nil {
		t.Fatal(err)
	}
}
