package link

import (
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// NewPipe returns the two ends of a connection in memory that behaves as TCP
// does: each direction has a send and a receive buffer of pipeBuffer bytes, a
// reader that stops reading closes the sender's window, and either direction
// can be ended alone. It waits with nothing but condition variables and
// timers, so that it works in the virtual time of testing/synctest.
//
// The path between the ends can be impaired; see [Impair].
func NewPipe() (a, b net.Conn) {
	p := new(pipe)
	x, y := &pipeEnd{pipe: p, name: "pipe:a"}, &pipeEnd{pipe: p, name: "pipe:b"}
	x.in.init(p)
	y.in.init(p)
	x.out, y.out = &y.in, &x.in
	x.peer, y.peer = pipeAddr(y.name), pipeAddr(x.name)
	return x, y
}

// An Impairment is what is wrong with one direction of a pipe. The zero value
// is a perfect path.
type Impairment struct {
	Rate int  // bytes a second; 0: as fast as can be
	Dark bool // nothing gets through, and nobody is told
}

// Impair changes the direction in which conn, an end made by [NewPipe], sends.
func Impair(conn net.Conn, how Impairment) {
	conn.(*pipeEnd).out.impair(how)
}

// pipeBuffer is the size in bytes of each of the two buffers of a direction: what is read
// from a socket at once comes at once here too.
const pipeBuffer = blockSize

// pipe is what both ends share: one lock for all.
type pipe struct {
	mu sync.Mutex
}

// pipeEnd is one end. It is a [net.Conn] for everybody and a [transport] for
// this package.
type pipeEnd struct {
	*pipe
	name string
	peer pipeAddr
	in   flow
	out  *flow
}

// A flow is one direction. All of it is guarded by pipe.mu.
type flow struct {
	pipe     *pipe
	changed  sync.Cond
	sending  []byte // taken from the writer, on its way
	received []byte // arrived, to be read
	ended    bool   // the writer has ended it
	closed   bool   // the reader is gone
	path     Impairment
	ticking  bool // a timer moves bytes at path.Rate

	acked     int64
	ackedAt   time.Time
	readBy    deadline
	writtenBy deadline
}

func (f *flow) init(p *pipe) {
	f.pipe = p
	f.changed.L = &p.mu
}

func (f *flow) impair(how Impairment) {
	f.pipe.mu.Lock()
	defer f.pipe.mu.Unlock()
	f.path = how
	f.move()
}

// move lets bytes arrive: at once, or with a timer at the path's rate.
func (f *flow) move() {
	switch {
	case f.path.Dark:
	case f.path.Rate > 0:
		f.tick()
	default:
		f.arrive(len(f.sending))
	}
	f.changed.Broadcast()
}

// tickEvery is how often bytes arrive on a path with a rate.
const tickEvery = 10 * time.Millisecond

func (f *flow) tick() {
	if f.ticking || len(f.sending) == 0 {
		return
	}
	f.ticking = true
	// The goroutine of the timer ends with the bytes to be moved.
	time.AfterFunc(tickEvery, func() {
		f.pipe.mu.Lock()
		defer f.pipe.mu.Unlock()
		f.ticking = false
		if !f.path.Dark && f.path.Rate > 0 {
			f.arrive(max(1, int(int64(f.path.Rate)*int64(tickEvery)/int64(time.Second))))
		}
		if !f.closed {
			f.move()
		}
	})
}

// arrive moves up to n bytes into the receive buffer, as far as it has room.
func (f *flow) arrive(n int) {
	if f.closed {
		f.sending = nil
		return
	}
	n = min(n, len(f.sending), pipeBuffer-len(f.received))
	if n > 0 {
		f.received = append(f.received, f.sending[:n]...)
		f.sending = drop(f.sending, n)
		f.acked += int64(n)
		f.ackedAt = time.Now()
	}
}

// drop removes the first n bytes of b, and lets go of an empty buffer.
func drop(b []byte, n int) []byte {
	if n == len(b) {
		return nil
	}
	return b[:copy(b, b[n:])]
}

// awaitReadable waits until there is something to read. pipe.mu is held.
func (f *flow) awaitReadable() error {
	for {
		switch {
		case f.closed:
			return net.ErrClosed
		case f.readBy.passed():
			return os.ErrDeadlineExceeded
		case len(f.received) > 0:
			return nil
		case f.ended && len(f.sending) == 0 && !f.path.Dark:
			return io.EOF
		}
		f.changed.Wait()
	}
}

// read takes what has arrived. pipe.mu is held.
func (f *flow) read(p []byte) (n int) {
	n = copy(p, f.received)
	f.received = drop(f.received, n)
	return n
}

// write takes as much of p as the send buffer has room for. pipe.mu is held.
func (f *flow) write(p []byte) (n int, err error) {
	if f.ended || f.closed {
		return 0, io.ErrClosedPipe
	}
	if n = min(len(p), f.room()); n > 0 { // else there is no news for anybody
		f.sending = append(f.sending, p[:n]...)
		f.move()
	}
	return n, nil
}

// room is how many bytes the send buffer takes.
func (f *flow) room() int { return pipeBuffer - len(f.sending) }

// writeAll writes out, and reports whether anything was left when it would
// have had to wait.
func (f *flow) writeAll(out *output, wait bool) error {
	for out.len() > 0 {
		chunk := out.head
		if len(chunk) == 0 {
			chunk = out.body
		}
		if f.writtenBy.passed() {
			return os.ErrDeadlineExceeded
		}
		n, err := f.write(chunk)
		if err != nil {
			return err
		}
		out.wrote(n)
		switch {
		case n > 0:
			out.moved()
		case !wait:
			return nil
		default:
			f.changed.Wait()
		}
	}
	return nil
}

func (f *flow) inspect() keepalive.Transport {
	tr := keepalive.Transport{
		Known:      true,
		Unacked:    int64(len(f.sending)),
		Acked:      f.acked,
		SinceAck:   time.Since(f.ackedAt),
		SendWindow: int64(pipeBuffer - len(f.received)),
	}
	if f.path.Dark {
		tr.Retransmits = 2 // of data, or probes of a closed window
	} else if tr.SendWindow == 0 {
		tr.SinceAck = 0 // probes of the closed window are answered
	}
	return tr
}

// end ends the flow: the reader still gets what is on its way.
func (f *flow) end() {
	f.ended = true
	f.changed.Broadcast()
}

// A deadline wakes those who wait when it passes.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) set(f *flow, at time.Time) {
	f.pipe.mu.Lock()
	defer f.pipe.mu.Unlock()
	d.stop()
	d.at = at
	if wait := time.Until(at); !at.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, f.wake)
	}
	f.changed.Broadcast()
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (f *flow) wake() {
	f.pipe.mu.Lock()
	defer f.pipe.mu.Unlock()
	f.changed.Broadcast()
}

// As a transport.

func (e *pipeEnd) read(in *input) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	in.giveBack() // for it may take long
	if err := e.in.awaitReadable(); err != nil {
		return err
	}
	in.n = int32(e.readTo(in))
	e.in.move()
	return nil
}

// readTo reads what has arrived. e.mu is held.
func (e *pipeEnd) readTo(in *input) (n int) {
	if in.direct.apart() {
		in.borrow()
		header, payload := in.pieces()
		return e.in.read(header) + e.in.read(payload)
	}
	if n = e.in.read(in.to()); n == len(in.to()) && in.direct.wantsBlock() {
		in.borrow()
		n += e.in.read(in.block[:])
	}
	return n
}

func (e *pipeEnd) gathers() bool { return true }

func (e *pipeEnd) tryWrite(out *output) (ok bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	err = e.out.writeAll(out, false)
	for err == nil && out.len() == 0 && e.out.room() > 0 && out.next() {
		err = e.out.writeAll(out, false)
	}
	return true, err
}

func (e *pipeEnd) write(out *output) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.out.writeAll(out, true)
}

func (e *pipeEnd) setReadDeadline(at time.Time) error { e.in.readBy.set(&e.in, at); return nil }
func (e *pipeEnd) setWriteDeadline(at time.Time)      { e.out.writtenBy.set(e.out, at) }

func (e *pipeEnd) closeWrite() (ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.end()
	return true
}

func (e *pipeEnd) close(bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.end()
	e.in.closed = true
	e.in.received = nil
	e.in.readBy.stop()
	e.out.writtenBy.stop()
	e.in.changed.Broadcast()
	return nil
}

func (e *pipeEnd) closesAtOnce() bool { return true }

func (e *pipeEnd) inspect() keepalive.Transport {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.out.inspect()
}

func (e *pipeEnd) localAddr() net.Addr  { return pipeAddr(e.name) }
func (e *pipeEnd) remoteAddr() net.Addr { return e.peer }

// As a net.Conn.

func (e *pipeEnd) Read(p []byte) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if err := e.in.awaitReadable(); err != nil {
		return 0, err
	}
	n = e.in.read(p)
	e.in.move()
	return n, nil
}

func (e *pipeEnd) Write(p []byte) (n int, err error) {
	out := output{head: p, start: time.Now()}
	err = e.write(&out)
	return int(out.sent.Load()), err
}

func (e *pipeEnd) Close() error                       { return e.close(true) }
func (e *pipeEnd) CloseWrite() error                  { e.closeWrite(); return nil }
func (e *pipeEnd) LocalAddr() net.Addr                { return e.localAddr() }
func (e *pipeEnd) RemoteAddr() net.Addr               { return e.remoteAddr() }
func (e *pipeEnd) SetReadDeadline(at time.Time) error { return e.setReadDeadline(at) }

func (e *pipeEnd) SetWriteDeadline(at time.Time) error {
	e.setWriteDeadline(at)
	return nil
}

func (e *pipeEnd) SetDeadline(at time.Time) error {
	e.setReadDeadline(at)
	e.setWriteDeadline(at)
	return nil
}

// pipeAddr is the address of a pipe's end.
type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }
