//go:build unix

package link

import (
	"net"
	"syscall"
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// rawTransport carries bytes over a TCP or Unix socket. It waits for readiness
// without a buffer, and reads and writes in vectors.
//
// Its system calls go through package syscall so that the scheduler knows of
// them, and every wait begins with a call that found nothing: the poller tells
// of changes, so skipping that first try would lose one.
type rawTransport struct {
	raw  syscall.RawConn
	conn *net.TCPConn // also of a Unix socket; see socket

	// readReady is what whenReadable returns, made once, for that allocates.
	readReady func(fd uintptr) (done bool)
}

// init makes t a transport over conn, if that is a socket, that reads for c.
func (t *rawTransport) init(conn net.Conn, c *Conn) (ok bool) {
	tcp, ok := socket(conn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	*t = rawTransport{conn: tcp, raw: raw, readReady: c.whenReadable()}
	return true
}

// socket returns a connection of package net: one of exactly its types, for a
// wrapper's Read must not be bypassed, whatever methods it has. A Unix socket's has
// the same in it as one of TCP, as the compiler sees to; a pointer to one type
// takes half the room of an interface.
func socket(conn net.Conn) (tcp *net.TCPConn, ok bool) {
	switch conn := conn.(type) {
	case *net.TCPConn:
		return conn, true
	case *net.UnixConn:
		return (*net.TCPConn)(conn), true
	}
	return nil, false
}

func (t *rawTransport) read(in *input) error {
	in.errno = 0
	if err := t.raw.Read(t.readReady); err != nil {
		return err
	}
	if in.block == nil && in.direct.wantsBlock() {
		return errNoBlock
	}
	return in.errno.err()
}

// whenReadable returns a function that reads once. With nothing to read it gives
// back the block and asks to be called again when there is. If there is no spare
// block then, it leaves it to Conn.fill to borrow one and to begin anew: here the
// stack is too deep. It is a function and no method value for the same reason:
// that has a frame of its own.
func (c *Conn) whenReadable() func(fd uintptr) (done bool) {
	return func(fd uintptr) (done bool) {
		in := &c.in
		if in.direct.wantsBlock() && !in.takeSpare() {
			return true
		}
		switch n, err := c.readNews(fd); {
		case err == syscall.EAGAIN:
			in.giveBack()
			return false
		case err != 0:
			in.errno = errno(err)
		case n == 0:
			in.errno = errnoEnded
		default:
			in.n = int32(n)
		}
		return true
	}
}

// readNews reads once, and again after the pong of a calm ping, of which who waits for
// messages need not know. It is not inlined, for the sake of the stack.
//
//go:noinline
func (c *Conn) readNews(fd uintptr) (n int, err syscall.Errno) {
	for {
		if c.in.direct.apart() {
			n, err = readApart(fd, &c.in)
		} else {
			n, err = readVector(fd, c.in.to(), c.in.block)
		}
		if err != syscall.EINTR && (n <= 0 || !c.takePong(n)) {
			return n, err
		}
	}
}

func (t *rawTransport) tryWrite(out *output) (ok bool, err error) {
	out.wait, out.errno = false, 0
	if err := t.raw.Write(out.ready); err != nil {
		return true, err
	}
	return true, out.errno.err()
}

func (t *rawTransport) write(out *output) error {
	out.wait, out.errno = true, 0
	if err := t.raw.Write(out.ready); err != nil {
		return err
	}
	return out.errno.err()
}

// whenWritable returns a function that writes once (see leads for when it is
// twice), or until all is written: when the socket is full it asks to be called
// again when it is not. It is made with the output, and not for each connection:
// an idle one writes nothing.
func (out *output) whenWritable() func(fd uintptr) (done bool) {
	return func(fd uintptr) (done bool) {
		for again := true; again && out.len() > 0; {
			var n int
			var err syscall.Errno
			if len(out.ahead) > 0 { // and no function of its own: the stack is small
				n, err = writeAhead(fd, out)
			} else {
				n, err = writeVector(fd, out.head, out.body)
			}
			switch again = out.wait; {
			case err == syscall.EINTR:
				again = true
			case err == syscall.EAGAIN && out.wait:
				return false
			case err == syscall.EAGAIN:
			case err != 0:
				out.errno, again = errno(err), false
			default:
				again = again || out.leads()
				out.wrote(n)
				if out.wait {
					out.moved()
				}
			}
		}
		return true
	}
}

func (t *rawTransport) gathers() bool                      { return gathersVectors }
func (t *rawTransport) setReadDeadline(at time.Time) error { return t.conn.SetReadDeadline(at) }
func (t *rawTransport) setWriteDeadline(at time.Time)      { t.conn.SetWriteDeadline(at) }
func (t *rawTransport) closeWrite() (ok bool)              { return t.conn.CloseWrite() == nil }
func (t *rawTransport) close(bool) error                   { return t.conn.Close() }
func (t *rawTransport) closesAtOnce() bool                 { return true }
func (t *rawTransport) localAddr() net.Addr                { return t.conn.LocalAddr() }
func (t *rawTransport) remoteAddr() net.Addr               { return t.conn.RemoteAddr() }
func (t *rawTransport) inspect() keepalive.Transport       { return inspectRaw(t.raw) }
