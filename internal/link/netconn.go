package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/tandemws/tandem/protocol"
)

// A MessageTypeError says that a [NetConn] has received a message of another
// type than its own. The message is skipped and the connection goes on.
type MessageTypeError struct{ Got, Want protocol.MessageType }

func (e *MessageTypeError) Error() string {
	return fmt.Sprintf("websocket: %v message received where %v ones are read as a stream", e.Got, e.Want)
}

// A NetConn makes one stream of bytes out of a connection's messages, whose
// borders are lost.
type NetConn struct {
	c      *Conn
	typ    protocol.MessageType
	closed atomic.Bool // by us

	reading sync.Mutex // held during a Read; guards message
	message *Reader    // that is being read; nil: none is
	readBy  netDeadline

	writing sync.Mutex // held during a Write
	writeBy netDeadline
}

// NewNetConn returns a stream over c, which sends messages of this type and
// reads those.
func NewNetConn(c *Conn, typ protocol.MessageType) *NetConn { return &NetConn{c: c, typ: typ} }

// Read reads what has come of a message, or waits for one.
func (n *NetConn) Read(p []byte) (read int, err error) {
	n.reading.Lock()
	defer n.reading.Unlock()
	err = n.readBy.do(func(l *Limit) (err error) {
		read, err = n.read(l, p)
		return err
	})
	return read, n.ended(err)
}

func (n *NetConn) read(l *Limit, p []byte) (read int, err error) {
	for {
		if err = l.Reached(); err != nil {
			return 0, err
		} else if len(p) == 0 {
			return 0, n.gone()
		}
		if n.message == nil {
			if err = n.next(l); err != nil {
				return 0, err
			}
		}
		n.message.limit = *l
		switch read, err = n.message.Read(p); err {
		case io.EOF, ErrSkipped: // somebody else has received a message
			n.message = nil
		default:
			return read, err
		}
	}
}

// next begins the next message of the stream's type.
func (n *NetConn) next(l *Limit) error {
	typ, message, err := n.c.ReceiveReader(l)
	switch {
	case err != nil:
		return err
	case typ != n.typ:
		return &MessageTypeError{Got: typ, Want: n.typ}
	}
	n.message = message
	return nil
}

// ended returns what err means to who uses a [net.Conn]. Behind our own Close no
// deadline counts any more: who goes on at a time-out would go on for ever.
func (n *NetConn) ended(err error) error {
	switch {
	case err == nil:
		return nil
	case n.closed.Load() && errors.Is(err, os.ErrDeadlineExceeded):
		return net.ErrClosed
	case !errors.Is(err, protocol.ErrClosed):
		return err
	case n.closed.Load():
		return fmt.Errorf("%w: %w", net.ErrClosed, err)
	case errors.Is(err, protocol.ErrClosedOK):
		return io.EOF
	}
	return err
}

// maxPiece is the size in bytes of the messages that a Write makes: small
// enough for what any peer accepts.
const maxPiece = 32 << 10

// piece returns what the next message takes of p. No text message ends in the
// middle of a character.
func (n *NetConn) piece(p []byte) []byte {
	if len(p) <= maxPiece {
		return p
	}
	end := maxPiece
	for n.typ == protocol.Text && end > maxPiece-utf8.UTFMax && !utf8.RuneStart(p[end]) {
		end--
	}
	return p[:end]
}

// Write sends p in messages.
func (n *NetConn) Write(p []byte) (written int, err error) {
	n.writing.Lock()
	defer n.writing.Unlock()
	for first := true; err == nil && (first || written < len(p)); first = false {
		piece := n.piece(p[written:])
		sent := false
		err = n.writeBy.do(func(l *Limit) (err error) {
			if err = l.Reached(); err != nil {
				return err
			} else if len(piece) == 0 {
				return n.gone()
			}
			if !sent {
				sent, err = n.c.sendLasting(l, protocol.Message{Type: n.typ, Data: piece})
			}
			return err
		})
		if sent {
			written += len(piece)
		}
	}
	if n.ended(err) == io.EOF {
		return written, fmt.Errorf("%w: %w", net.ErrClosed, err)
	}
	return written, n.ended(err)
}

// Close performs the closing handshake with code 1000.
func (n *NetConn) Close() error {
	n.closed.Store(true)
	n.readBy.stop()
	n.writeBy.stop()
	return n.c.Close(nil, protocol.NormalClosure, "")
}

// LocalAddr returns the address of our end.
func (n *NetConn) LocalAddr() net.Addr { return n.c.LocalAddr() }

// RemoteAddr returns the address of the peer's end.
func (n *NetConn) RemoteAddr() net.Addr { return n.c.RemoteAddr() }

// SetDeadline sets both deadlines.
func (n *NetConn) SetDeadline(t time.Time) error {
	n.SetReadDeadline(t)
	return n.SetWriteDeadline(t)
}

// SetReadDeadline sets when Read, also one that is waiting, returns
// [os.ErrDeadlineExceeded].
func (n *NetConn) SetReadDeadline(t time.Time) error {
	n.readBy.set(t)
	return n.gone()
}

// SetWriteDeadline does so for Write.
func (n *NetConn) SetWriteDeadline(t time.Time) error {
	n.writeBy.set(t)
	return n.gone()
}

// gone tells of our own Close only: of another end Read tells, behind what came
// before.
func (n *NetConn) gone() error {
	if n.closed.Load() {
		return net.ErrClosed
	}
	return nil
}

// A netDeadline is a deadline that can be changed while a call is waiting.
type netDeadline struct {
	mu      sync.Mutex // guards the following
	at      time.Time  // zero: none
	timer   *time.Timer
	ctx     context.Context // of the calls that wait; ends when the deadline passes or changes
	cancel  context.CancelFunc
	stopped bool // nobody is to be told any more
}

// do calls f with the deadline as its Limit, and again when it was changed
// meanwhile.
func (d *netDeadline) do(f func(*Limit) error) error {
	for {
		ctx, over := d.context()
		if over {
			return os.ErrDeadlineExceeded
		}
		err := f(&Limit{Context: ctx})
		if err == nil || ctx.Err() == nil || !errors.Is(err, context.Canceled) {
			return err
		}
	}
}

// context returns the context for a call, and whether the deadline is over.
func (d *netDeadline) context() (ctx context.Context, over bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.at.IsZero() && !time.Now().Before(d.at) {
		return nil, true
	}
	if d.ctx == nil || d.ctx.Err() != nil {
		d.ctx, d.cancel = context.WithCancel(context.Background())
	}
	return d.ctx, false
}

func (d *netDeadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = at
	if !at.IsZero() {
		// As the timer has it: a clock that was set meanwhile, or runs a little
		// slower, would have it ring too early, and only once.
		d.at = time.Now().Add(time.Until(at))
	}
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.wake()
	if !at.IsZero() && !d.stopped {
		d.timer = time.AfterFunc(time.Until(d.at), func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.wake()
		})
	}
}

// wake has who waits look at the deadline again.
func (d *netDeadline) wake() {
	if d.cancel != nil {
		d.cancel()
	}
}

// stop lets go of the timer.
func (d *netDeadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.timer != nil {
		d.timer.Stop()
	}
}
