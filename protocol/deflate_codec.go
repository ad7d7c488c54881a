package protocol

import "fmt"

// direction is what was agreed for what one side sends.
type direction struct {
	bits     uint8 // the window has 2^bits bytes
	takeover bool  // messages may refer to those before
}

func (d direction) window() int { return 1 << d.bits }

// A deflate is permessage-deflate on one connection. Between messages it holds
// the histories of the directions with context takeover, and nothing else; it is
// kept small for those of very many connections.
type deflate struct {
	settings *Deflate
	in, out  direction
	undoable bool // the last frame may be taken back

	sent   *history // what our next message may refer to; nil: nothing
	before *history // the same before the last frame

	received *history  // what the peer's next message may refer to
	inflater *inflater // of the message that is being received
}

// A history is the end of what went one way, uncompressed.
type history struct {
	buf     []byte
	shared  bool // with other connections: it must not change; see deflate_shared.go
	joining bool // it is one connection's own and ends with a message that others got too
}

func (h *history) bytes() []byte {
	if h == nil {
		return nil
	}
	return h.buf
}

func (d *deflate) Name() string { return deflateName }

// RSV returns the bit that is set in the first frame of a compressed message
// (RFC 7692, section 6).
func (d *deflate) RSV() RSV { return RSV1 }

// Encode compresses a frame's payload.
func (d *deflate) Encode(dst, payload []byte, frame Fragment) ([]byte, bool, error) {
	d.Sent(true)
	if frame.First && !d.worthwhile(len(payload), frame) {
		return dst, false, nil
	}
	at := len(dst)
	encoded, err := d.compress(dst, d.sent.bytes(), payload)
	if err != nil {
		return dst, false, fmt.Errorf("websocket: compressing: %w", err)
	}
	if frame.Last { // RFC 7692, section 7.2.1
		encoded = encoded[:len(encoded)-len(flushTail)]
		if frame.First && frame.Compression == CompressAuto && len(encoded)-at >= len(payload) {
			return encoded[:at], false, nil // it became longer
		}
	}
	d.remember(payload, frame)
	return encoded, true, nil
}

// worthwhile reports whether a message of n bytes, or more if this is not all
// of it, is to be compressed.
func (d *deflate) worthwhile(n int, frame Fragment) bool {
	switch frame.Compression {
	case CompressOn:
		return true
	case CompressOff:
		return false
	}
	return !frame.Last || n >= d.settings.Threshold && n > 0
}

// compress appends the compressed payload, which may refer to the history, with
// the flush tail.
func (d *deflate) compress(dst, history, payload []byte) ([]byte, error) {
	switch {
	case len(payload) == 0: // an empty stored block (section 7.2.3.6)
		return append(append(dst, 0), flushTail...), nil
	case len(payload) < shortMessage:
		z, ok := d.settings.borrow(poolShort).(*shortDeflater)
		if !ok {
			z = new(shortDeflater)
		}
		dst = z.deflate(dst, history, payload, d.out.window())
		d.settings.giveBack(poolShort, z)
		return dst, nil
	}
	return d.compressLong(dst, history, payload)
}

func (d *deflate) compressLong(dst, history, payload []byte) (_ []byte, err error) {
	kind := longKind(int(d.out.bits), d.settings.Level)
	z, ok := d.settings.borrow(kind).(*longDeflater)
	if !ok {
		if z, err = newLongDeflater(int(d.out.bits), d.settings.Level); err != nil {
			return dst, err
		}
	}
	dst, err = z.deflate(dst, history, payload)
	if err == nil {
		d.settings.giveBack(kind, z)
	}
	return dst, err
}

// remember makes payload the end of the history, and keeps the one before it
// until it is known that the frame was sent.
func (d *deflate) remember(payload []byte, frame Fragment) {
	d.before, d.undoable = d.sent, true
	d.sent = nil
	if d.out.takeover || !frame.Last {
		d.sent = d.newHistory(d.out.bits)
		d.sent.set(d.before.bytes(), payload, d.out.window())
	}
}

// set makes h the last bytes, at most n, of what two pieces end with.
func (h *history) set(old, fresh []byte, n int) {
	fresh = fresh[max(0, len(fresh)-n):]
	old = old[max(0, len(old)+len(fresh)-n):]
	h.grow(len(old)+len(fresh), n)
	h.buf = append(append(h.buf[:0], old...), fresh...)
}

// grow makes room for need bytes, and within a window of n for more.
func (h *history) grow(need, n int) {
	if cap(h.buf) < need {
		h.buf = make([]byte, 0, min(2*need, n))
	}
}

// Sent takes back the last frame from the history, or lets go of what that
// would take.
func (d *deflate) Sent(sent bool) {
	if !d.undoable {
		return
	}
	if !sent {
		d.sent, d.before = d.before, d.sent
	}
	d.dropHistory(d.before, d.out.bits)
	d.before, d.undoable = nil, false
}

func (d *deflate) newHistory(bits uint8) *history {
	if h, ok := d.settings.borrow(poolHistory + int(bits)).(*history); ok {
		return h
	}
	return new(history)
}

func (d *deflate) dropHistory(h *history, bits uint8) {
	if h != nil && !h.shared {
		h.buf, h.joining = h.buf[:0], false
		d.settings.giveBack(poolHistory+int(bits), h)
	}
}

// Decode decompresses a piece of a message.
func (d *deflate) Decode(dst, piece []byte, last bool, room int) ([]byte, error) {
	if d.inflater == nil {
		d.beginMessage()
	}
	at := len(dst)
	dst, err := d.inflater.inflate(dst, piece, room)
	if err == nil && last {
		dst, err = d.inflater.end(dst, room-(len(dst)-at))
	}
	if err == nil && last {
		d.endMessage()
	}
	if err == errCorrupt || err == errTruncated {
		err = &ViolationError{ProtocolError, "7692, section 7.2.2", err.Error()}
	}
	return dst, err
}

func (d *deflate) beginMessage() {
	z, ok := d.settings.borrow(poolInflater).(*inflater)
	if !ok {
		z = new(inflater)
	}
	z.begin(d.received.bytes(), d.reach())
	d.inflater = z
}

// reach is how far back matches may refer. zlib, which most peers have, takes
// 9 for the 8 bits that it was told.
func (d *deflate) reach() int { return 1 << max(d.in.bits, minWindowBits+1) }

func (d *deflate) endMessage() {
	if d.in.takeover {
		if d.received == nil {
			d.received = new(history)
		}
		d.received.grow(min(d.inflater.filled, d.reach()), d.reach())
		d.received.buf = d.inflater.appendHistory(d.received.buf[:0], d.reach())
	}
	d.settings.giveBack(poolInflater, d.inflater)
	d.inflater = nil
}
