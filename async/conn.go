package async

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Conn is what a [ClientConn] and a [ServerConn] have in common: an open
// WebSocket connection. It is made by [Connect], [Serve], [NewHandler] and
// [Pipe].
type Conn struct {
	link    link.Conn
	timer   keepalive.Timer // runs its keepalive
	opening *link.Opening   // what is remembered of the handshake

	// Its context; see lifetime.
	made  atomic.Pointer[madeContext]
	ended atomic.Pointer[protocol.CloseError] // nil: it has not
}

// start makes c a connection over conn.
func (c *Conn) start(conn net.Conn, early []byte, opts *link.Options, extensions []protocol.Extension) {
	c.link.SetRunner((*ticking)(c))
	c.link.Init(conn, early, opts, extensions...)
	c.link.StartKeepalive()
}

// limit returns the bound of a call. It is a value so that it stays on the
// caller's stack.
func (c *Conn) limit(ctx context.Context) (l link.Limit) {
	if c.bounds(ctx) {
		l.Context = ctx
	}
	return l
}

// bounds reports whether a context may end before the connection does. The
// connection's own, which a handler has at hand, needs no watching: it ends when
// every call returns anyhow.
func (c *Conn) bounds(ctx context.Context) bool {
	return ctx != c.Context() && ctx != nil && c.endsSooner(ctx)
}

// endsSooner reports whether a context is neither one that never ends nor one
// that has its end from the connection's.
func (c *Conn) endsSooner(ctx context.Context) bool {
	done := ctx.Done()
	if done == nil {
		return false
	}
	made := c.made.Load() // it is, if done is that of the connection's
	return made == nil || done != made.Done()
}

// orBackground returns ctx, or one that never ends in the place of nil: that is
// a mistake of the caller's, but nothing to bring a program down for.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// Recv returns the next message. Its data are the caller's, who may give them back
// with [protocol.Message.Release] when they are of no use any more; see "Memory" at
// the top.
//
// A ctx that ends makes Recv return its error; the message, or the part of it
// that has arrived, is there for the next call. When the connection has ended
// Recv still returns the messages that came before, and then a
// [*protocol.CloseError].
func (c *Conn) Recv(ctx context.Context) (protocol.Message, error) {
	if !c.bounds(ctx) {
		return c.link.Receive(nil)
	}
	return c.recvWithin(ctx)
}

// recvWithin is Recv with a bound. It is not part of it because that is where an
// idle connection waits: what the bound takes would be on the stack of each.
//
//go:noinline
func (c *Conn) recvWithin(ctx context.Context) (protocol.Message, error) {
	return c.link.Receive(&link.Limit{Context: ctx})
}

// RecvAppend receives as Recv does and appends the message's data to dst. It
// allocates nothing when dst has room; a large message is read from the
// network straight to where it belongs. On an error it returns dst. What lies
// behind the length of what it returns may have changed.
func (c *Conn) RecvAppend(ctx context.Context, dst []byte) (protocol.MessageType, []byte, error) {
	if !c.bounds(ctx) {
		return c.link.ReceiveAppend(nil, dst)
	}
	return c.recvAppendWithin(ctx, dst)
}

// recvAppendWithin is RecvAppend with a bound; see recvWithin.
//
//go:noinline
func (c *Conn) recvAppendWithin(ctx context.Context, dst []byte) (protocol.MessageType, []byte, error) {
	return c.link.ReceiveAppend(&link.Limit{Context: ctx}, dst)
}

// RecvReader returns a reader for the next message as soon as its beginning
// has arrived; [protocol.Message] would hold all of it. A Read returns what
// has come, and io.EOF at the message's end. It does not go over the end of a
// fragment, but those that came before the call are one piece: their borders mean
// nothing (RFC 6455, section 5.4). What comes of a large message that is not
// compressed is read straight to memory of 8 KiB or more.
//
// ctx holds for the reader too: when it ends, Read returns its error. What is
// not read of the message is skipped by the next receive call. A reader is not
// for concurrent use, and counts as the connection's receiver during a Read.
func (c *Conn) RecvReader(ctx context.Context) (protocol.MessageType, io.Reader, error) {
	l := c.limit(ctx)
	typ, r, err := c.link.ReceiveReader(&l)
	if err != nil {
		return 0, nil, err
	}
	return typ, r, nil
}

// Messages returns an iterator over the messages that come. It ends quietly
// when the connection is closed normally ([protocol.ErrClosedOK]); any other
// error is its last element.
func (c *Conn) Messages(ctx context.Context) iter.Seq2[protocol.Message, error] {
	l := c.limit(ctx)
	return c.link.Messages(&l)
}

// Send sends a message. The data are the caller's again when it returns: nothing
// refers to them any more, and they may be released.
//
// nil means that the message is accepted, in order, and written within a
// millisecond unless the connection fails, which the next call and Done
// report: an answer that is sent while more requests are already here leaves
// together with theirs. [Conn.Flush] waits for the write.
//
// Send waits while the peer reads more slowly than we send. If ctx ends before
// a byte of the message was written, nothing is sent and the connection goes
// on; after that the connection fails with [ErrPartialWrite]. A text message
// must be UTF-8 ([protocol.ErrInvalidText]).
func (c *Conn) Send(ctx context.Context, m protocol.Message, opts ...SendOption) error {
	if len(opts) > 0 || c.bounds(ctx) {
		return c.sendWith(ctx, &m, &opts)
	}
	return c.link.Send(nil, m)
}

// sendWith is Send with a bound or options; see recvWithin. Pointers take less of
// Send's stack.
//
//go:noinline
func (c *Conn) sendWith(ctx context.Context, m *protocol.Message, opts *[]SendOption) error {
	l := c.limit(ctx)
	var o sendOptions
	if len(*opts) > 0 {
		o = optionsOf(*opts) // which allocates
	}
	return c.link.SendWith(&l, *m, o.compression)
}

// A SendOption changes how one message is sent.
type SendOption func(*sendOptions)

type sendOptions struct{ compression protocol.Compression }

// WithCompression has Send compress the message, or not, whatever its size. By
// default messages are compressed from a size on that the options' Compression
// says. It changes nothing if compression was not negotiated.
func WithCompression(on bool) SendOption {
	wanted := protocol.CompressOff
	if on {
		wanted = protocol.CompressOn
	}
	return func(o *sendOptions) { o.compression = wanted }
}

func optionsOf(opts []SendOption) (o sendOptions) {
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// SendText sends a text message; see [Conn.Send].
func (c *Conn) SendText(ctx context.Context, text string, opts ...SendOption) error {
	return c.Send(ctx, protocol.TextMessage(text), opts...)
}

// SendBinary sends a binary message; see [Conn.Send].
func (c *Conn) SendBinary(ctx context.Context, data []byte, opts ...SendOption) error {
	return c.Send(ctx, protocol.BinaryMessage(data), opts...)
}

// SendWriter begins a message that is sent in fragments: each Write sends one,
// and Close ends the message (RFC 6455, section 5.4). Other messages wait until
// then, so it must be closed. It is compressed, if that was negotiated, unless
// the options say otherwise.
//
// ctx holds for the writer too: when it ends, Write returns its error. Close then
// ends what was begun all the same, and waits no longer; if nothing was, nothing is
// sent and Close returns the error. A text that stops inside a character cannot be
// ended: the connection fails with [ErrPartialWrite].
//
// Fragments are accepted as messages are; see [Conn.Send] and [Conn.Flush]. A
// fragment of a text message may end inside a character; the message may not, and
// Close returns [protocol.ErrInvalidText] until the rest was written. A writer is
// not for concurrent use.
func (c *Conn) SendWriter(ctx context.Context, typ protocol.MessageType, opts ...SendOption) (io.WriteCloser, error) {
	l := c.limit(ctx)
	w, err := c.link.SendWriter(&l, typ, optionsOf(opts).compression)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Flush returns when everything that Send has accepted is written.
func (c *Conn) Flush(ctx context.Context) error {
	l := c.limit(ctx)
	return c.link.Flush(&l)
}

// Ping sends a ping and returns what to wait for its pong with (RFC 6455,
// section 5.5.2). nil stands for a payload of 4 random bytes; a given one has
// at most 125 bytes, is copied, and must differ from those of other pings that
// wait for their pongs.
//
// Keepalive needs no pings of the application's; see [ClientOptions].
func (c *Conn) Ping(ctx context.Context, payload []byte) (*Pong, error) {
	l := c.limit(ctx)
	pong, err := c.link.Ping(&l, payload)
	if err != nil {
		return nil, err
	}
	return &Pong{c, pong}, nil
}

// A Pong is the answer that a ping waits for.
type Pong struct {
	conn *Conn
	pong *link.Pong
}

// Wait waits for the pong, or for that of a later ping, and returns the
// round-trip time. It reads from the connection if nobody else does. When ctx
// ends it returns its error and can be called again.
func (p *Pong) Wait(ctx context.Context) (time.Duration, error) {
	l := p.conn.limit(ctx)
	return p.pong.Wait(&l)
}

// Pong sends a pong that nobody asked for, a heartbeat in one direction
// (RFC 6455, section 5.5.3). payload has at most 125 bytes and is copied.
// Pings are answered without it.
func (c *Conn) Pong(ctx context.Context, payload []byte) error {
	l := c.limit(ctx)
	return c.link.Pong(&l, payload)
}

// Latency returns the round-trip time of the latest ping that was answered,
// keepalive's pings included; 0 as long as none was.
func (c *Conn) Latency() time.Duration { return c.link.Latency() }

// KeepaliveStats returns what keepalive has seen so far.
func (c *Conn) KeepaliveStats() keepalive.Stats { return c.link.KeepaliveStats() }

// SetKeepalive changes the keepalive settings of an open connection.
func (c *Conn) SetKeepalive(cfg keepalive.Config) { c.link.SetKeepalive(cfg) }

// SetMaxMessageSize changes the size in bytes of the largest message that is
// accepted on an open connection, for one that has begun to arrive too: for
// example when a client has told who it is. 0 means the default, 1 MiB, and
// negative no limit.
func (c *Conn) SetMaxMessageSize(n int64) { c.link.SetMaxMessageSize(n) }

// Close closes the connection with code 1000; see [Conn.CloseWith].
func (c *Conn) Close() error { return c.CloseWith(protocol.NormalClosure, "") }

// CloseWith performs the closing handshake (RFC 6455, section 7.1.2): it sends
// a close frame behind the messages that were sent before, waits for the
// peer's and for the end of the TCP connection, no longer than the close
// timeout. It returns nil when close frames went both ways, also if the peer
// or another goroutine was first, else how the connection ended. A reason has
// at most 123 bytes of UTF-8, and [protocol.NoStatusReceived] without a reason
// sends an empty close frame; an unsendable code or reason is
// [protocol.ErrInvalidClose], and nothing happens.
//
// Messages that came before the peer's close frame can still be received, as
// many as the queue holds. While a message is being sent with SendWriter the
// code is 1011, for the peer cannot tell that it was abandoned.
func (c *Conn) CloseWith(code protocol.CloseCode, reason string) error {
	return c.link.Close(nil, code, reason)
}

// Shutdown closes as CloseWith does, and cuts the connection when ctx ends.
func (c *Conn) Shutdown(ctx context.Context, code protocol.CloseCode, reason string) error {
	l := c.limit(ctx)
	return c.link.Close(&l, code, reason)
}

// CloseNow cuts the connection without a closing handshake: the peer sees code
// 1006. Calls that are under way return a [*protocol.CloseError] with
// [ErrAborted]. Messages that were read before can still be received, as many as the
// queue holds; not with a [keepalive.Heartbeat] that has an Answer, which is not asked.
func (c *Conn) CloseNow() {
	c.link.Abort(ErrAborted)
	<-c.link.Done()
}

// Done is closed when the connection has ended and the transport is closed.
func (c *Conn) Done() <-chan struct{} { return c.link.Done() }

// Err returns nil as long as the connection has not ended, and then how it
// did: a [*protocol.CloseError]. A receive call may tell of the peer's close frame
// a moment before that, so wait for Done first.
func (c *Conn) Err() error { return c.link.Err() }

// Context returns a context that ends with the connection; its cause
// ([context.Cause]) is what Err returns. It has the values of the context that
// was given to Connect, or of the request that a handler serves, before the end and
// after, whether the request is kept or not: net/http's [http.ServerContextKey] and
// [http.LocalAddrContextKey], and what middleware or a hook of the options has added.
func (c *Conn) Context() context.Context { return (*lifetime)(c) }

// State returns where the connection is in its life.
func (c *Conn) State() protocol.State { return c.link.State() }

// Subprotocol returns the subprotocol that both sides agreed on, "" if none.
func (c *Conn) Subprotocol() string { return c.opening.Get().Subprotocol }

// Request returns the request of the opening handshake, without its body. It
// is nil after [Pipe], and on a server with DiscardRequest. Its context does not
// end, not with the connection either: see [Conn.Context].
func (c *Conn) Request() *http.Request { return c.opening.Request() }

// Response returns the response of the opening handshake. It is nil when
// Request is.
func (c *Conn) Response() *http.Response { return c.opening.Get().Response }

// LocalAddr returns the address of our end.
func (c *Conn) LocalAddr() net.Addr { return c.link.LocalAddr() }

// RemoteAddr returns the address of the peer's end, which may be a proxy's.
func (c *Conn) RemoteAddr() net.Addr { return c.link.RemoteAddr() }

// ID returns a random UUID that tells the connection from all others in logs.
func (c *Conn) ID() string { return c.link.ID() }

// Logger returns the connection's logger: that of the options, with the ID and
// the peer's address.
func (c *Conn) Logger() *slog.Logger { return c.link.Logger() }
