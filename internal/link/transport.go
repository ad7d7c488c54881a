package link

import (
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/tandemws/tandem/keepalive"
)

// A transport carries bytes both ways. At most one goroutine reads and one
// writes at a time; everything else may be called at any time.
type transport interface {
	// read waits for bytes and puts them into in. It returns when there is
	// at least one, the read deadline has passed or the transport has ended.
	// Where the system can wait for readiness it asks in for memory only
	// when there is something to read; with errNoBlock it leaves it to its
	// caller to borrow some.
	read(in *input) error

	// tryWrite writes without waiting as much of out as it can, and reports
	// how much is left in out. ok is false, and nothing written, where the
	// system cannot do that.
	tryWrite(out *output) (ok bool, err error)

	// writeOnce is tryWrite for the frame of w. How much was written is w.n. It
	// may be called with Conn.mu held, and never waits.
	writeOnce(w *once) (ok bool, err error)

	// gathers reports whether head and body of an output, and the fragments
	// ahead, leave in one system call, and whether read puts a header apart from
	// its payload if it is to; see direct.go.
	gathers() bool

	// write writes out, waiting as long as the write deadline allows.
	write(out *output) error

	// setReadDeadline fails where a read cannot be interrupted.
	setReadDeadline(t time.Time) error

	setWriteDeadline(t time.Time)

	// closeWrite ends our direction so that the peer reads EOF after what
	// was written. ok is false where the transport cannot do that.
	closeWrite() (ok bool)

	// close ends both directions. With cut it does so at once, whatever TLS
	// would still have to say.
	close(cut bool) error

	// closesAtOnce reports whether close waits for nothing.
	closesAtOnce() bool

	// inspect says what the system knows of bytes on their way to the peer.
	inspect() keepalive.Transport

	localAddr() net.Addr
	remoteAddr() net.Addr
}

// errNoBlock: a transport's read needs a block, and none is at hand.
var errNoBlock = errors.New("websocket: no block to read into")

// tr returns what carries the connection's bytes. Most often that is part of the
// connection, which need not remember where it is.
func (c *Conn) tr() transport {
	if c.other != nil {
		return *c.other
	}
	return &c.raw
}

// setTransport has something else than a socket carry the bytes.
func (c *Conn) setTransport(tr transport) { c.other = &tr }

// otherTransport returns the transport for what is no socket.
func otherTransport(conn net.Conn) transport {
	if end, ok := conn.(*pipeEnd); ok {
		return end
	}
	return &netTransport{conn: conn}
}

// An input is where a read puts bytes: first the protocol's window, then a
// block that is borrowed for the purpose; or only where the receiver wants them.
type input struct {
	block  *block
	window *[]byte // at the desk, or Conn.dst if direct; nil: there is none
	n      int32   // how many bytes were read
	errno  errno   // what the system said to a rawTransport
	direct direct  // how a payload is read to where the receiver wants it; 0: none is
	lone   uint8   // the last message, if it was large and came alone, in lonely bytes; see direct.go
}

// errno is a syscall.Errno in less memory.
type errno uint16

// errnoEnded: the peer has ended its direction.
const errnoEnded errno = math.MaxUint16

func (e errno) err() error {
	switch e {
	case 0:
		return nil
	case errnoEnded:
		return io.EOF
	}
	return syscall.Errno(e)
}

// maxWindow bounds in bytes what is read into the window at once, so that n can
// tell.
const maxWindow = 1 << 30

// to returns the window, or where a header goes with its payload behind it; not what is
// read apart, for which there are pieces.
func (in *input) to() []byte {
	switch {
	case in.window == nil || in.direct.apart():
		return nil
	case in.direct.inFront():
		return in.room()
	}
	return *in.window
}

// inWindow returns how many of the bytes that were read are in the window.
func (in *input) inWindow() int { return min(int(in.n), len(in.to())) }

// borrow makes sure that there is a block.
func (in *input) borrow() {
	if in.block == nil {
		in.block = borrowBlock(in.place())
	}
}

// giveBack returns the block, for nothing is in it.
func (in *input) giveBack() {
	if in.block != nil {
		in.block.giveBack(in.place())
		in.block = nil
	}
}

// takeSpare makes sure that there is a block if one is at hand.
func (in *input) takeSpare() (ok bool) {
	if in.block == nil {
		in.block = spareBlock(in.place())
	}
	return in.block != nil
}

func (in *input) place() place { return placeOf(unsafe.Pointer(in)) }

// rest returns what was read behind the window.
func (in *input) rest() []byte {
	if rest := int(in.n) - len(in.to()); rest > 0 {
		return in.block[:rest]
	}
	return nil
}

// An output is what a write is to send: head, then body. Writing shortens
// them from the front. tryWrite may go on with the fragments ahead.
type output struct {
	head, body []byte

	// For a rawTransport: what the system said, whether all is to be written,
	// and what is called when that may be; see whenWritable.
	errno errno
	wait  bool
	ready func(fd uintptr) (done bool)

	ahead      []fragment
	begun      int          // how many of those have become head and body
	sent       atomic.Int64 // bytes written so far
	progressed atomic.Int64 // when the transport last took bytes, in ns since the Conn's start; 0: not yet
	total      int64        // what there was to write, known while waiting; see Conn.armWrite
	start      time.Time
}

// begin has head and body sent.
func (out *output) begin(head, body []byte) {
	out.head, out.body = head, body
	out.sent.Store(0)
	out.progressed.Store(0)
}

func (out *output) len() int { return len(out.head) + len(out.body) }

// wrote notes that the transport took n more bytes.
func (out *output) wrote(n int) {
	out.sent.Add(int64(n))
	for n -= out.shorten(n); n > 0 && out.next(); n -= out.shorten(n) {
	}
}

// shorten takes up to n bytes from the front of head and body.
func (out *output) shorten(n int) (taken int) {
	fromHead := min(n, len(out.head))
	fromBody := min(n-fromHead, len(out.body))
	out.head, out.body = out.head[fromHead:], out.body[fromBody:]
	return fromHead + fromBody
}

// moved notes that the transport took bytes now.
//
//go:noinline
func (out *output) moved() { out.progressed.Store(int64(time.Since(out.start))) }

// isTimeout reports whether err is that of a deadline. The system's own
// time-out is not: with ETIMEDOUT the connection has ended.
func isTimeout(err error) bool {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return false
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// errCut is what a transport's write returns when a deadline has interrupted
// it for good: TLS cannot take up a record that was begun.
var errCut = errors.New("websocket: write interrupted in the middle of a TLS record")

// netTransport carries bytes over any net.Conn, TLS among them. It cannot wait
// without a buffer, so it waits with a small one.
type netTransport struct {
	conn  net.Conn
	small []byte // waiting for the beginning of a burst; nil until first used
	more  bool   // the last read filled its buffer
}

// The sizes in bytes of what a netTransport waits with and writes at a time:
// small, so that many idle connections cost little; and a TLS record's, so
// that a write that moves slowly is seen to move.
const (
	smallRead = 512
	netChunk  = 16 << 10
)

func (t *netTransport) read(in *input) (err error) {
	for range maxEmptyReads {
		if err = t.readOnce(in); in.n > 0 {
			return nil // an error will come again
		} else if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// maxEmptyReads is how often a Read may return neither bytes nor an error.
const maxEmptyReads = 100

func (t *netTransport) readOnce(in *input) (err error) {
	window, n := in.to(), 0
	if len(window) > 0 || !t.more {
		in.giveBack() // for it may take long
	}
	switch {
	case len(window) > 0:
		n, err = t.conn.Read(window)
	case t.more:
		in.borrow()
		n, err = t.conn.Read(in.block[:])
		t.more = n == len(in.block)
	default:
		n, err = t.conn.Read(t.waitingBuffer())
		if n > 0 {
			in.borrow()
			copy(in.block[:], t.small[:n])
		}
		t.more = n == len(t.small)
	}
	in.n = int32(n)
	return err
}

func (t *netTransport) waitingBuffer() []byte {
	if t.small == nil {
		t.small = make([]byte, smallRead)
	}
	return t.small
}

func (t *netTransport) tryWrite(*output) (ok bool, err error) { return false, nil }
func (t *netTransport) gathers() bool                         { return false }

func (t *netTransport) write(out *output) error {
	for out.len() > 0 {
		chunk := out.head
		if len(chunk) == 0 {
			chunk = out.body
		}
		n, err := t.conn.Write(chunk[:min(len(chunk), netChunk)])
		out.wrote(n)
		if n > 0 {
			out.moved()
		}
		if err != nil {
			return t.writeError(err)
		}
	}
	return nil
}

func (t *netTransport) writeError(err error) error {
	if _, ok := t.conn.(*tls.Conn); ok && isTimeout(err) {
		return errCut
	}
	return err
}

func (t *netTransport) setReadDeadline(at time.Time) error { return t.conn.SetReadDeadline(at) }
func (t *netTransport) setWriteDeadline(at time.Time)      { t.conn.SetWriteDeadline(at) }

func (t *netTransport) closeWrite() (ok bool) {
	half, ok := t.conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

func (t *netTransport) localAddr() net.Addr  { return t.conn.LocalAddr() }
func (t *netTransport) remoteAddr() net.Addr { return t.conn.RemoteAddr() }

// close closes what is below TLS first if it is to be cut: TLS waits five
// seconds for room for its last record, which a dead peer does not make.
func (t *netTransport) close(cut bool) error {
	if cut {
		Lowest(t.conn).Close()
	}
	return t.conn.Close()
}

// closesAtOnce is false: TLS says something more, and others may do what they
// like.
func (t *netTransport) closesAtOnce() bool { return false }

// inspect asks the system about the connection below TLS.
func (t *netTransport) inspect() keepalive.Transport { return inspectConn(Lowest(t.conn)) }

// Lowest returns the connection, or what is below it if that is TLS.
func Lowest(conn net.Conn) net.Conn {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return secure.NetConn()
	}
	return conn
}
