package link

import (
	"errors"
	"fmt"

	"github.com/tandemws/tandem/protocol"
)

// ErrWriterClosed: a [Writer] was used after its message had ended.
var ErrWriterClosed = errors.New("websocket: the message has ended already")

// A Writer sends one message in fragments: one for each Write, and an empty
// one that ends it. Fragments may be held as answers are; see [Conn.Flush].
type Writer struct {
	c     *Conn
	typ   protocol.MessageType
	begun bool // something of the message was sent
	text  protocol.UTF8Validator
}

// SendWriter begins a message and returns its writer, once no other message is
// under way. The Limit holds for its calls too. Other messages wait until it
// is closed.
func (c *Conn) SendWriter(l *Limit, typ protocol.MessageType, wanted protocol.Compression) (*Writer, error) {
	if typ != protocol.Text && typ != protocol.Binary {
		return nil, protocol.ErrMessageType
	}
	c.lock()
	defer c.unlock()
	if _, err := c.beginSend(l, protocol.Message{}, wanted); err != nil {
		return nil, err
	}
	c.writer = &Writer{c: c, typ: typ}
	return c.writer, nil
}

// Write sends p as one fragment; an empty p sends nothing. At the limit it has
// sent nothing and can be called again, or a part was written and the
// connection fails. p is the caller's again when it returns.
func (w *Writer) Write(p []byte) (n int, err error) {
	c := w.c
	c.lock()
	defer c.unlock()
	if err := w.usable(); err != nil || len(p) == 0 {
		return 0, err
	}
	if err := c.send.limit.Reached(); err != nil {
		return 0, c.left(err)
	}
	text := w.text
	if w.typ == protocol.Text && !text.Write(p) {
		return 0, protocol.ErrInvalidText
	}
	c.send.frame = frame{typ: w.typ, data: p, hold: true}
	err = c.sendFrame()
	c.send.frame.data = nil // the caller's again
	if err != nil {
		return 0, err
	}
	w.text, w.begun = text, true
	return len(p), nil
}

// Close ends the message. At the limit it waits no longer: who has begun a message
// cannot take it back, and others wait for its end.
func (w *Writer) Close() error {
	c := w.c
	c.lock()
	defer c.unlock()
	if err := w.usable(); err != nil {
		return err
	}
	complete := w.typ == protocol.Binary || w.text.Complete()
	if late := c.send.limit.Reached(); late != nil {
		return w.closeLate(late, complete)
	} else if !complete {
		return protocol.ErrInvalidText
	}
	c.send.frame = frame{typ: w.typ, fin: true, hold: c.proto.Buffered()}
	err := c.sendFrame()
	if err == nil {
		c.abandonWriter()
	} else if late := c.send.limit.Reached(); late != nil && c.sendable() == nil {
		err = w.closeLate(late, complete)
	}
	return err
}

// closeLate is Close behind the limit, of which late is the error: the end is held for
// somebody to write. A message of which nothing was sent is not sent at all, and a text
// that is cut off inside a character can only be given up with the connection.
func (w *Writer) closeLate(late error, complete bool) error {
	c := w.c
	if err := c.sendable(); err != nil {
		return err
	}
	switch {
	case !w.begun:
		c.abandonWriter()
		return late
	case !complete:
		partial := fmt.Errorf("%w: %w", ErrPartialWrite, late)
		c.fail(protocol.InternalError, "text cut off", partial)
		return c.endedBy(partial)
	}
	c.send.frame = frame{typ: w.typ, fin: true}
	if err := c.holdFrame(); err != nil {
		return err
	}
	c.abandonWriter()
	return nil
}

// usable reports why the writer cannot go on.
func (w *Writer) usable() error {
	switch {
	case w.c.writer == w:
		return nil
	case w.c.sendable() != nil:
		return w.c.sendable()
	}
	return ErrWriterClosed
}

// abandonWriter lets go of the message token that an open writer holds.
func (c *Conn) abandonWriter() {
	if c.writer != nil {
		c.writer = nil
		c.endSend()
	}
}
