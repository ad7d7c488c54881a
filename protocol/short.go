package protocol

import (
	"encoding/binary"
	"unicode/utf8"
)

// Most messages are one frame, have arrived, and come when nothing else is
// under way. step sees to them as to all others, by a way that is several times
// as long; and between two messages a server does so much else that hardly
// anything of that way is left in the processor's caches. Here is the short
// one. Whatever is not that simple, or not right, is left to step.

// short returns such a message, if the data begin with one.
func (c *Conn) short() (ok bool) {
	in := &c.in
	if in.open || in.streaming || in.stopped || len(in.stash) > 0 || in.violation != nil {
		return false
	}
	size, length := c.shortHeader()
	if size == 0 || len(in.data) < size+length || int64(length) > in.sizeLimit() {
		return false
	}
	payload := in.data[size : size+length : size+length]
	if c.role == Server {
		Mask(payload, payload, [4]byte(in.data[size-4:]), 0)
	}
	ev := &in.event
	ev.Type = MessageType(in.data[0] & opcodeBits)
	in.data = in.data[size+length:]
	if ev.Type == Text && !utf8.Valid(payload) {
		ev.Type, in.violation = 0, invalidText.violation()
		return false
	}
	ev.Kind, ev.Data = EventMessage, payload
	return true
}

// shortHeader returns the size of the header that the data begin with, and the
// length of the payload; size is 0 if it is not all of the header of a whole
// message that nothing has changed and that has less than 64 KiB.
func (c *Conn) shortHeader() (size, length int) {
	b := c.in.data
	if len(b) < 4 || !c.in.simple ||
		b[0] != finBit|byte(OpText) && b[0] != finBit|byte(OpBinary) || b[1]&maskBit != 0 != (c.role == Server) {
		return 0, 0
	}
	size, length = 2, int(b[1]&lengthBits)
	if length >= length16 {
		size, length = 4, int(binary.BigEndian.Uint16(b[2:]))
		if b[1]&lengthBits != length16 || length < length16 {
			return 0, 0
		}
	}
	if c.role == Server {
		size += 4
	}
	return size, length
}

// shortControl sees to a ping or pong, if the data begin with one. step would
// do, but a connection that is idle but for its pings is to get along with the
// stack that its goroutine began with.
func (c *Conn) shortControl() (ok bool) {
	in := &c.in
	b, size := in.data, 2
	if len(b) < 2 || b[0] != finBit|byte(OpPing) && b[0] != finBit|byte(OpPong) ||
		in.inFrame || in.streaming || in.stopped || len(in.stash) > 0 || in.violation != nil {
		return false
	}
	if in.frame.Masked = c.role == Server; in.frame.Masked {
		size += 4
	}
	end := size + int(b[1]&lengthBits)
	if end > size+MaxControlPayload || len(b) < end || b[1]&maskBit != 0 != in.frame.Masked {
		return false
	}
	in.frame.Opcode = Opcode(b[0] & opcodeBits)
	if in.frame.Masked {
		in.frame.Mask = [4]byte(b[2:])
	}
	in.data = b[end:]
	c.control(b[size:end:end])
	return in.violation == nil
}

// AppendPlain is [Conn.AppendMessage] for a message that no extension will
// change, of a sender that wants it to be compressed or not, and that is known
// to be UTF-8 if it is text. If it is not certain that none will, or there is an
// error, plain is false and nothing was appended.
func (c *Conn) AppendPlain(dst []byte, typ MessageType, payload []byte, wanted Compression) (_ []byte, plain bool) {
	if c.out.open || !leftAlone(c.extensions, len(payload), wanted) {
		return dst, false
	}
	c.FrameSent()
	dst, err := c.appendFrame(dst, typ, true, payload)
	return dst, err == nil
}

// leftAlone reports whether all of these extensions are known to leave a message
// of n bytes alone.
func leftAlone(extensions []Extension, n int, wanted Compression) bool {
	for _, ext := range extensions {
		d, ok := ext.(*deflate)
		if !ok || d.worthwhile(n, Fragment{Last: true, Compression: wanted}) {
			return false
		}
	}
	return true
}

// isSimple reports whether all extensions leave messages alone that have no
// reserved bits.
func (c *Conn) isSimple() bool {
	for _, ext := range c.extensions {
		if applies(ext, 0) {
			return false
		}
	}
	return true
}
