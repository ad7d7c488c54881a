package protocol

// encoding is what extensions do with what is being sent.
type encoding struct {
	unsettled   bool        // the last frame of those that are used may be taken back
	compression Compression // what the sender of messages wants
	used        []Extension // that have changed the message, in their order
	scratch     [2]scratch  // where they encode to, in turns; the first is kept when idle
}

// Compress says whether the messages that begin from now on are to be
// compressed, for extensions that ask.
func (c *Conn) Compress(wanted Compression) { c.out.compression = wanted }

// EncodePayload has the extensions encode the payload of the next data frame,
// which [Conn.BeginFrame] is then to be called for; fin ends the message. What
// it returns is valid until the next call; it is payload itself if there is
// nothing to be done. Errors are those of BeginFrame and of the extensions.
func (c *Conn) EncodePayload(typ MessageType, fin bool, payload []byte) ([]byte, error) {
	c.FrameSent()
	if len(c.extensions) == 0 {
		return payload, nil
	}
	if err := c.checkFrame(typ); err != nil {
		return nil, err
	}
	frame := Fragment{Type: typ, First: !c.out.open, Last: fin, Compression: c.out.compression}
	if frame.First {
		return c.encodeFirst(frame, payload)
	}
	return c.encodeNext(frame, payload)
}

// encodeFirst encodes the first frame of a message with those extensions that
// want to change it.
func (c *Conn) encodeFirst(frame Fragment, payload []byte) ([]byte, error) {
	out := &c.out
	out.used = out.used[:0]
	for _, ext := range c.extensions {
		room := out.room(len(out.used))
		encoded, used, err := ext.Encode(room.begin(), payload, frame)
		if err != nil {
			c.undoPayload()
			return nil, err
		}
		if used {
			room.buf, payload = encoded, encoded
			out.used = append(out.used, ext)
			out.unsettled = true
		} else if _, ours := ext.(*deflate); ours {
			room.buf = encoded // with what it has tried in vain; others may return anything
		}
	}
	return payload, nil
}

// encodeNext encodes a later frame with the same extensions.
func (c *Conn) encodeNext(frame Fragment, payload []byte) ([]byte, error) {
	out := &c.out
	for i, ext := range out.used {
		room := out.room(i)
		encoded, _, err := ext.Encode(room.begin(), payload, frame)
		if err != nil {
			for _, before := range out.used[:i] {
				before.Sent(false)
			}
			out.unsettled = false
			return nil, err
		}
		room.buf, payload = encoded, encoded
		out.unsettled = true
	}
	return payload, nil
}

// room returns where the i-th of the extensions that change a message encodes to:
// not where the one before has.
func (e *encoding) room(i int) *scratch { return &e.scratch[i%len(e.scratch)] }

// encodedBits are the reserved bits of the first frame of the message.
func (e *encoding) encodedBits() (bits RSV) {
	if e.unsettled {
		bits = rsvOf(e.used)
	}
	return bits
}

// FrameSent tells that the last frame will not be taken back. Sending the next
// one tells it too; an idle connection may need less memory once it is told.
func (c *Conn) FrameSent() { c.settle(true) }

func (c *Conn) undoPayload() { c.settle(false) }

func (c *Conn) settle(sent bool) {
	if !c.out.unsettled {
		return
	}
	c.out.unsettled = false
	for _, ext := range c.out.used {
		ext.Sent(sent)
	}
}
