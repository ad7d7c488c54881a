package sync

import (
	"time"

	"github.com/tandemws/tandem/internal/link"
)

// A Connection is a [*ClientConn], a [*ServerConn] or the [*Conn] in them, for
// functions that have type parameters or make something else of a connection.
type Connection interface{ base() *Conn }

func (c *Conn) base() *Conn { return c }

// A JSONError says that a message was not the JSON that was asked for, or that
// a value cannot be sent as JSON. It has the message, and wraps the error of
// package encoding/json. The connection goes on.
type JSONError = link.JSONError

// RecvJSON receives a message, of either type, and decodes the one JSON value
// that it is, as [encoding/json.Unmarshal] does. A message that is something else, or has
// more in it, is a [*JSONError]; the next call receives the next message. Other
// errors are those of [Conn.Recv].
//
// The size is bounded by MaxMessageSize in the options. The message is received
// as a whole before it is decoded, into memory that is used again, so that
// nothing of it is lost when a timeout passes; the decoder of
// encoding/json would hold it as a whole too. For JSON that is to be decoded
// while it arrives, element after element, give the reader of [Conn.RecvReader]
// to [encoding/json.NewDecoder].
func RecvJSON[T any](conn Connection) (v T, err error) {
	err = conn.base().link.ReceiveJSON(nil, &v)
	return v, err
}

// RecvJSONTimeout is RecvJSON for at most d; see [Conn.RecvTimeout].
func RecvJSONTimeout[T any](conn Connection, d time.Duration) (v T, err error) {
	err = conn.base().link.ReceiveJSON(link.After(max(d, time.Millisecond)), &v)
	return v, err
}

// SendJSON sends v as [encoding/json.Marshal] encodes it, in a text message. A value that
// cannot be encoded is a [*JSONError], and nothing is sent. Other errors are
// those of [Conn.Send].
func SendJSON(conn Connection, v any, opts ...SendOption) error {
	m, err := link.EncodeJSON(v)
	if err != nil {
		return err
	}
	return conn.base().Send(m, opts...)
}
