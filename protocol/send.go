package protocol

import (
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// outbound is the sending half of a connection.
type outbound struct {
	open      bool        // a fragmented message was begun and not ended
	typ       MessageType // of that message
	closeOwed bool
	key       [4]byte // a masking key just read; here because a Reader makes it escape
	pongs     pongQueue
	unasked   pongQueue // unsolicited pongs (section 5.5.3)
	encoding            // what extensions do with the message; see encode.go
	frames    []byte    // what AppendOwed is appending to
	err       error     // and why it cannot go on
}

// Owed reports whether control frames are waiting for [Conn.AppendOwed].
func (c *Conn) Owed() bool {
	return c.state != Closed && (c.out.closeOwed || !c.out.pongs.empty() || c.pings.unsent > 0 || !c.out.unasked.empty())
}

// AppendOwed appends the control frames that are owed to dst, encoded: pongs,
// then pings, then a close frame. now is when they are sent; round-trip times
// count from it. On an error, that of the source of masking keys, dst is
// returned as it was and all of them stay owed.
func (c *Conn) AppendOwed(dst []byte, now time.Time) ([]byte, error) {
	if !c.Owed() {
		return dst, nil
	}
	out := &c.out
	out.frames, out.err = dst, nil
	c.appendPongs(&out.pongs)
	c.appendPongs(&out.unasked)
	c.appendPings()
	if out.closeOwed {
		c.appendControl(OpClose, c.sent.appendPayload(nil))
	}
	if out.err == nil {
		c.handedOut(now)
		dst = out.frames
	}
	out.frames = nil
	return dst, out.err
}

func (c *Conn) appendPongs(q *pongQueue) {
	for b := q.buf; len(b) > 0; {
		size := 1 + int(b[0])
		c.appendControl(OpPong, b[1:size])
		b = b[size:]
	}
}

func (c *Conn) appendPings() {
	for i := len(c.pings.pending) - c.pings.unsent; i < len(c.pings.pending); i++ {
		c.appendControl(OpPing, c.pings.pending[i].payload())
	}
}

// appendControl appends a control frame, which is never fragmented (RFC 6455,
// section 5.5), to out.frames, unless there was an error before.
func (c *Conn) appendControl(op Opcode, payload []byte) {
	if c.out.err != nil {
		return
	}
	h := Header{Fin: true, Opcode: op, Length: int64(len(payload))}
	if c.out.err = c.maskHeader(&h); c.out.err == nil {
		c.out.frames = appendMasked(AppendHeader(c.out.frames, h), h, payload)
	}
}

// handedOut notes that all that was owed is on its way.
func (c *Conn) handedOut(now time.Time) {
	c.out.pongs.clear()
	c.out.unasked.clear()
	c.pings.sent(now)
	c.out.closeOwed = false
}

// SendPing owes a ping. A nil payload stands for one that is chosen at random;
// payload is copied. The error is [ErrControlTooBig], [ErrDuplicatePing], that
// of the source of random bytes, or a [*CloseError] once a close frame was
// sent or received. Only the latest 64 pings are remembered: an older one is
// settled by the pong for any later one.
func (c *Conn) SendPing(payload []byte) (PingID, error) {
	switch {
	case c.state != Open:
		return 0, c.CloseError()
	case len(payload) > MaxControlPayload:
		return 0, ErrControlTooBig
	case payload == nil:
		return c.sendRandomPing()
	case c.pings.find(payload) >= 0:
		return 0, ErrDuplicatePing
	}
	return c.pings.add(payload), nil
}

// SentPing takes note of a ping that was sent at a time without the Conn, as of
// [Essence.AppendPingHeader]. payload is copied, and that of no ping that waits for its
// pong. No ping may be owed.
func (c *Conn) SentPing(payload []byte, at time.Time) PingID {
	id := c.pings.add(payload)
	c.pings.sent(at)
	return id
}

// sendRandomPing tries a few payloads, no more: a source of random bytes that
// repeats itself would have it try for ever.
func (c *Conn) sendRandomPing() (PingID, error) {
	for range 8 {
		payload, err := c.randomKey()
		if err != nil {
			return 0, err
		}
		if c.pings.find(payload[:]) < 0 {
			return c.pings.add(payload[:]), nil
		}
	}
	return 0, ErrDuplicatePing
}

// SendPong owes an unsolicited pong, a heartbeat that asks for no answer
// (RFC 6455, section 5.5.3). payload is copied. If 64 of them are owed and not
// sent, only the newest is kept.
func (c *Conn) SendPong(payload []byte) error {
	if c.state != Open {
		return c.CloseError()
	}
	if len(payload) > MaxControlPayload {
		return ErrControlTooBig
	}
	c.out.unasked.owe(payload)
	return nil
}

// AppendMessage appends a whole message to dst, in one frame, masked if we are
// the client. The error is a [*CloseError] when no data may be sent any more,
// [ErrInvalidText], [ErrMessageOrder], [ErrMessageType], or that of the source
// of masking keys; dst is then returned as it was. payload is copied.
func (c *Conn) AppendMessage(dst []byte, typ MessageType, payload []byte) ([]byte, error) {
	switch {
	case c.state != Open: // the first thing to know, also inside a message
		return dst, c.CloseError()
	case c.out.open:
		return dst, ErrMessageOrder
	case typ == Text && !utf8.Valid(payload):
		return dst, ErrInvalidText
	}
	return c.AppendFragment(dst, typ, true, payload)
}

// AppendFragment appends one frame of a fragmented message to dst (RFC 6455,
// section 5.4); fin ends the message. typ is that of the whole message in each
// of its fragments, anything else is [ErrMessageOrder]. That a text message is
// UTF-8 as a whole is left to the caller, for a fragment may end inside a
// character. Other errors are those of [Conn.AppendMessage].
func (c *Conn) AppendFragment(dst []byte, typ MessageType, fin bool, payload []byte) ([]byte, error) {
	payload, err := c.EncodePayload(typ, fin, payload)
	if err != nil {
		return dst, err
	}
	return c.appendFrame(dst, typ, fin, payload)
}

func (c *Conn) appendFrame(dst []byte, typ MessageType, fin bool, payload []byte) ([]byte, error) {
	h, err := c.BeginFrame(typ, fin, len(payload))
	if err != nil {
		return dst, err
	}
	c.FrameSent()
	return appendMasked(AppendHeader(dst, h), h, payload), nil
}

// BeginFrame returns the header of the next data frame, of length bytes, for a
// caller that encodes and masks the payload itself (see [AppendHeader] and
// [Mask]); it must then send the frame, or take it back with [Conn.UndoFrame].
// length is in bytes and not negative. If there are extensions, the payload is
// what [Conn.EncodePayload] has returned just before.
func (c *Conn) BeginFrame(typ MessageType, fin bool, length int) (Header, error) {
	if err := c.checkFrame(typ); err != nil {
		return Header{}, err
	}
	h := Header{Fin: fin, Opcode: Opcode(typ), Length: int64(length)}
	if c.out.open {
		h.Opcode = OpContinuation
	} else {
		h.RSV = c.out.encodedBits()
	}
	if err := c.maskHeader(&h); err != nil {
		c.undoPayload()
		return Header{}, err
	}
	c.out.open, c.out.typ = !fin, typ
	return h, nil
}

// checkFrame reports why no frame of a message of this type can be sent now.
func (c *Conn) checkFrame(typ MessageType) error {
	switch {
	case c.state != Open:
		return c.CloseError()
	case typ != Text && typ != Binary:
		return ErrMessageType
	case c.out.open && typ != c.out.typ: // the caller mixes up two messages
		return ErrMessageOrder
	}
	return nil
}

// UndoFrame takes back the last call of [Conn.BeginFrame], which returned h,
// for a caller that sent nothing of the frame and will not.
func (c *Conn) UndoFrame(h Header) {
	c.out.open = h.Opcode == OpContinuation // as it was before the frame
	c.undoPayload()
}

// appendMasked appends the payload, masked if the header says so.
func appendMasked(dst []byte, h Header, payload []byte) []byte {
	if h.Masked {
		return AppendMasked(dst, payload, h.Mask, 0)
	}
	return append(dst, payload...)
}

// maskHeader gives a client's frame its own masking key (section 5.3).
func (c *Conn) maskHeader(h *Header) (err error) {
	if c.role == Client {
		h.Masked = true
		h.Mask, err = c.randomKey()
	}
	return err
}

func (c *Conn) randomKey() (key [4]byte, err error) {
	_, err = io.ReadFull(c.maskKeys, c.out.key[:])
	if err != nil {
		return key, fmt.Errorf("websocket: no masking key: %w", err)
	}
	return c.out.key, nil
}

// maxPongs bounds a pongQueue; beyond it only the newest pong is owed, as
// RFC 6455, section 5.5.3, allows. The queue then holds at most
// maxPongs*(1+MaxControlPayload) = 8064 bytes.
const maxPongs = 64

// A pongQueue holds the payloads of pongs that are owed, in order, each after
// a byte with its length.
type pongQueue struct {
	n     int
	buf   []byte
	short [shortPongs]byte // memory for the usual payloads
}

// shortPongs is enough for two pongs of keepalive's size, and for one of most
// peers'.
const shortPongs = 2 * (1 + PingSize)

func (q *pongQueue) empty() bool { return q.n == 0 }

func (q *pongQueue) owe(payload []byte) {
	if q.n == maxPongs {
		q.clear()
	}
	if q.buf == nil {
		q.buf = q.short[:0]
	}
	q.buf = append(append(q.buf, byte(len(payload))), payload...)
	q.n++
}

func (q *pongQueue) clear() {
	q.n = 0
	if cap(q.buf) > maxIdlePongs {
		q.buf = nil
	}
	q.buf = q.buf[:0]
}

// maxIdlePongs is how much memory in bytes an empty queue keeps.
const maxIdlePongs = 2 * (1 + MaxControlPayload)
