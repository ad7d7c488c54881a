package link

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/tandemws/tandem/protocol"
)

// A JSONError says that a message was not the JSON that was asked for, or that
// a value cannot be sent as JSON. The connection goes on.
type JSONError struct {
	// Message is what was received, nil if the error is about sending. It is
	// the caller's.
	Message *protocol.Message

	// Err is what package encoding/json says.
	Err error
}

func (e *JSONError) Error() string {
	if e.Message == nil {
		return fmt.Sprintf("websocket: no JSON can be made of the value: %v", e.Err)
	}
	return fmt.Sprintf("websocket: message of %d bytes is not the JSON that was expected: %v", len(e.Message.Data), e.Err)
}

func (e *JSONError) Unwrap() error { return e.Err }

// ReceiveJSON receives a message as ReceiveAppend does, so that nothing is lost
// at the Limit, and decodes it into v.
func (c *Conn) ReceiveJSON(l *Limit, v any) error {
	buf := jsonBuffers.Get().(*[]byte)
	defer jsonBuffers.Put(buf)
	typ, data, err := c.ReceiveAppend(l, (*buf)[:0])
	if err != nil {
		return err
	}
	if cap(data) <= maxJSONBuffer {
		*buf = data
	}
	if err := json.Unmarshal(data, v); err != nil {
		return &JSONError{&protocol.Message{Type: typ, Data: append([]byte(nil), data...)}, err}
	}
	return nil
}

// jsonBuffers have what is received until it is decoded; package encoding/json
// keeps none of it. maxJSONBuffer is how large in bytes one is kept.
var jsonBuffers = sync.Pool{New: func() any { return new([]byte) }}

const maxJSONBuffer = 64 << 10

// EncodeJSON returns a text message with v as JSON.
func EncodeJSON(v any) (m protocol.Message, err error) {
	data, err := json.Marshal(v)
	if err != nil {
		return m, &JSONError{nil, err}
	}
	return protocol.Message{Type: protocol.Text, Data: data}, nil
}
