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
	readErr  error
	out      *output
	writeErr error

	// The callbacks, made once, for making one allocates.
	readReady, writeReady, tryWriteReady func(fd uintptr) (done bool)
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
	t.readReady, t.writeReady, t.tryWriteReady = t.onReadable, t.onWritable, t.onTryWrite
	return t
}

func (t *rawTransport) read(in *input) error {
	for t.in, t.readErr = in, nil; ; {
		in.borrow()
		if err := t.raw.Read(t.readReady); err != nil {
			return err
		}
		if in.block != nil {
			return t.readErr
		}
	}
}

// onReadable reads once. With nothing to read it gives back the block and asks
// to be called again when there is; it then leaves it to read to borrow another
// one and to begin anew, for here the stack is too deep for that.
func (t *rawTransport) onReadable(fd uintptr) (done bool) {
	in := t.in
	if in.block == nil {
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
		t.readErr = err
	case n == 0:
		t.readErr = io.EOF
	default:
		in.n = n
	}
	return true
}

func (t *rawTransport) tryWrite(out *output) (ok bool, err error) {
	t.out, t.writeErr = out, nil
	if err := t.raw.Write(t.tryWriteReady); err != nil {
		return true, err
	}
	return true, t.writeErr
}

func (t *rawTransport) write(out *output) error {
	t.out, t.writeErr = out, nil
	if err := t.raw.Write(t.writeReady); err != nil {
		return err
	}
	return t.writeErr
}

// onTryWrite writes once.
func (t *rawTransport) onTryWrite(fd uintptr) (done bool) {
	out := t.out
	n, err := writeVector(fd, out.head, out.body)
	for err == syscall.EINTR {
		n, err = writeVector(fd, out.head, out.body)
	}
	switch {
	case err == 0:
		out.wrote(n)
	case err != syscall.EAGAIN:
		t.writeErr = err
	}
	return true
}

// onWritable writes until all is written; when the socket is full it asks to
// be called again when it is not.
func (t *rawTransport) onWritable(fd uintptr) (done bool) {
	for left := t.out.len(); left > 0; left = t.out.len() {
		t.onTryWrite(fd)
		switch {
		case t.writeErr != nil:
			return true
		case t.out.len() == left:
			return false
		}
		t.out.progressed.Store(int64(time.Since(t.out.start)))
	}
	return true
}

func (t *rawTransport) setReadDeadline(at time.Time)  { t.conn.SetReadDeadline(at) }
func (t *rawTransport) setWriteDeadline(at time.Time) { t.conn.SetWriteDeadline(at) }
func (t *rawTransport) closeWrite() (ok bool)         { return t.conn.CloseWrite() == nil }
func (t *rawTransport) close() error                  { return t.conn.Close() }
func (t *rawTransport) localAddr() net.Addr           { return t.conn.LocalAddr() }
func (t *rawTransport) remoteAddr() net.Addr          { return t.conn.RemoteAddr() }
func (t *rawTransport) inspect() keepalive.Transport  { return inspectRaw(t.raw) }
