package sync

import "github.com/tandemws/tandem/internal/link"

// Errors of calls that leave the connection as it was.
var (
	// ErrConcurrentReceive: another goroutine is receiving.
	ErrConcurrentReceive = link.ErrConcurrentReceive

	// ErrTooManyPings: 1,024 pings wait for their pongs.
	ErrTooManyPings = link.ErrTooManyPings

	// ErrSkipped: a later receive call has skipped the rest of the message
	// that the reader was for.
	ErrSkipped = link.ErrSkipped

	// ErrTooSlow: there was no room for a message that was broadcast, because
	// the peer reads too slowly. It may also be the cause of a connection's end;
	// see [DropConnection].
	ErrTooSlow = link.ErrTooSlow

	// ErrWriterClosed: the writer's message has ended.
	ErrWriterClosed = link.ErrWriterClosed
)

// Causes of a failed connection, to be found with errors.Is in a
// [*protocol.CloseError]. The others are [*protocol.ViolationError] when the
// peer broke the protocol, [*keepalive.TimeoutError] when keepalive gave the
// peer up, and errors of the network: io.EOF when the peer ended TCP without a
// close frame, [*net.OpError] and the like.
var (
	// ErrCloseTimeout: the closing handshake was not completed within the
	// close timeout.
	ErrCloseTimeout = link.ErrCloseTimeout

	// ErrPartialWrite: time ran out when a part of a message was written.
	ErrPartialWrite = link.ErrPartialWrite

	// ErrFirstMessageTimeout: a client sent no message within the server's
	// FirstMessageTimeout.
	ErrFirstMessageTimeout = link.ErrFirstMessageTimeout

	// ErrAborted: we cut the connection.
	ErrAborted = link.ErrAborted
)
