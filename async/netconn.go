package async

import (
	"net"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// A MessageTypeError says that the stream of [NetConn] has received a message
// of the other type. It is skipped, and the next Read goes on behind it.
type MessageTypeError = link.MessageTypeError

// NetConn returns a [net.Conn] over a connection, to carry another protocol:
// messages of the given type are one stream of bytes, in which their borders
// are lost. [protocol.Binary] is the type for it; what is written as
// [protocol.Text] must be UTF-8 in each Write of its own.
//
// Read returns what has come of a message. [io.EOF] means that the connection
// was closed normally, with code 1000 or 1001; any other end is its
// [*protocol.CloseError]. A message of the other type is a [*MessageTypeError].
//
// Write sends messages of at most 32 KiB. p is the caller's again when it
// returns, and what it was not yet written of is written as [Conn.Send] says.
//
// Deadlines are real ones, also for calls that are waiting already, and do not
// harm the connection: at its deadline a call returns [os.ErrDeadlineExceeded].
// Read has lost nothing. Write says how much of p was sent, in whole messages;
// one that was begun counts, and is finished in the background.
//
// Close closes with code 1000 and performs the closing handshake, within the
// close timeout. Calls that are waiting then return [net.ErrClosed]. All methods
// may be called concurrently; calls of Read wait for each other, as those of
// Write do. The connection's own methods go on working, but a message that one
// of them receives is missing in the stream.
func NetConn(conn Connection, typ protocol.MessageType) net.Conn {
	return link.NewNetConn(&conn.base().link, typ)
}
