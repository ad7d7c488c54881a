package link

import "github.com/tandemws/tandem/protocol"

// The payload of a large message need not go through a block, but is read to where the
// receiver wants it. So it passes through less memory, of which little is in a
// processor's cache when the message comes.
//
// That, and how long the header is, needs to be known before there is anything to read,
// so it is done where the message before was such a one, in one frame and as its sender
// wrote it. What else comes is moved to a block, as if it had been read there, and
// nothing is foreseen any more. So it does no harm if that is of long ago.

// minDirect is the size in bytes of the smallest payload for which that is worthwhile.
const minDirect = 8 << 10

// A direct says how: it is the length in bytes of the header, and where that goes.
//
// It may stand in front of the payload, if the receiver has room for both and all is going
// to come at once: what is masked has to be gone through, and is moved to the front by
// that. Else it is read to a block, by a read that takes a little longer.
type direct uint8

const front direct = 0x80

// alone says that the window is read to and nothing else; see offerWindow.
const alone direct = 0x40

func (d direct) header() int      { return int(d &^ (front | alone)) }
func (d direct) inFront() bool    { return d&front != 0 }
func (d direct) apart() bool      { return d.header() != 0 && !d.inFront() }
func (d direct) wantsBlock() bool { return d&(front|alone) == 0 }

// lonely is the unit in bytes in which input.lone has the size of a payload, rounded
// down. It tells 64 KiB, with which begins what needs a longer header, from less.
const lonely = 512

// largest is what it says of all payloads that a block has no room for.
const largest = blockSize / lonely * lonely

const _ uint8 = largest / lonely // fits into input.lone

// foresee notes what is to be known of the next message when this one, with a payload of
// n bytes, was taken, behind which nothing else had come if it was alone.
//
//go:noinline
func (c *Conn) foresee(n int, alone bool) {
	c.in.lone = 0
	if alone && n >= minDirect {
		c.in.lone = uint8(min(n, largest) / lonely)
	}
}

// readDirectly has the next message read so, if the receiver has room for what is
// foreseen. It is apart from what small messages go through.
//
//go:noinline
func (c *Conn) readDirectly() {
	n := int(c.in.lone) * lonely
	how := direct(4)
	if n >= 64<<10 {
		how = 10
	}
	if c.opts.Role == protocol.Server {
		if how += 4; n < largest && c.hasRoom(n+lonely+protocol.MaxHeaderSize) {
			how |= front
		}
	}
	if c.receiving == receivingInto && c.hasRoom(n) && (how.inFront() || c.tr().gathers()) {
		c.in.giveBack()
		c.in.window, c.in.direct = &c.dst, how
	}
}

// pieces returns where the header is read to, and where the payload. Together they have
// no more than a block has room for: they may have to be moved there.
func (in *input) pieces() (header, payload []byte) {
	n, room := in.direct.header(), in.room()
	if in.direct.inFront() {
		return room[:n], room[n:]
	}
	return in.block[:n], room[:min(len(room), blockSize-n)]
}

// room is what is behind the length of the receiver's memory, as far as it counts.
func (in *input) room() []byte {
	dst := *in.window
	return dst[len(dst):min(cap(dst), len(dst)+blockSize)]
}

// came returns the bytes that were read to the block.
func (in *input) came() []byte { return in.block[:in.n] }

// sortDirect looks at what was read so:
//   - a whole binary message, and nothing else, which is to be taken quickly, is left to
//     takeDirect;
//   - of one that is not to be taken so, the beginning of one, or text, the protocol is
//     told;
//   - what else it is, is moved to a block.
//
//go:noinline
func (c *Conn) sortDirect() {
	if c.in.n == 0 {
		c.in.window, c.in.direct = nil, 0
		return
	}
	header, _ := c.in.pieces()
	n, ok := int(c.in.n)-len(header), false
	var typ protocol.MessageType
	var length int
	if e, short := c.measure(); short && n > 0 && !c.assembling {
		typ, length, ok = e.MeasureHeader(header)
	}
	switch {
	case !ok || n > length:
		c.moveToBlock()
	case n < length || typ != protocol.Binary || !c.takesRead():
		c.announce()
	}
}

// takeDirect takes a whole message.
func (c *Conn) takeDirect() (typ protocol.MessageType, data []byte) {
	header, payload := c.in.pieces()
	n := int(c.in.n) - len(header)
	data = c.dst[:len(c.dst)+n]
	e, _ := c.measure()
	e.TakePayload(data[len(c.dst):], header, payload[:n])
	c.in.window, c.in.direct = nil, 0
	return protocol.Binary, data
}

// announce tells the protocol of the header, and has what was read of the payload where it
// wants it.
func (c *Conn) announce() {
	header, payload := c.in.pieces()
	moves := c.in.direct.inFront()
	c.stir()
	c.proto.AssembleInto(c.dst)
	c.assembling = true
	c.received(0, header)
	c.proto.Next() // which needs more
	c.in.n -= int32(len(header))
	c.in.window, c.in.direct = nil, 0
	c.offerWindow() // which has room: a header that was measured is no violation
	if moves {
		copy(c.window, payload[:c.in.n])
	}
}

// announced reports that this was done with what was read.
func (c *Conn) announced() bool { return c.in.window != nil && c.in.direct == 0 }

// moveToBlock moves what was read, which was not foreseen.
func (c *Conn) moveToBlock() {
	header, payload := c.in.pieces()
	c.in.borrow()
	came := c.in.came()
	if n := copy(came, header); n < len(came) {
		copy(came[n:], payload)
	}
	c.in.window, c.in.direct, c.in.lone = nil, 0, 0
}
