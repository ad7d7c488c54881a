package protocol

import (
	"math"
	"time"
	"unicode/utf8"
)

// An EventKind says what [Conn.Next] returned.
type EventKind uint8

// The kinds of events.
const (
	// EventNone: nothing more until more is received.
	EventNone EventKind = iota

	// EventMessage: a whole message, of Type and with Data.
	EventMessage

	// EventChunk: the next piece of a message while streaming.
	EventChunk

	// EventPing: the peer sent a ping with Data; its pong is owed already.
	EventPing

	// EventPong: the peer sent a pong with Data; see [Conn.Settled].
	EventPong

	// EventClose: the peer sent a close frame, see [Conn.CloseReceived]; the
	// echo is owed already unless our own close frame came first.
	EventClose

	// EventViolation: the peer broke the protocol, see [Conn.Violation].
	// Nothing more will be received. The caller answers with
	// [Conn.FailViolation], at once unless it still has messages to answer.
	EventViolation
)

// An Event is something that the peer sent.
type Event struct {
	Kind EventKind
	Type MessageType // of a message or chunk

	// First and Last mark the chunks that begin and end a message, FrameEnd
	// one that ends a frame of it. A chunk may be empty.
	First, Last, FrameEnd bool

	// Owned reports that Data is memory of its own, or that given to
	// [Conn.AssembleInto], and the caller's to keep. Otherwise Data lies in
	// what was given to [Conn.Received] and is valid, and the caller's to
	// change, until the next call of Next.
	Owned bool

	Data []byte
}

// inbound is the receiving half of a connection.
type inbound struct {
	now   time.Time // when data arrived
	data  []byte    // received and not yet looked at; the caller's memory
	stash []byte    // the beginning of a header or control frame, cut off by the end of data

	// The data frame whose payload is being received.
	inFrame bool
	fin     bool
	left    int64 // bytes of payload still to come
	masked  bool
	mask    [4]byte
	offset  int // in the payload, modulo 4, of the next byte

	// The message that the frame is part of.
	open      bool // begun and not ended
	typ       MessageType
	size      int64 // bytes of payload that its headers have announced
	text      utf8Validator
	streaming bool // hand out chunks
	announced bool // the chunk with First was handed out
	into      bool // buf begins with the caller's memory
	base      int  // where in buf the message begins
	buf       []byte

	maxMessage int64
	violation  error // how the peer broke the protocol
	reported   bool  // as an event
	stopped    bool  // look at nothing more
}

// stop has everything ignored that the peer sent and will send.
func (in *inbound) stop() {
	in.stopped = true
	in.data, in.stash = nil, nil
	in.buf, in.base, in.into = nil, 0, false
}

// Window returns where the next bytes from the transport belong: free space
// for the payload of a large message, nil when the next bytes are to be given
// to [Conn.Received] as data. It never makes room for more than a few times
// of what has arrived, whatever a header announces.
func (c *Conn) Window() []byte {
	in := &c.in
	if !in.inFrame || in.left == 0 || in.streaming || in.stopped || len(in.data) > 0 {
		return nil
	}
	if len(in.buf) == cap(in.buf) {
		if len(in.buf)-in.base < minWindow {
			return nil
		}
		in.grow(0)
	}
	room := int64(cap(in.buf) - len(in.buf))
	return in.buf[len(in.buf) : len(in.buf)+int(min(room, in.left))]
}

// minWindow is how many bytes of a message must have arrived before memory is
// set aside for the rest.
const minWindow = 1024

// Received tells what came from the transport and when: n bytes were put into
// the beginning of [Conn.Window], and data follow them. The Conn keeps data,
// and may change it, until [Conn.Next] returns [EventNone]; everything of the
// call before must have been used up in that way.
func (c *Conn) Received(now time.Time, n int, data []byte) {
	in := &c.in
	in.now = now
	if in.stopped || in.violation != nil {
		return
	}
	if n > 0 {
		at := len(in.buf)
		in.buf = in.buf[:at+n]
		in.take(in.buf[at:])
	}
	in.data = data
}

// Buffered reports whether what was received and not yet returned by Next
// holds a whole frame, the rest of one, or a malformed header.
func (c *Conn) Buffered() bool {
	in := &c.in
	if in.stopped || in.violation != nil {
		return false
	}
	if in.inFrame {
		return int64(len(in.data)) >= in.left
	}
	h, size, err := ParseHeader(in.head())
	held := len(in.stash) + len(in.data)
	return err != nil || size > 0 && int64(held-size) >= h.Length
}

// Streaming has messages handed out in chunks, as they arrive, from the one in
// progress on; what has arrived of it comes in the first chunk. It is turned
// off between messages.
func (c *Conn) Streaming(on bool) { c.in.streaming = on }

// AssembleInto has the message in progress, or else the next, appended to dst,
// which then is the event's Data. It holds for one message.
func (c *Conn) AssembleInto(dst []byte) {
	in := &c.in
	base := len(dst)
	in.buf = append(dst, in.buf[in.base:]...)
	in.into, in.base = true, base
}

// Detach takes back [Conn.AssembleInto]: what has arrived of the message in
// progress moves out of the caller's memory.
func (c *Conn) Detach() {
	in := &c.in
	if in.into {
		in.buf = append([]byte(nil), in.buf[in.base:]...)
		in.into, in.base = false, 0
	}
}

// Violation returns how the peer broke the protocol, a [*ViolationError], or
// nil.
func (c *Conn) Violation() error { return c.in.violation }

// Settled returns the pings that the last [EventPong] settled, oldest first;
// none when it was a duplicate or a stranger (RFC 6455, section 5.5.3). The
// slice is valid until the next call of Next.
func (c *Conn) Settled() []Settled { return c.pings.settled }

// Next returns the next event of what was received, and [EventNone] when there
// is none.
func (c *Conn) Next() Event {
	in := &c.in
	for !in.stopped && in.violation == nil {
		var ev Event
		switch {
		case in.streaming && in.open && !in.announced:
			ev = in.announce()
		case in.inFrame:
			ev = in.payload()
		default:
			ev = c.frame()
		}
		if ev.Kind != EventNone {
			return ev
		}
		if !in.inFrame && len(in.data) == 0 || in.inFrame && in.left > 0 {
			break
		}
	}
	in.data = nil // all was used; do not hold on to the caller's buffer
	if in.violation != nil && !in.reported && !in.stopped {
		in.reported = true
		return Event{Kind: EventViolation}
	}
	return Event{}
}

// frame reads a frame's header, and all of a control frame. If not everything
// has arrived that this takes, what has is kept.
func (c *Conn) frame() Event {
	in := &c.in
	b := in.head()
	h, size, err := c.header(b)
	if err != nil {
		in.violation = c.firstViolation(b)
		return Event{}
	}
	if size == 0 || h.Opcode.IsControl() && len(b)-size < int(h.Length) {
		in.keep(b)
		return Event{}
	}
	if h.Opcode.IsControl() {
		payload := b[size : size+int(h.Length)]
		in.consume(size + int(h.Length))
		if h.Masked {
			Mask(payload, payload, h.Mask, 0)
		}
		return c.control(h.Opcode, payload)
	}
	in.consume(size)
	return in.begin(h)
}

// header parses and checks the header that b begins with.
func (c *Conn) header(b []byte) (h Header, size int, err error) {
	h, size, err = ParseHeader(b)
	if err == nil {
		err = c.check(b, h, size)
	}
	return h, size, err
}

// firstViolation reports what the first byte shows that is wrong in the header
// at the beginning of b. A header may break several rules; which one we tell
// the peer must not depend on how the network cut its bytes.
func (c *Conn) firstViolation(b []byte) error {
	n := 1
	_, _, err := c.header(b[:n])
	for err == nil {
		n++
		_, _, err = c.header(b[:n])
	}
	return err
}

// head returns the bytes that the next frame begins with: the data, or what
// was kept of earlier data and as much more as a header or control frame may
// need.
func (in *inbound) head() []byte {
	if len(in.stash) == 0 {
		return in.data
	}
	n := min(len(in.data), cap(in.stash)-len(in.stash))
	return append(in.stash, in.data[:n]...)
}

// keep stashes b, the beginning of a frame; no data are left behind it.
func (in *inbound) keep(b []byte) {
	if len(b) == 0 { // the end of most reads: no frame was cut
		return
	}
	if in.stash == nil {
		in.stash = make([]byte, 0, MaxHeaderSize+MaxControlPayload)
	}
	in.stash = append(in.stash[:0], b...)
	in.data = nil
}

// consume passes over the first n bytes of head.
func (in *inbound) consume(n int) {
	in.data = in.data[n-len(in.stash):]
	in.stash = in.stash[:0]
}

// check reports what is wrong with a header in this place. The reserved bits
// are checked as soon as there is one byte, the mask bit with two.
func (c *Conn) check(b []byte, h Header, size int) error {
	if h.RSV != 0 {
		return violation(ProtocolError, "5.2", "reserved bits %03b", h.RSV>>4)
	}
	if len(b) >= 2 {
		if masked := b[1]&maskBit != 0; masked && c.role == Client {
			return violation(ProtocolError, "5.1", "masked frame from the server")
		} else if !masked && c.role == Server {
			return violation(ProtocolError, "5.1", "unmasked frame from the client")
		}
	}
	if len(b) == 0 || h.Opcode.IsControl() {
		return nil
	}
	if h.Opcode == OpContinuation && !c.in.open {
		return violation(ProtocolError, "5.4", "continuation frame with nothing to continue")
	}
	if h.Opcode != OpContinuation && c.in.open {
		return violation(ProtocolError, "5.4", "%v frame inside a fragmented message", h.Opcode)
	}
	if size == 0 {
		return nil
	}
	return c.in.checkSize(h.Length)
}

// checkSize reports whether a frame of n bytes makes the message too big.
func (in *inbound) checkSize(n int64) error {
	limit := int64(math.MaxInt / 2) // what a slice may hold on any machine
	if in.maxMessage >= 0 {
		limit = min(limit, in.maxMessage)
	}
	size := int64(0)
	if in.open {
		size = in.size
	}
	if n > limit-size {
		return violation(MessageTooBig, "7.4.1", "message of more than %d bytes", limit)
	}
	return nil
}

// control handles a control frame, which may come between the frames of a
// message (section 5.5).
func (c *Conn) control(op Opcode, payload []byte) Event {
	switch op {
	case OpPing:
		c.out.pongs.owe(payload)
		return Event{Kind: EventPing, Data: payload}
	case OpPong:
		c.pings.pong(c.in.now, payload)
		return Event{Kind: EventPong, Data: payload}
	}
	frame, err := parseClose(payload)
	if err != nil {
		c.in.violation = err
		return Event{}
	}
	c.closeReceived(frame)
	return Event{Kind: EventClose}
}

// begin starts with the payload of a data frame. A message that has arrived
// whole in one frame is returned as it lies there.
func (in *inbound) begin(h Header) Event {
	if !in.open {
		in.typ, in.size = MessageType(h.Opcode), 0
		in.text.reset()
		in.announced = false
		if h.Fin && int64(len(in.data)) >= h.Length && !in.streaming {
			return in.whole(h)
		}
	}
	in.open = true
	in.inFrame = true
	in.fin, in.left = h.Fin, h.Length
	in.masked, in.mask, in.offset = h.Masked, h.Mask, 0
	in.size += h.Length
	return in.payload()
}

// whole returns a message that consists of one frame and has arrived.
func (in *inbound) whole(h Header) Event {
	payload := in.data[:h.Length]
	in.data = in.data[h.Length:]
	if h.Masked {
		Mask(payload, payload, h.Mask, 0)
	}
	if in.typ == Text && !utf8.Valid(payload) {
		in.violation = errInvalidUTF8()
		return Event{}
	}
	if in.into {
		in.buf = append(in.buf, payload...)
		return in.assembled()
	}
	return Event{Kind: EventMessage, Type: in.typ, Data: payload}
}

// payload moves on in the payload of the current data frame.
func (in *inbound) payload() Event {
	chunk := in.data[:min(in.left, int64(len(in.data)))]
	in.data = in.data[len(chunk):]
	if !in.take(chunk) {
		return Event{}
	}
	if in.streaming {
		return in.chunk(chunk)
	}
	if len(chunk) > 0 {
		in.grow(len(chunk))
		in.buf = append(in.buf, chunk...)
	}
	if !in.endFrame() {
		return Event{}
	}
	return in.assembled()
}

// take unmasks and checks bytes of the payload that have arrived.
func (in *inbound) take(p []byte) (ok bool) {
	if in.masked {
		Mask(p, p, in.mask, in.offset)
	}
	in.offset = (in.offset + len(p)) & 3
	in.left -= int64(len(p))
	if in.typ != Text {
		return true
	}
	ended := in.left == 0 && in.fin
	if !in.text.write(p) || ended && !in.text.complete() {
		in.violation = errInvalidUTF8()
		return false
	}
	return true
}

func errInvalidUTF8() error {
	return violation(InvalidPayloadData, "8.1", "text message that is not UTF-8")
}

// announce returns the first chunk of a message of which some was assembled
// before streaming began.
func (in *inbound) announce() Event {
	ev := Event{Kind: EventChunk, Type: in.typ, First: true, Owned: true, Data: in.buf[in.base:]}
	ev.FrameEnd = !in.inFrame
	in.buf, in.base, in.into = nil, 0, false
	in.announced = true
	return ev
}

// chunk returns a piece of the message.
func (in *inbound) chunk(p []byte) Event {
	ev := Event{Type: in.typ, First: !in.announced, Data: p}
	ev.FrameEnd = in.left == 0
	ev.Last = in.endFrame()
	if len(ev.Data) > 0 || ev.First || ev.FrameEnd {
		ev.Kind = EventChunk
		in.announced = true
	}
	return ev
}

// endFrame ends the frame if all of its payload has come, and reports whether
// it ended the message.
func (in *inbound) endFrame() (last bool) {
	if in.left > 0 {
		return false
	}
	in.inFrame = false
	in.open = !in.fin
	return in.fin
}

// assembled returns the message that was put together in buf.
func (in *inbound) assembled() Event {
	ev := Event{Kind: EventMessage, Type: in.typ, Owned: true, Data: in.buf}
	in.buf, in.base, in.into = nil, 0, false
	return ev
}

// growth bounds how much more memory than has arrived is set aside for a
// message: its size is only what the peer claims.
const growth = 4

// grow makes room in buf for n bytes that have arrived and, within bounds, for
// the rest of the frame.
func (in *inbound) grow(n int) {
	need := len(in.buf) + n
	if n > 0 && need <= cap(in.buf) {
		return
	}
	rest := int64(need) + in.left
	if !in.fin { // more frames will come: allocate seldom
		rest = max(rest, 2*int64(cap(in.buf)))
	}
	arrived := int64(need - in.base)
	room := make([]byte, len(in.buf), int(min(rest, int64(in.base)+growth*arrived)))
	copy(room, in.buf)
	in.buf = room
}
