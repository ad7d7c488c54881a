package protocol

import "unicode/utf8"

// Most messages are one frame, have arrived, and come when nothing else is
// under way. step sees to them as to all others, by a way that is several times
// as long; and between two messages a server does so much else that hardly
// anything of that way is left in the processor's caches. Here is the short
// one. Whatever is not that simple, or not right, is left to step.

// short returns such a message, if the data begin with one.
func (c *Conn) short() (ok bool) {
	in := &c.in
	size, length := c.essence().Measure(in.data)
	if size == 0 || !c.takesShort() {
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

// EssenceOfNext returns what the next message that comes may be received by in place
// of [Conn.Received] and [Conn.Next]; ok is false if it may not, for something of what
// came before is left to look at, or under way.
func (c *Conn) EssenceOfNext() (e Essence, ok bool) {
	return c.essence(), len(c.in.data) == 0 && c.takesShort()
}

// AppendUnread is [Essence.AppendReceived] for what was given to Received and is still
// to be looked at. If dst has no room for the message, it is not taken.
func (c *Conn) AppendUnread(dst []byte) (typ MessageType, appended []byte) {
	in, e := &c.in, c.essence()
	header, length := e.Measure(in.data)
	if header == 0 || !c.takesShort() || length > cap(dst)-len(dst) {
		return 0, dst
	}
	typ, appended, in.data = e.AppendMeasured(dst, in.data, header, length)
	return typ, appended
}

// takesShort reports that a simple message may come now.
func (c *Conn) takesShort() bool {
	in := &c.in
	return in.simple && !in.open && !in.streaming && !in.stopped && len(in.stash) == 0 && in.violation == nil
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
