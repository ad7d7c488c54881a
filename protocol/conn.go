package protocol

import (
	"crypto/rand"
	"io"
	"time"
)

// A Role is an endpoint's side of a connection. Clients mask what they send
// and servers do not (RFC 6455, section 5.1).
type Role uint8

// The two roles.
const (
	Client Role = iota + 1
	Server
)

// String returns "client" or "server".
func (r Role) String() string {
	switch r {
	case Client:
		return "client"
	case Server:
		return "server"
	}
	return "no role"
}

// A State is where a connection is in its life (RFC 6455, sections 4.1, 4.2,
// 7.1.3 and 7.1.4). A [Conn] begins in Open: its handshake is over.
type State uint8

// The states, in their order.
const (
	Connecting State = iota // the opening handshake is under way
	Open                    // messages flow
	Closing                 // a close frame was sent or received
	Closed                  // the transport is closed
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Open:
		return "open"
	case Closing:
		return "closing"
	case Closed:
		return "closed"
	}
	return "no state"
}

// DefaultMaxMessageSize is the largest message in bytes that a [Conn] accepts
// unless told otherwise: 1 MiB.
const DefaultMaxMessageSize = 1 << 20

// A Config says how a [Conn] is to behave. Only Role is required.
type Config struct {
	Role Role

	// MaxMessageSize is the size in bytes of the largest message that is
	// accepted; a larger one fails the connection with code 1009. 0 means
	// [DefaultMaxMessageSize], negative means no limit.
	MaxMessageSize int64

	// MaxFragments is how many frames one message may come in, empty ones
	// included; one more fails the connection with code 1008. 0 means
	// [DefaultMaxFragments], negative means no limit.
	MaxFragments int

	// MaxControlFrames is how many pings and pongs a second are accepted, and
	// how many may come at once; more fail the connection with code 1008. 0
	// means [DefaultMaxControlFrames], negative means no limit.
	MaxControlFrames int

	// ControlsFrom is what [Conn.ControlsFrom] said when another value had the
	// state of this connection. Zero for a new connection.
	ControlsFrom time.Time

	// Ended is what [Conn.CloseError] said when another value had the state of
	// this connection, which has ended: the state is [Closed]. nil for a new
	// connection.
	Ended *CloseError

	// MessageTimeout is how long a message may take to arrive, from its first
	// byte to its last, whatever else arrives in between; one that takes longer
	// fails the connection with code 1008 when the next bytes come. 0 or
	// negative means no limit.
	MessageTimeout time.Duration

	// Extensions are those that the opening handshake has agreed on; see
	// [Agreement]. They are the connection's own, but for those that are
	// [Interchangeable].
	Extensions []Extension

	// MaskKeys is where a client's masking keys come from; it must be
	// unpredictable (RFC 6455, section 10.3). When it fails nothing is sent.
	// nil means crypto/rand.
	MaskKeys io.Reader
}

// A Conn is the state of one WebSocket connection after its opening
// handshake. It is not safe for concurrent use. The zero value is not usable;
// see [NewConn].
type Conn struct {
	// Next to each other, in few lines of the processor's cache, is what every
	// message looks at: the end of in, and all down to the beginning of out. With
	// many connections they are in none when its next message comes.

	maskKeys     io.Reader
	own          ownDeflate // the only extension, if other connections may share it
	rcvd         *Close     // the peer's close frame
	sent         *Close     // ours, from when it is owed
	rcvdThenSent bool
	err          error // what made us fail the connection

	in         inbound
	role       Role
	state      State
	rsv        RSV // the bits that belong to the extensions
	extensions []Extension
	pings      pingState
	out        outbound
}

// NewConn returns a connection in state [Open].
func NewConn(cfg Config) *Conn {
	c := new(Conn)
	c.Init(cfg)
	return c
}

// Init makes c, which may be part of a larger value, a new connection in state
// [Open], or one that has ended. Some memory of what c was before is used again.
func (c *Conn) Init(cfg Config) { c.InitFrom(&cfg) }

// InitFrom is Init for whoever has little room on the stack. The Config is
// neither kept nor changed.
func (c *Conn) InitFrom(cfg *Config) {
	stash, pending, settled := c.in.stash, c.pings.pending, c.pings.settled
	decoded, encoded, used := c.in.beginDecoded(), c.out.scratch[0].begin(), c.out.used[:0]
	clear(used[:cap(used)])
	clear(pending)
	*c = Conn{}
	c.role, c.maskKeys, c.state = cfg.Role, cfg.MaskKeys, Open
	if c.maskKeys == nil {
		c.maskKeys = rand.Reader
	}
	c.extensions, c.rsv = c.own.insteadOf(cfg.Extensions), rsvOf(cfg.Extensions)
	c.in.simple = c.isSimple()
	c.in.decoded.buf, c.out.scratch[0].buf, c.out.used = decoded, encoded, used
	c.in.maxMessage, c.in.stash = orDefault(cfg.MaxMessageSize, DefaultMaxMessageSize), stash[:0]
	c.in.maxFragments, c.in.timeout = orDefault(cfg.MaxFragments, DefaultMaxFragments), cfg.MessageTimeout
	c.in.controls.init(orDefault(cfg.MaxControlFrames, DefaultMaxControlFrames), cfg.ControlsFrom)
	c.pings.pending, c.pings.settled = pending[:0], settled[:0]
	if e := cfg.Ended; e != nil {
		c.rcvd, c.sent, c.rcvdThenSent, c.err, c.state = e.Rcvd, e.Sent, e.RcvdThenSent, e.Err, Closed
		c.in.stop()
	}
}

// Idle reports whether the connection is open and nothing is under way: no
// frame or message is begun in either direction, nothing that was received is
// left to look at, no frame is owed, and no ping waits for its pong. Such a
// connection is as Init makes it, but for the numbers of its pings, what
// [Conn.AssembleInto] was told and what [Conn.ControlsFrom] says: a driver of
// very many can have Init make another one of it, and this one again when it
// goes on.
func (c *Conn) Idle() bool {
	return c.state == Open && c.in.idle() && !c.out.open && !c.Owed() && len(c.pings.pending) == 0
}

func (in *inbound) idle() bool {
	return !in.open && !in.streaming && len(in.data)+len(in.stash) == 0 &&
		in.violation == nil && !in.stopped
}

// Role returns our side of the connection.
func (c *Conn) Role() Role { return c.role }

// State returns where the connection is in its life.
func (c *Conn) State() State { return c.state }

// CloseReceived returns the peer's close frame, nil as long as none came.
func (c *Conn) CloseReceived() *Close { return c.rcvd }

// CloseSent returns our close frame, nil as long as we owe none. It is set
// before [Conn.AppendOwed] has handed the frame out.
func (c *Conn) CloseSent() *Close { return c.sent }

// CloseError describes how the connection ended, or how it is ending.
func (c *Conn) CloseError() *CloseError {
	return &CloseError{Rcvd: c.rcvd, Sent: c.sent, RcvdThenSent: c.rcvdThenSent, Err: c.err}
}

// SendClose starts the closing handshake (RFC 6455, section 7.1.2): a close
// frame is owed, and data frames are refused from now on. code may be
// [NoStatusReceived] to send an empty frame. Once a close frame was sent it
// changes nothing and returns nil; an unsendable one is [ErrInvalidClose].
func (c *Conn) SendClose(code CloseCode, reason string) error {
	frame := Close{code, reason}
	if err := frame.check(); err != nil {
		return err
	}
	c.oweClose(frame)
	return nil
}

// Fail fails the connection (RFC 6455, section 7.1.7): unless one was sent
// before, a close frame with the code and the reason, shortened if need be, is
// owed, and nothing that the peer sends is looked at any more. The first cause
// is kept for [Conn.CloseError].
func (c *Conn) Fail(code CloseCode, reason string, cause error) {
	if c.state == Closed {
		return
	}
	if c.err == nil {
		c.err = cause
	}
	frame := Close{code, truncateReason(reason)}
	if frame.check() != nil {
		frame = Close{Code: InternalError}
	}
	c.oweClose(frame)
	c.in.stop()
}

// FailViolation fails the connection as an [EventViolation] demands.
func (c *Conn) FailViolation() {
	if v, ok := c.in.violation.(*ViolationError); ok {
		c.Fail(v.Code, v.Reason, v)
	}
}

// Disconnected tells that the transport has ended, in one direction at least,
// and why: io.EOF, or nil when we ended it ourselves. Nothing can be received
// or sent any more.
func (c *Conn) Disconnected(cause error) {
	if c.state == Closed {
		return
	}
	if c.err == nil && (c.rcvd == nil || c.sent == nil) {
		c.err = cause
	}
	c.state = Closed
	c.in.stop()
}

// oweClose notes the one close frame that a connection sends.
func (c *Conn) oweClose(frame Close) {
	if c.sent != nil || c.state == Closed {
		return
	}
	c.sent = &frame
	c.rcvdThenSent = c.rcvd != nil
	c.state = Closing
	c.out.closeOwed = true
}

// closeReceived takes the peer's close frame and owes the echo: the same code
// and reason, as soon as practical (section 5.5.1). Nothing of what the peer
// sends after it is looked at (section 1.4).
func (c *Conn) closeReceived(frame Close) {
	c.rcvd = &frame
	c.state = Closing
	c.oweClose(frame)
	c.in.stop()
}
