//go:build unix

package link

import (
	"io"
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
	conn rawSocket
	raw  syscall.RawConn

	// What the callbacks below work on, and what they found. Each pair is
	// used by one goroutine at a time: who holds the reader token, and who
	// holds the write token.
	in       *input
	out      *output
	readErr  errno
	writeErr errno
	ended    bool // the peer has ended its direction
	wait     bool // until all is written

	// The callbacks, made once, for making one allocates.
	readReady, writeReady func(fd uintptr) (done bool)
}

// rawSocket is what *net.TCPConn and *net.UnixConn have.
type rawSocket interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

func newRawTransport(conn rawSocket) transport {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	t := &rawTransport{conn: conn, raw: raw}
	t.readReady, t.writeReady = t.whenReadable(), t.whenWritable()
	return t
}

func (t *rawTransport) read(in *input) error {
	t.in, t.readErr = in, 0
	if err := t.raw.Read(t.readReady); err != nil {
		return err
	}
	switch {
	case in.block == nil:
		return errNoBlock
	case t.ended:
		return io.EOF
	}
	return t.readErr.err()
}

// errno is a syscall.Errno in less memory.
type errno uint32

func (e errno) err() error {
	if e == 0 {
		return nil
	}
	return syscall.Errno(e)
}

// whenReadable returns a function that reads once. With nothing to read it gives
// back the block and asks to be called again when there is. If there is no spare
// block then, it leaves it to Conn.fill to borrow one and to begin anew: here the
// stack is too deep. It is a function and no method value for the same reason:
// that has a frame of its own.
func (t *rawTransport) whenReadable() func(fd uintptr) (done bool) {
	return func(fd uintptr) (done bool) {
		in := t.in
		if !in.takeSpare() {
			return true
		}
		n, err := readVector(fd, in.window, in.block)
		for err == syscall.EINTR {
			n, err = readVector(fd, in.window, in.block)
		}
		switch {
		case err == syscall.EAGAIN:
			in.giveBack()
			return false
		case err != 0:
			t.readErr = errno(err)
		case n == 0:
			t.ended = true
		default:
			in.n = n
		}
		return true
	}
}

func (t *rawTransport) tryWrite(out *output) (ok bool, err error) {
	t.out, t.wait, t.writeErr = out, false, 0
	if err := t.raw.Write(t.writeReady); err != nil {
		t.out = nil
		return true, err
	}
	return true, t.writeErr.err()
}

func (t *rawTransport) write(out *output) error {
	t.out, t.wait, t.writeErr = out, true, 0
	if err := t.raw.Write(t.writeReady); err != nil {
		t.out = nil
		return err
	}
	return t.writeErr.err()
}

// whenWritable returns a function that writes once, or until all is written: when
// the socket is full it asks to be called again when it is not. The output is
// part of a desk, so it is let go of in the end: an idle connection would keep
// the desk else.
func (t *rawTransport) whenWritable() func(fd uintptr) (done bool) {
	return func(fd uintptr) (done bool) {
		for again := true; again && t.out.len() > 0; {
			n, err := writeVector(fd, t.out.head, t.out.body)
			switch again = t.wait; {
			case err == syscall.EINTR:
				again = true
			case err == syscall.EAGAIN && t.wait:
				return false
			case err == syscall.EAGAIN:
			case err != 0:
				t.writeErr, again = errno(err), false
			default:
				t.out.wrote(n)
				if t.wait {
					t.out.progressed.Store(int64(time.Since(t.out.start)))
				}
			}
		}
		t.out = nil
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
