package link

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Errors of calls that leave the connection as it was.
var (
	// ErrConcurrentReceive: another goroutine is receiving.
	ErrConcurrentReceive = errors.New("websocket: another goroutine is already receiving")

	// ErrTooManyPings: more pings than maxPongs wait for their pongs.
	ErrTooManyPings = errors.New("websocket: too many pings wait for their pongs")
)

// Causes of a failed connection, found in a [*protocol.CloseError].
var (
	// ErrCloseTimeout: the closing handshake took longer than the close
	// timeout.
	ErrCloseTimeout = errors.New("websocket: the closing handshake was not completed in time")

	// ErrPartialWrite: a call was cancelled, or its time ran out, when a
	// part of its message was written.
	ErrPartialWrite = errors.New("websocket: cancelled in the middle of a message")

	// ErrFirstMessageTimeout: the client sent no message in the time that the
	// server gives it for the first.
	ErrFirstMessageTimeout = errors.New("websocket: the client sent no message in time")

	// ErrAborted: we cut the connection without a closing handshake.
	ErrAborted = errors.New("websocket: connection aborted")
)

// Options are shared by the connections of a server or client. Once
// WithDefaults has filled in the defaults, negative is off.
type Options struct {
	Role             protocol.Role
	MaxMessageSize   int64
	MaxQueue         int           // messages kept for an application that lags
	MaxQueueBytes    int           // and their bytes
	MaxFragments     int           // of a message that is received; see protocol.Config
	MaxControlFrames int           // a second; see protocol.Config
	MessageTimeout   time.Duration // see protocol.Config
	FirstMessage     time.Duration // for the first message to begin; 0 or less: any time
	CloseTimeout     time.Duration // for the closing handshake
	WriteTimeout     time.Duration // for one socket write; 0: none
	MaxFragmentSize  int           // larger messages leave in fragments; negative: never
	Hold             time.Duration // how long an answer may wait for its siblings; negative: not at all
	Keepalive        keepalive.Config
	Enforcement      keepalive.Enforcement
	Counters         *Counters         // a server's; nil: nothing is counted
	Clock            *Clock            // the one of WithDefaults
	Thread           *keepalive.Thread // runs their keepalive, if a thread does
	Helper           *Helper           // a server's; nil: callers have stack enough
	Agreements       *Agreements       // a server's; nil: each connection has its own
	Context          context.Context   // a server's; the requests' have its values
	Logger           *slog.Logger
}

// Conn is an open connection, of either role and for either face. A server may
// have very many that are idle, so what an idle one does not need is at the
// desk, and small fields stand side by side.
//
// What a broadcast looks at comes first, in two lines of the processor's cache:
// with many connections they are in none when the next broadcast comes.
type Conn struct {
	opts       *Options
	extensions *[]protocol.Extension // those that were agreed on; nil: none
	other      *transport            // carries the bytes; nil: raw does; see tr
	raw        rawTransport          // ... which is for sockets
	mu         sync.Mutex            // guards all below; see lock
	*desk                            // what is under way; nil while nothing is
	taken      int64                 // bytes that the transport has taken
	pinging    pingProgress          // of keepalive's latest ping
	mood       mood                  // whether what is at the desk need be looked at

	kept      bool        // the keeper's runner was started
	receiving receiveKind // whether the application is in a receive call
	reader    reader      // who holds the reader token
	poked     bool        // the read deadline was set to interrupt the reader
	closing   closing     // whether the connection is being ended, and by whom; see close.go
	aborted   bool        // cut the transport, whatever is under way

	rare *rare // what few connections need; nil until then

	// Reading: see read.go and attendant.go. What the receive call wants is here and
	// in rare, and not in parameters, because of what waits for days: the stack of a
	// goroutine that receives is to fit into the 2 KiB that it begins with, and each
	// frame counts.
	dst      []byte        // what the receive call appends to
	in       input         // what is being read and looked at; the token holder's
	controls time.Duration // when the allowance of control frames is whole, from start; 0: it is

	// Keepalive: see keeper.go and ping.go.
	keeper keeper
	stats  stats
}

// A receiveKind is what kind of receive call the application is in.
type receiveKind uint8

const (
	notReceiving     receiveKind = iota
	receivingMessage             // in memory of its own
	receivingInto                // appended to Conn.dst
)

// closing says how far the end of a connection is.
type closing uint8

const (
	notClosing   closing = iota
	closingBegun         // the closer has started, or the receiver has taken its place
	closingDue           // the receiver has, and ends the connection when it returns
	closed               // the transport is closed
)

func (c *Conn) over() bool { return c.closing == closed }

// reader says who holds the reader token.
type reader uint8

const (
	nobody reader = iota
	application
	background // an attendant, or a call that waits for something else than messages
)

// Init makes c a connection over conn, whose opening handshake is over and has
// agreed on the extensions, which become the connection's own. early is what was
// read after the handshake; it is copied.
func (c *Conn) Init(conn net.Conn, early []byte, opts *Options, extensions ...protocol.Extension) {
	c.opts = opts
	if len(extensions) > 0 {
		c.extensions = opts.Agreements.of(extensions)
	}
	if !c.raw.init(conn, c) {
		c.setTransport(otherTransport(conn))
	}
	c.setHeartbeat(opts.Keepalive.Heartbeat)
	c.keeper.monitor.Start(opts.Keepalive, time.Now())
	opts.Counters.open()
	c.sit(desks.take())
	c.lock()
	c.feedEarly(early)
	c.expectMessage()
	c.startGrace()
	c.unlock()
}

// start is when the connection was made: times that are durations count from
// it.
func (c *Conn) start() time.Time { return c.keeper.monitor.Started() }

// feedEarly takes what arrived together with the opening handshake.
func (c *Conn) feedEarly(early []byte) {
	if len(early) == 0 {
		return
	}
	if len(early) <= blockSize {
		c.in.borrow()
		early = c.in.block[:copy(c.in.block[:], early)]
	}
	c.proto.Received(c.start(), 0, early)
}

// Done is closed when the connection has ended and its transport is closed.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rarely()
	if r.ended == nil {
		r.ended = make(chan struct{})
		if c.over() {
			close(r.ended)
		}
	}
	return r.ended
}

// Err returns how the connection ended, a [*protocol.CloseError], or nil as
// long as it has not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over() {
		return nil
	}
	how := c.rare.remains.how // which is the caller's
	return &how
}

// State returns where the connection is in its life.
func (c *Conn) State() protocol.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over():
		return protocol.Closed
	case c.desk == nil:
		return protocol.Open // and idle
	}
	return c.proto.State()
}

// LocalAddr returns the address of our end.
func (c *Conn) LocalAddr() net.Addr { return c.tr().localAddr() }

// RemoteAddr returns the address of the peer's end.
func (c *Conn) RemoteAddr() net.Addr { return c.tr().remoteAddr() }

// Options returns what the connection was made with.
func (c *Conn) Options() *Options { return c.opts }
