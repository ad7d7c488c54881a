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
	t.readReady, t.writeReady = t.onReadable, t.onWritable
	return t
}

func (t *rawTransport) read(in *input) error {
	for t.in, t.readErr = in, 0; ; {
		in.borrow()
		if err := t.raw.Read(t.readReady); err != nil {
			return err
		}
		switch {
		case in.block == nil:
		case t.ended:
			return io.EOF
		default:
			return t.readErr.err()
		}
	}
}

// errno is a syscall.Errno in less memory.
type errno uint32

func (e errno) err() error {
	if e == 0 {
		return nil
	}
	return syscall.Errno(e)
}

// onReadable reads once. With nothing to read it gives back the block and asks
// to be called again when there is. If there is no spare block then, it leaves
// it to read to borrow one and to begin anew: here the stack is too deep.
func (t *rawTransport) onReadable(fd uintptr) (done bool) {
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

func (t *rawTransport) tryWrite(out *output) (ok bool, err error) {
	t.out, t.wait, t.writeErr = out, false, 0
	if err := t.raw.Write(t.writeReady); err != nil {
		return true, err
	}
	return true, t.writeErr.err()
}

func (t *rawTransport) write(out *output) error {
	t.out, t.wait, t.writeErr = out, true, 0
	if err := t.raw.Write(t.writeReady); err != nil {
		return err
	}
	return t.writeErr.err()
}

// onWritable writes once, or until all is written: when the socket is full it
// asks to be called again when it is not.
func (t *rawTransport) onWritable(fd uintptr) (done bool) {
	for out := t.out; out.len() > 0; {
		n, err := writeVector(fd, out.head, out.body)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return !t.wait
		case err != 0:
			t.writeErr = errno(err)
			return true
		}
		out.wrote(n)
		if !t.wait {
			return true
		}
		out.progressed.Store(int64(time.Since(out.start)))
	}
	return true
}

func (t *rawTransport) setReadDeadline(at time.Time)  { t.conn.SetReadDeadline(at) }
func (t *rawTransport) setWriteDeadline(at time.Time) { t.conn.SetWriteDeadline(at) }
func (t *rawTransport) closeWrite() (ok bool)         { return t.conn.CloseWrite() == nil }
func (t *rawTransport) close(bool) error              { return t.conn.Close() }
func (t *rawTransport) localAddr() net.Addr           { return t.conn.LocalAddr() }
func (t *rawTransport) remoteAddr() net.Addr          { return t.conn.RemoteAddr() }
func (t *rawTransport) inspect() keepalive.Transport  { return inspectRaw(t.raw) }
