package protocol

import (
	"errors"
	"math"
)

// allowedBits returns the reserved bits that the extensions give a meaning to
// in this place: in the first frame of a message (RFC 6455, section 5.2).
func (c *Conn) allowedBits(op Opcode) RSV {
	if op.IsControl() || op == OpContinuation {
		return 0
	}
	return c.rsv
}

// isChanged reports whether extensions have changed the message that begins
// with h.
func (c *Conn) isChanged(h *Header) bool {
	for _, ext := range c.extensions {
		if applies(ext, h.RSV) {
			return true
		}
	}
	return false
}

// DecodesNext reports whether what was received goes on with a message that
// extensions have changed, so that the next call of [Conn.Next] may take more of
// the stack.
func (c *Conn) DecodesNext() bool {
	in := &c.in
	switch {
	case len(c.extensions) == 0 || len(in.data) == 0:
		return false
	case in.open:
		return in.changed
	}
	first := in.data[0]
	if len(in.stash) > 0 {
		first = in.stash[0]
	}
	return !in.simple || first&byte(rsvBits) != 0
}

// applies reports whether an extension has changed a message with these bits.
func applies(ext Extension, bits RSV) bool {
	own := ext.RSV()
	return own == 0 || own&bits != 0
}

// encodedLimit is how many bytes of payload are accepted for a message of at
// most limit bytes that extensions have changed. Compression may make it
// longer, each of its fragments above all; but nobody needs to send for ever
// what comes to nothing.
func encodedLimit(limit int64) int64 {
	return min(limit, math.MaxInt/16)*8 + 1024
}

// streamPiece bounds the bytes that are decoded at once while streaming: what
// they become is held in memory, and may be a thousand times as much.
const streamPiece = 2 << 10

// changedPayload moves on in the payload of a frame of a changed message.
func (c *Conn) changedPayload() {
	in := &c.in
	n := min(in.left, int64(len(in.data)))
	if in.streaming {
		n = min(n, streamPiece)
	}
	piece := in.data[:n]
	in.data = in.data[n:]
	in.unmask(piece)
	if in.streaming {
		in.decoded.buf = c.decode(in.beginDecoded(), piece, in.atEnd())
		if in.checkDecoded(in.decoded.buf) {
			in.chunk(in.decoded.buf)
		}
		return
	}
	before := in.buf
	in.buf = c.decode(before, piece, in.atEnd())
	if cap(in.buf) > cap(before) && !in.into {
		takeBack(before) // which was too small
	}
	if in.checkDecoded(in.buf[len(before):]) && in.endFrame() {
		in.assembled()
	}
}

// checkDecoded checks what was decoded of a message. If there is a violation
// behind it, what is wrong with the text came first.
func (in *inbound) checkDecoded(p []byte) (ok bool) {
	if in.violation == nil {
		return in.check(p)
	}
	if in.typ == Text && !in.text.Write(p) {
		in.violation = invalidText.violation()
	}
	return false
}

// decode appends what the extensions make of a piece of the message, the last
// one first. The limit is for what comes out in the end.
func (c *Conn) decode(dst, piece []byte, last bool) []byte {
	in := &c.in
	left := 0
	for _, ext := range c.extensions {
		if applies(ext, in.bits) {
			left++
		}
	}
	for i := len(c.extensions) - 1; i >= 0; i-- {
		ext := c.extensions[i]
		if !applies(ext, in.bits) {
			continue
		}
		if left--; left == 0 {
			at := len(dst)
			dst = c.decodeWith(ext, dst, piece, last, in.sizeLimit()-in.made)
			in.made += int64(len(dst) - at)
			return dst
		}
		if piece = c.decodeWith(ext, nil, piece, last, encodedLimit(in.sizeLimit())); in.violation != nil {
			return dst
		}
	}
	return dst
}

// decodeWith has an extension decode a piece, and notes what is wrong with it.
// An extension is somebody else's code: that it keeps to its room is checked,
// and whatever it returns with an error, what was in dst stays.
func (c *Conn) decodeWith(ext Extension, dst, piece []byte, last bool, room int64) []byte {
	if room < 0 { // the limit was lowered since
		c.in.violation = tooBigMessage.violation(c.in.sizeLimit())
		return dst
	}
	at := len(dst)
	decoded, err := ext.Decode(dst, piece, last, int(room))
	if end := at + int(room); err == nil && len(decoded) > end {
		decoded, err = decoded[:end], ErrMessageTooBig
	}
	if err != nil {
		c.in.violation = c.in.undecodable(ext, err)
	}
	if len(decoded) < at {
		return dst
	}
	return decoded
}

// undecodable says how the peer broke the protocol, from an extension's error.
func (in *inbound) undecodable(ext Extension, err error) error {
	var violation *ViolationError
	switch {
	case errors.As(err, &violation):
		return violation
	case errors.Is(err, ErrMessageTooBig):
		return tooBigMessage.violation(in.sizeLimit())
	}
	return &ViolationError{ProtocolError, "9.2", ext.Name() + ": " + err.Error()}
}

// A scratch is memory that is used for one frame after another.
type scratch struct{ buf []byte }

// maxScratch is how much of it in bytes is kept.
const maxScratch = 64 << 10

func (s *scratch) begin() []byte {
	if cap(s.buf) > maxScratch {
		s.buf = nil
	}
	return s.buf[:0]
}

// beginDecoded begins the scratch of what is decoded. What is too much to be kept
// here is kept for messages.
func (in *inbound) beginDecoded() []byte {
	if cap(in.decoded.buf) > maxScratch {
		takeBack(in.decoded.buf)
	}
	return in.decoded.begin()
}
