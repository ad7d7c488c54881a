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
	size, length := c.shortHeader(in.data)
	if size == 0 {
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

// AppendReceived does what [Conn.Received] and [Conn.Next] do, and appends the
// message to dst, for most of what comes: data that begin with a message in one
// frame, when nothing of what came before is left to look at. rest is what follows
// it, for Received. If it is not like that typ is 0, nothing was done, though what
// lies behind the length of dst may have changed, and all of the data are for
// Received.
//
// The data may lie in the room behind the length of dst if [Conn.ReceivedAlone].
func (c *Conn) AppendReceived(dst, data []byte) (typ MessageType, appended, rest []byte) {
	if len(c.in.data) > 0 {
		return 0, dst, data
	}
	return c.appendShort(dst, data)
}

// AppendUnread is AppendReceived for what was given to Received and is still to be
// looked at. If dst has no room for the message, it is not taken.
func (c *Conn) AppendUnread(dst []byte) (typ MessageType, appended []byte) {
	in := &c.in
	if len(in.data) > cap(dst)-len(dst) && c.ReceivedSize(in.data) > cap(dst)-len(dst) {
		return 0, dst
	}
	typ, appended, in.data = c.appendShort(dst, in.data)
	return typ, appended
}

// appendShort takes a message that the data begin with.
func (c *Conn) appendShort(dst, data []byte) (typ MessageType, appended, rest []byte) {
	if !c.takesShort() {
		return 0, dst, data
	}
	return c.essence().AppendReceived(dst, data)
}

// AppendReceived is [Conn.AppendReceived].
func (e Essence) AppendReceived(dst, data []byte) (typ MessageType, appended, rest []byte) {
	size, length := e.header(data)
	if size == 0 {
		return 0, dst, data
	}
	typ = MessageType(data[0] & opcodeBits)
	payload, rest := data[size:size+length], data[size+length:]
	switch {
	case e.Role == Client:
		appended = append(dst, payload...)
	case length > cap(dst)-len(dst):
		appended = AppendMasked(dst, payload, [4]byte(data[size-4:]), 0)
	default: // with less of the stack
		appended = dst[:len(dst)+length]
		Mask(appended[len(dst):], payload, [4]byte(data[size-4:]), 0)
	}
	if typ == Text && !utf8.Valid(appended[len(dst):]) {
		return 0, dst, data
	}
	return typ, appended, rest
}

// ReceivedSize returns the length in bytes of the payload that AppendReceived
// would append, unless it is text and no UTF-8; 0 if there is none.
func (c *Conn) ReceivedSize(data []byte) int {
	_, length := c.shortHeader(data)
	return length
}

// ReceivedAlone reports that the data are one message of binary data that
// AppendReceived would append, and nothing else.
func (c *Conn) ReceivedAlone(data []byte) bool {
	size, length := c.shortHeader(data)
	return size > 0 && size+length == len(data) && data[0]&opcodeBits == byte(OpBinary)
}

// shortHeader returns the size of the header that b begins with, and the length
// of the payload behind it; size is 0 if that is not all of a whole message that
// nothing has changed, that has less than 64 KiB, and that may come now.
func (c *Conn) shortHeader(b []byte) (size, length int) {
	if !c.takesShort() {
		return 0, 0
	}
	return c.essence().header(b)
}

// takesShort reports that a simple message may come now.
func (c *Conn) takesShort() bool {
	in := &c.in
	return in.simple && !in.open && !in.streaming && !in.stopped && len(in.stash) == 0 && in.violation == nil
}

// essence returns what a message that may come now is measured by.
func (c *Conn) essence() Essence { return Essence{c.role, c.in.maxMessage} }

// An Essence is all that is to be known of a [Conn] that has nothing under way, to
// receive a simple message or send one: a driver of very many has it at hand, and
// need not touch a Conn, which with many is in no cache of the processor's when its
// next message comes. See [Conn.Essence].
type Essence struct {
	Role           Role
	MaxMessageSize int64 // negative: no limit
}

// Essence returns what stands for the connection as long as ok, that is, until
// anything is done with it but by way of the Essence: it is [Conn.Idle], and all of
// its extensions leave messages alone that have no reserved bits.
func (c *Conn) Essence() (e Essence, ok bool) {
	return c.essence(), c.Idle() && c.in.simple && !c.out.unsettled
}

// Short returns what the next message is measured by; ok is false if nothing that
// comes now is for [Essence.AppendReceived].
func (c *Conn) Short() (e Essence, ok bool) {
	return c.essence(), len(c.in.data) == 0 && c.takesShort()
}

// ReceivedSize is [Conn.ReceivedSize].
func (e Essence) ReceivedSize(data []byte) int {
	_, length := e.header(data)
	return length
}

// ReceivedAlone is [Conn.ReceivedAlone].
func (e Essence) ReceivedAlone(data []byte) bool {
	size, length := e.header(data)
	return size > 0 && size+length == len(data) && data[0]&opcodeBits == byte(OpBinary)
}

// AppendPlainHeader is [Conn.AppendPlainHeader], for a server with these extensions.
func (e Essence) AppendPlainHeader(dst []byte, typ MessageType, length int, extensions []Extension, wanted Compression) (_ []byte, plain bool) {
	if typ != Text && typ != Binary || len(extensions) > 0 && !leftAlone(extensions, length, wanted) {
		return dst, false
	}
	return appendPlainHeader(dst, typ, length), true
}

func (e Essence) header(b []byte) (size, length int) {
	if len(b) < 2 || b[0] != finBit|byte(OpText) && b[0] != finBit|byte(OpBinary) || b[1]&maskBit != 0 != (e.Role == Server) {
		return 0, 0
	}
	size, length = 2, int(b[1]&lengthBits)
	if length >= length16 {
		if length > length16 || len(b) < 4 {
			return 0, 0
		}
		size, length = 4, int(binary.BigEndian.Uint16(b[2:]))
		if length < length16 {
			return 0, 0
		}
	}
	if e.Role == Server {
		size += 4
	}
	if len(b) < size+length || e.MaxMessageSize >= 0 && int64(length) > e.MaxMessageSize {
		return 0, 0
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
	if c.role == Server {
		dst, plain = c.AppendPlainHeader(dst, typ, len(payload), wanted)
		if plain {
			dst = append(dst, payload...)
		}
		return dst, plain
	}
	if !c.isPlain(len(payload), wanted) {
		return dst, false
	}
	dst, err := c.appendFrame(dst, typ, true, payload)
	return dst, err == nil
}

// AppendPlainHeader is AppendPlain of a server that writes the payload, of length
// bytes, from where it lies: it appends the header alone. There is nothing to take
// back if the message is not sent.
func (c *Conn) AppendPlainHeader(dst []byte, typ MessageType, length int, wanted Compression) (_ []byte, plain bool) {
	if c.checkFrame(typ) != nil || !c.isPlain(length, wanted) {
		return dst, false
	}
	return appendPlainHeader(dst, typ, length), true
}

func appendPlainHeader(dst []byte, typ MessageType, length int) []byte {
	switch {
	case length < length16:
		return append(dst, finBit|byte(typ), byte(length))
	case length <= 0xffff:
		return append(dst, finBit|byte(typ), length16, byte(length>>8), byte(length))
	}
	return AppendHeader(dst, Header{Fin: true, Opcode: Opcode(typ), Length: int64(length)})
}

// isPlain reports whether the next frame is certain to be a message of n bytes as
// it is.
func (c *Conn) isPlain(n int, wanted Compression) bool {
	if c.out.open || len(c.extensions) > 0 && !leftAlone(c.extensions, n, wanted) {
		return false
	}
	c.FrameSent()
	return true
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
