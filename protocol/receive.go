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

	// Owned reports that Data is memory of its own, or all of that given to
	// [Conn.AssembleInto], and the caller's to keep. Otherwise Data lies in
	// what was given to [Conn.Received], in [Conn.Window], or where an extension
	// has put it, and is valid, and the caller's to change, until the next call of
	// Next.
	Owned bool

	Data []byte
}

// inbound is the receiving half of a connection.
//
// What is being looked at is kept here and not in parameters and results: a
// driver may well call Next from a goroutine that waits for days, whose stack
// it wants to keep small.
type inbound struct {
	now time.Time // when data arrived

	// The frame that is being received.
	frame  Header
	left   int64 // bytes of its payload still to come
	offset int   // in the payload, modulo 4, of the next byte

	// The message that the frame is part of.
	typ       MessageType
	size      int64 // bytes of payload that its headers have announced
	fragments int   // frames that have begun
	since     time.Time
	changed   bool  // by extensions: see decode.go
	bits      RSV   // of its first frame
	made      int64 // bytes that they have made of it
	decoded   scratch
	text      UTF8Validator
	announced bool // the chunk with First was handed out
	into      bool // buf begins with the caller's memory
	base      int  // where in buf the message begins
	buf       []byte

	maxFragments int           // negative: no limit
	timeout      time.Duration // for one message; 0 or negative: none
	controls     allowance     // of control frames

	reported bool  // the violation was, as an event
	event    Event // what Next is about to return

	// What a message in one frame looks at; see Conn.
	data       []byte // received and not yet looked at; the caller's memory
	stash      []byte // the beginning of a header or control frame, cut off by the end of data
	violation  error  // how the peer broke the protocol
	maxMessage int64
	simple     bool // messages without reserved bits are as their sender wrote them: see short.go
	inFrame    bool // in a data frame, whose header was consumed; its message is open
	open       bool // a message has begun and not ended
	streaming  bool // hand out chunks
	stopped    bool // look at nothing more
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
	if !c.in.inFrame {
		return nil
	}
	return c.in.window()
}

func (in *inbound) window() []byte {
	if in.left == 0 || in.streaming && !in.into || in.changed || in.stopped || len(in.data) > 0 {
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
	if in.timeout > 0 && in.late() {
		return
	}
	if n > 0 {
		in.extend(n)
	}
	in.data = data
}

// extend takes the bytes that were put into the window.
func (in *inbound) extend(n int) {
	at := len(in.buf)
	in.buf = in.buf[:at+n]
	in.take(in.buf[at:])
}

// Buffered reports whether what was received and not yet returned by Next
// holds a whole frame, the rest of one, or a malformed header.
func (c *Conn) Buffered() bool {
	in := &c.in
	if len(in.data)+len(in.stash) == 0 && !in.inFrame {
		return false
	}
	return !in.stopped && in.violation == nil && c.holdsFrame()
}

func (c *Conn) holdsFrame() bool {
	in := &c.in
	if in.inFrame {
		return int64(len(in.data)) >= in.left
	}
	if size, _ := c.essence().Measure(in.data); size > 0 && c.takesShort() {
		return true
	}
	var h Header
	size, wrong := h.parse(in.head())
	held := len(in.stash) + len(in.data)
	return wrong != noFault || size > 0 && int64(held-size) >= h.Length
}

// Unread returns how many bytes of the data that were given to Received are still
// to be looked at.
func (c *Conn) Unread() int { return len(c.in.data) }

// Begun reports whether a message has begun to arrive that has not been
// returned whole.
func (c *Conn) Begun() bool { return c.in.open }

// Streaming has messages handed out in chunks, as they arrive, from the one in
// progress on; what has arrived of it comes in the first chunk. It is turned
// off between messages.
func (c *Conn) Streaming(on bool) { c.in.streaming = on }

// AssembleInto has the message in progress, or else the next one that comes in
// pieces or that extensions have changed, appended to dst, which then is the
// event's Data, and Owned. Another that arrives whole is returned where it lies,
// as ever. It holds until a message was assembled, or Detach, or Streaming hands out
// what has arrived of a message.
//
// While streaming, chunks of the message in progress that are put into Window lie
// behind the length of dst, each in the place of the one before.
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

// CameInOne reports that the message that Next has returned last, and assembled before,
// came in one frame and as its sender wrote it.
func (c *Conn) CameInOne() bool { return c.in.fragments == 1 && !c.in.changed }

// Violation returns how the peer broke the protocol, a [*ViolationError], or
// nil.
func (c *Conn) Violation() error { return c.in.violation }

// Settled returns the pings that the last [EventPong] settled, oldest first;
// none when it was a duplicate or a stranger (RFC 6455, section 5.5.3). The
// slice is valid until the next call of Next.
func (c *Conn) Settled() []Settled { return c.pings.settled }

// Next returns the next event of what was received, one of the kind
// [EventNone] when there is none. It is valid until the next call of Next.
func (c *Conn) Next() *Event {
	in := &c.in
	in.event = Event{}
	if c.shortControl() || c.short() {
		return &in.event
	}
	for in.event.Kind == EventNone && c.step() {
	}
	return &in.event
}

// step looks at the next piece of what was received, and reports whether it is
// worth going on although there may be no event yet.
func (c *Conn) step() (more bool) {
	in := &c.in
	switch {
	case in.stopped:
		return false
	case in.violation != nil:
		in.reportViolation()
		return false
	case in.streaming && in.open && !in.announced:
		in.announce()
	case in.inFrame:
		c.payload()
	case len(in.data) == 0:
		in.data = nil
		return false
	default:
		c.beginFrame()
	}
	return in.violation != nil || !in.inFrame || in.left == 0 || len(in.data) > 0
}

func (in *inbound) reportViolation() {
	in.data = nil
	if !in.reported {
		in.reported = true
		in.event.Kind = EventViolation
	}
}

// beginFrame reads a frame's header, and all of a control frame. If not
// everything has arrived that this takes, what has is kept.
func (c *Conn) beginFrame() {
	in := &c.in
	b := in.head()
	size, wrong := c.parseHeader(b)
	switch {
	case wrong != noFault:
		in.violation = c.firstViolation(b)
	case size == 0:
		in.keep(b)
	case !in.frame.Opcode.IsControl():
		in.consume(size)
		c.beginData()
	case len(b)-size < int(in.frame.Length):
		in.keep(b)
	default:
		end := size + int(in.frame.Length)
		in.consume(end)
		c.control(b[size:end:end])
	}
}

// parseHeader makes the header that b begins with that of the frame, and checks
// it, as far as b goes.
func (c *Conn) parseHeader(b []byte) (size int, wrong fault) {
	size, wrong = c.in.frame.parse(b)
	if wrong == noFault {
		wrong = c.checkHeader(len(b), size)
	}
	return size, wrong
}

// firstViolation reports what the first byte shows that is wrong in the header
// at the beginning of b. A header may break several rules; which one we tell
// the peer must not depend on how the network cut its bytes.
func (c *Conn) firstViolation(b []byte) error {
	n := 1
	_, wrong := c.parseHeader(b[:n])
	for wrong == noFault {
		n++
		_, wrong = c.parseHeader(b[:n])
	}
	switch wrong {
	case tooBigMessage:
		return wrong.violation(c.in.sizeLimit())
	case tooManyFragments:
		return wrong.violation(c.in.maxFragments)
	}
	return wrong.inHeader(&c.in.frame)
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

// checkHeader reports what is wrong with the header in this place, of which n
// bytes have arrived; size is 0 as long as that is not all of it. The reserved
// bits are checked with one byte, the mask bit with two.
func (c *Conn) checkHeader(n, size int) fault {
	h := &c.in.frame
	switch {
	case h.RSV&^c.allowedBits(h.Opcode) != 0:
		return reservedBits
	case n >= 2 && h.Masked && c.role == Client:
		return maskedByServer
	case n >= 2 && !h.Masked && c.role == Server:
		return unmaskedByClient
	case h.Opcode.IsControl():
		return noFault
	case h.Opcode == OpContinuation && !c.in.open:
		return strayContinuation
	case h.Opcode != OpContinuation && c.in.open:
		return interruptedMessage
	case h.Opcode == OpContinuation && c.in.fragments == c.in.maxFragments:
		return tooManyFragments
	case size > 0 && !c.fits(h):
		return tooBigMessage
	}
	return noFault
}

// fits reports whether a frame is within the message's size limit. If
// extensions change the message, what counts is what they make of it.
func (c *Conn) fits(h *Header) bool {
	in := &c.in
	limit, size := in.sizeLimit(), int64(0)
	if in.open {
		size = in.size
	}
	if in.open && in.changed || !in.open && c.isChanged(h) {
		limit = encodedLimit(limit)
	}
	return h.Length <= limit-size
}

// SetMaxMessageSize changes the size in bytes of the largest message that is
// accepted, for one that has begun to arrive too; but a frame whose header was
// accepted is received to its end unless extensions have changed it. 0 means
// [DefaultMaxMessageSize], negative means no limit.
func (c *Conn) SetMaxMessageSize(n int64) { c.in.maxMessage = orDefault(n, DefaultMaxMessageSize) }

func (in *inbound) sizeLimit() int64 { return sizeLimit(in.maxMessage) }

// sizeLimit is the largest message that is accepted, at most what a slice may
// hold on any machine.
func sizeLimit(maxMessage int64) int64 {
	if maxMessage < 0 {
		return math.MaxInt / 2
	}
	return min(maxMessage, math.MaxInt/2)
}

// control handles a control frame, which may come between the frames of a
// message (section 5.5).
func (c *Conn) control(payload []byte) {
	in := &c.in
	if in.frame.Masked {
		Mask(payload, payload, in.frame.Mask, 0)
	}
	if in.frame.Opcode != OpClose && !in.controls.take(in.now) {
		in.violation = tooManyControls.violation(in.controls.rate)
		return
	}
	switch in.frame.Opcode {
	case OpPing:
		c.out.pongs.owe(payload)
		in.event.Kind, in.event.Data = EventPing, payload
	case OpPong:
		c.pings.pong(in.now, payload)
		in.event.Kind, in.event.Data = EventPong, payload
	case OpClose:
		c.closeFrame(payload)
	}
}

func (c *Conn) closeFrame(payload []byte) {
	frame, err := parseClose(payload)
	if err != nil {
		c.in.violation = err
		return
	}
	c.closeReceived(frame)
	c.in.event.Kind = EventClose
}

// beginData begins with the payload of a data frame.
func (c *Conn) beginData() {
	in := &c.in
	h := &in.frame
	if !in.open {
		in.typ, in.size, in.made = MessageType(h.Opcode), 0, 0
		in.fragments, in.since = 0, in.now
		in.text.Reset()
		in.announced = false
		in.changed, in.bits = c.isChanged(h), h.RSV
		if h.Fin && !in.streaming && int64(len(in.data)) >= h.Length {
			c.whole()
			return
		}
	}
	in.open, in.inFrame = true, true
	in.left, in.offset = h.Length, 0
	in.size += h.Length
	in.fragments++
	c.payload()
}

// whole returns a message that consists of one frame and has arrived, as it
// lies there, and with no room that would be that of the next frame.
func (c *Conn) whole() {
	in := &c.in
	payload := in.data[:in.frame.Length:in.frame.Length]
	in.data = in.data[in.frame.Length:]
	if in.frame.Masked {
		Mask(payload, payload, in.frame.Mask, 0)
	}
	if in.changed {
		c.wholeChanged(payload)
		return
	}
	if in.typ == Text && !utf8.Valid(payload) {
		in.violation = invalidText.violation()
		return
	}
	in.event.Kind, in.event.Type, in.event.Data = EventMessage, in.typ, payload
}

// wholeChanged returns such a message as extensions decode it.
func (c *Conn) wholeChanged(payload []byte) {
	in := &c.in
	if in.into {
		in.buf = c.decode(in.buf, payload, true)
		if in.checkDecoded(in.buf[in.base:]) {
			in.assembled()
		}
		return
	}
	in.decoded.buf = c.decode(in.beginDecoded(), payload, true)
	if in.checkDecoded(in.decoded.buf) {
		in.event.Kind, in.event.Type, in.event.Data = EventMessage, in.typ, in.decoded.buf
	}
}

// payload moves on in the payload of the current data frame.
func (c *Conn) payload() {
	in := &c.in
	switch {
	case in.changed:
		c.changedPayload()
		return
	case in.streaming && len(in.buf) > in.base: // it was read to the window
		in.chunk(in.buf[in.base:])
		in.buf = in.buf[:in.base]
		return
	}
	n := min(in.left, int64(len(in.data)))
	chunk := in.data[:n:n]
	in.data = in.data[len(chunk):]
	if !in.take(chunk) {
		return
	}
	if in.streaming {
		in.chunk(chunk)
		return
	}
	if len(chunk) > 0 {
		in.grow(len(chunk))
		in.buf = append(in.buf, chunk...)
	}
	if in.endFrame() {
		in.assembled()
	}
}

// take unmasks and checks bytes of the payload that have arrived.
func (in *inbound) take(p []byte) (ok bool) {
	in.unmask(p)
	return in.check(p)
}

func (in *inbound) unmask(p []byte) {
	if in.frame.Masked {
		Mask(p, p, in.frame.Mask, in.offset)
	}
	in.offset = (in.offset + len(p)) & 3
	in.left -= int64(len(p))
}

// atEnd reports whether all of the message has arrived.
func (in *inbound) atEnd() bool { return in.left == 0 && in.frame.Fin }

// check checks the next bytes of a text message.
func (in *inbound) check(p []byte) (ok bool) {
	if in.typ != Text {
		return true
	}
	if !in.text.Write(p) || in.atEnd() && !in.text.Complete() {
		in.violation = invalidText.violation()
		return false
	}
	return true
}

// announce returns the first chunk of a message of which some was assembled
// before streaming began.
func (in *inbound) announce() {
	in.event = Event{
		Kind: EventChunk, Type: in.typ, First: true, FrameEnd: !in.inFrame,
		Owned: true, Data: in.buf[in.base:],
	}
	in.buf, in.base, in.into = nil, 0, false
	in.announced = true
}

// chunk returns a piece of the message, if it is one: it may be empty only at
// an end or the beginning.
func (in *inbound) chunk(p []byte) {
	ev := &in.event
	ev.Type, ev.First, ev.Data = in.typ, !in.announced, p
	ev.FrameEnd = in.left == 0
	ev.Last = in.endFrame()
	if len(p) > 0 || ev.First || ev.FrameEnd {
		ev.Kind = EventChunk
		in.announced = true
	}
}

// endFrame ends the frame if all of its payload has come, and reports whether
// it ended the message.
func (in *inbound) endFrame() (last bool) {
	if in.left > 0 {
		return false
	}
	in.inFrame = false
	in.open = !in.frame.Fin
	return in.frame.Fin
}

// assembled returns the message that was put together in buf.
func (in *inbound) assembled() {
	in.event = Event{Kind: EventMessage, Type: in.typ, Owned: true, Data: in.buf}
	in.buf, in.base, in.into = nil, 0, false
}

// The bounds of how much memory is set aside for a message, whose size is only what
// the peer claims: a few times as much as has arrived; or, for what is large for
// certain, as much as most large messages need, so that they are not moved meanwhile.
const (
	growth      = 4
	surelyLarge = 32 << 10
	roomForMost = 1 << 20
)

// setAside returns how many bytes of memory a message may have at most when so many
// have arrived.
func setAside(arrived int64) int64 {
	if arrived >= surelyLarge {
		return max(growth*arrived, roomForMost)
	}
	return growth * arrived
}

// grow makes room in buf for n bytes that have arrived and, within bounds, for
// the rest of the frame.
func (in *inbound) grow(n int) {
	need := len(in.buf) + n
	if n > 0 && need <= cap(in.buf) {
		return
	}
	rest := int64(need) + in.left
	if !in.frame.Fin { // more frames will come: allocate seldom
		rest = max(rest, 2*int64(cap(in.buf)))
	}
	arrived := int64(need - in.base)
	before := in.buf
	in.buf = append(lend(int(min(rest, int64(in.base)+setAside(arrived)))), before...)
	if !in.into { // else it may be the caller's
		takeBack(before)
	}
}
