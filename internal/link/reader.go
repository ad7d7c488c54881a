package link

import (
	"errors"
	"io"

	"github.com/tandemws/tandem/protocol"
)

// ErrSkipped: a later receive call has skipped the rest of the message that a
// [Reader] was for.
var ErrSkipped = errors.New("websocket: the rest of the message was skipped by a later receive call")

// A Reader receives one message in pieces, as they arrive. A Read never goes
// over the end of a fragment; those that came before there was a Reader are one
// piece.
type Reader struct {
	c     *Conn
	limit Limit
	rest  []byte // of the chunk that is being read
	lent  bool   // rest lies in the block: see keepStreamed
	last  bool   // the chunk is the message's last
	err   error  // what Read returns when rest is used up
}

// ReceiveReader returns a reader for the next message, once its first frame has
// begun to arrive. The Limit holds for its Reads too. What is not read of the
// message is skipped by the next receive call.
func (c *Conn) ReceiveReader(l *Limit) (protocol.MessageType, *Reader, error) {
	c.lock()
	defer c.unlock()
	if err := c.beginReceive(l, receivingMessage); err != nil {
		return 0, nil, err
	}
	defer c.endReceive()
	c.leaveStream()
	for {
		if c.stream == nil && c.queue.empty() && c.reader == nobody {
			c.proto.Streaming(true) // and not for another reader, who may queue a message before it
		}
		switch {
		case !c.nextEvent():
			if c.flush() {
				continue
			}
			if err := c.readMore(); err != nil {
				c.stopStreaming()
				return 0, nil, err
			}
		case c.stream != nil:
			c.stream.skip()
		default:
			return c.event.Type, c.newReader(l), nil
		}
	}
}

// stopStreaming takes back that the next message is to be received in pieces.
func (c *Conn) stopStreaming() {
	if c.stream == nil {
		c.proto.Streaming(false)
	}
}

// newReader returns a reader for the message that begins with c.event.
func (c *Conn) newReader(l *Limit) *Reader {
	c.stream = &Reader{c: c}
	if l != nil {
		c.stream.limit = *l
	}
	c.stream.take()
	return c.stream
}

// take makes c.event the chunk that is being read. A message that was kept
// whole is its only chunk.
func (r *Reader) take() {
	ev := r.c.event
	r.rest, r.lent = ev.Data, !ev.Owned
	r.last = ev.Last || ev.Kind == protocol.EventMessage
	ev.Data = nil
}

// Read reads what has arrived of the message, or waits for more of it. It
// returns io.EOF at the message's end. At the limit, and when another receive
// call is under way, it returns an error and can be called again.
func (r *Reader) Read(p []byte) (n int, err error) {
	c := r.c
	c.lock()
	defer c.unlock()
	if len(p) == 0 || r.err != nil {
		return 0, r.err
	}
	if err := c.beginReceive(&r.limit, receivingMessage); err != nil {
		return 0, err
	}
	defer c.endReceive()
	if err := r.await(p); err != nil {
		return 0, err
	}
	n = min(len(p), len(r.rest))
	if &p[0] != &r.rest[0] { // else it was read to there
		copy(p, r.rest)
	}
	r.rest = r.rest[n:]
	return n, nil
}

// await waits until there is something to read of the message, in p perhaps.
func (r *Reader) await(p []byte) error {
	for len(r.rest) == 0 {
		switch {
		case r.last:
			r.end(io.EOF)
			return io.EOF
		case r.c.nextEvent():
			r.take()
		case r.c.flush():
		default:
			r.c.streamInto(p)
			if err := r.c.readMore(); err != nil {
				return err
			}
		}
	}
	return nil
}

// minAlone is the size in bytes of the smallest piece that is read alone, if more of its
// frame is to follow: a read of its own costs less than moving what would come behind it.
const minAlone = 32 << 10

// streamInto has what comes of the message put into p, if that is worthwhile.
func (c *Conn) streamInto(p []byte) {
	if len(p) >= minDirect && c.reader == nobody && !c.assembling {
		c.proto.AssembleInto(p[:0:len(p)])
		c.assembling = true
	}
}

// leaveStream ends the reading of a message, for another is to be received.
// What has not arrived of it is skipped when it comes.
func (c *Conn) leaveStream() {
	r := c.stream
	switch {
	case r == nil:
	case r.last && len(r.rest) == 0:
		r.end(io.EOF)
	case r.last:
		r.end(ErrSkipped)
	default:
		r.rest, r.err = nil, ErrSkipped
	}
}

// skip passes over c.event, a chunk of the message.
func (r *Reader) skip() {
	if r.c.event.Last {
		r.end(ErrSkipped)
	}
}

// end ends the reading of the message.
func (r *Reader) end(err error) {
	r.rest, r.err = nil, err
	r.c.stream = nil
}

// keepStreamed makes a copy of a chunk that the application has not read to
// its end, before the block that it lies in is used again.
func (c *Conn) keepStreamed() {
	if r := c.stream; r != nil && r.lent && len(r.rest) > 0 {
		r.rest, r.lent = append([]byte(nil), r.rest...), false
	}
}
