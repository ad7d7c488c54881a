package sync

import (
	"fmt"
	"iter"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// A SlowPolicy says what becomes of a connection whose peer reads too slowly
// for what is broadcast.
type SlowPolicy = link.SlowPolicy

const (
	// DropMessage: the connection goes without the message.
	DropMessage = link.DropMessage

	// DropConnection: the connection is closed with code 1008, "too slow", and
	// [ErrTooSlow] as the cause. A peer that reads nothing at all is cut off
	// when the close timeout is over. What was waiting for it is dropped at
	// once.
	DropConnection = link.DropConnection
)

// BroadcastOptions say what [Broadcast] does about connections that cannot take
// the message at once. nil and the zero value are good ones.
type BroadcastOptions struct {
	// Compression says whether the message is to be compressed, on those
	// connections that agreed on it. By default its size decides.
	Compression protocol.Compression

	// Slow is what becomes of a connection that has no room for the message,
	// at once or when Wait is over. By default the message is dropped.
	Slow SlowPolicy

	// SlowFor, if not nil, is asked in place of Slow. It must not wait.
	SlowFor func(*ServerConn) SlowPolicy

	// Wait is how long Broadcast waits for the connections that have no room,
	// all together. By default it does not wait.
	Wait time.Duration

	// MaxBacklog and MaxBacklogBytes bound what may wait on a connection to be
	// written: when there are so many broadcast messages, or another one would
	// make it more bytes of them (as they are without compression), it has no
	// room. One message may always wait, whatever its size. Defaults 16 and 1 MiB;
	// negative: no bound.
	MaxBacklog      int
	MaxBacklogBytes int
}

// Broadcast sends a message on each of the connections, such as those of
// [Server.Connections]. It is encoded once for all connections that agreed on
// the same, compression included. The data are the caller's again when it
// returns. It may be called concurrently.
//
// No connection holds up another one. What a network takes at once is written
// at once. Where it does not, because the peer reads slowly, or where a message
// is being sent already, the message waits in the connection's backlog for a
// goroutine that lasts as long as the backlog; it keeps its place among the
// messages that Send sends. If there is no room for it either, the options say
// what is done.
//
// Connections that are not open any more are passed over. The error is nil if
// all others have the message, or have it in their backlog; they may still end
// before it is written. Otherwise it is a [BroadcastErrors], with a
// [*BroadcastError] for each connection that goes without: usually because of
// [ErrTooSlow]. Any other error ([protocol.ErrInvalidText],
// [protocol.ErrMessageType])
// means that nothing was sent to anybody.
//
// While the messages wait they are kept once for all connections, not once for
// each; the how-to on broadcasting has the formula for the memory.
func Broadcast(conns iter.Seq[*ServerConn], m protocol.Message, opts *BroadcastOptions) error {
	if opts == nil {
		opts = new(BroadcastOptions)
	}
	core := link.BroadcastOptions[*ServerConn](*opts)
	var missed BroadcastErrors
	err := link.Broadcast(nil, conns, m, &core,
		func(c *ServerConn) *link.Conn { return &c.link },
		func(c *ServerConn, err error) { missed = append(missed, &BroadcastError{c, err}) })
	if err != nil || len(missed) == 0 {
		return err
	}
	return missed
}

// BroadcastErrors has an error for each connection that a broadcast message did
// not get to.
type BroadcastErrors []*BroadcastError

func (e BroadcastErrors) Error() string { return link.Missed(len(e), e[0]) }

// Unwrap returns the errors, for [errors.Is] and [errors.As].
func (e BroadcastErrors) Unwrap() (all []error) {
	for _, err := range e {
		all = append(all, err)
	}
	return all
}

// A BroadcastError says why a broadcast message did not get to a connection.
type BroadcastError struct {
	Conn *ServerConn
	Err  error // [ErrTooSlow], with the error of the bound if Broadcast waited; or how the connection ended
}

func (e *BroadcastError) Error() string {
	return fmt.Sprintf("websocket: broadcast to %v: %v", e.Conn.RemoteAddr(), e.Err)
}

func (e *BroadcastError) Unwrap() error { return e.Err }

// A Prepared is a message that is encoded once and sent on many connections or
// many times; see [Prepare] and [Conn.SendPrepared]. It may be used
// concurrently.
type Prepared struct{ message *link.Prepared }

// Prepare returns a message, of which it holds a copy, to be sent with
// [Conn.SendPrepared]. [WithCompression] is the option that counts. The error is
// [protocol.ErrInvalidText] or [protocol.ErrMessageType].
func Prepare(m protocol.Message, opts ...SendOption) (*Prepared, error) {
	message, err := link.Prepare(m, optionsOf(opts).compression)
	if err != nil {
		return nil, err
	}
	return &Prepared{message}, nil
}

// SendPrepared sends a prepared message as [Conn.Send] does, but that it does
// not wait for others to leave with. On a server's connection nothing is encoded
// that was encoded before for one that agreed on the same. A client, which
// masks what it sends, encodes it each time.
// [WithTimeout] is the option that counts.
func (c *Conn) SendPrepared(p *Prepared, opts ...SendOption) error {
	o := optionsOf(opts)
	return c.link.SendPrepared(o.limit(), p.message)
}
