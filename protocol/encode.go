package protocol

// encoding is what extensions do with what is being sent.
type encoding struct {
	compression Compression // what the sender of messages wants
	used        []Extension // that have changed the message, in their order
	unsettled   bool        // their last frame may be taken back
	encoded     scratch     // its payload
	between     scratch     // and what it was between two extensions
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
	out := &c.out
	out.between, out.encoded = out.encoded, out.between // the one that is kept when idle comes first
	frame := Fragment{Type: typ, First: !out.open, Last: fin, Compression: out.compression}
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
		encoded, used, err := ext.Encode(out.into(), payload, frame)
		if err != nil {
			c.undoPayload()
			return nil, err
		}
		if used {
			payload = out.keep(encoded)
			out.used = append(out.used, ext)
			out.unsettled = true
		}
	}
	return payload, nil
}

// encodeNext encodes a later frame with the same extensions.
func (c *Conn) encodeNext(frame Fragment, payload []byte) ([]byte, error) {
	out := &c.out
	for i, ext := range out.used {
		encoded, _, err := ext.Encode(out.into(), payload, frame)
		if err != nil {
			for _, before := range out.used[:i] {
				before.Sent(false)
			}
			out.unsettled = false
			return nil, err
		}
		payload = out.keep(encoded)
		out.unsettled = true
	}
	return payload, nil
}

// into is where the next extension encodes to: not where the one before has.
func (e *encoding) into() []byte { return e.between.begin() }

func (e *encoding) keep(encoded []byte) []byte {
	e.between.buf = encoded
	e.between, e.encoded = e.encoded, e.between
	return encoded
}

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
