package link

// A large message that comes alone need not go through a block. It is read, with
// its header, to where the receiver wants it, and moved by the length of that when
// it is unmasked. So it passes through less memory, of which little is in a
// processor's cache when the message comes.
//
// That needs to be known before there is anything to read, so it is done where the
// message before was such a one and this may be as long. What else comes is moved
// to a block, as if it had been read there; and so is text, for if it is none it is
// looked at twice. It does no harm if what was foreseen is of long ago: all that
// follows from it is that there is room for so much, and one move if it was wrong.

// minDirect is the size in bytes, with the header, of the smallest message for
// which that is worthwhile.
const minDirect = 8 << 10

// foresee notes whether the next message may be read directly, when this one was
// taken of what was read, in which it was alone or not. It is apart from what small
// messages go through.
//
//go:noinline
func (c *Conn) foresee(alone bool) {
	c.in.window, c.in.direct, c.in.lone = nil, false, 0
	if alone && c.in.n >= minDirect {
		c.in.lone = uint8((c.in.n + lonely - 1) / lonely)
	}
}

// lonely is the unit in bytes in which input.lone has the size of a message, rounded
// up: in memory with less room it would not be alone, but come in two pieces.
const lonely = 512

const _ uint8 = (blockSize + lonely - 1) / lonely // the largest fits into input.lone

// foreseen reports that what was read directly is such a message, and can be taken.
func (c *Conn) foreseen() bool {
	e, short := c.measure()
	return short && c.takesRead() && e.ReceivedAlone(c.in.came())
}

// readDirectly has the next read put the bytes behind the length of dst.
func (in *input) readDirectly(dst *[]byte) {
	in.giveBack()
	in.window, in.direct = dst, true
}

// roomBehind returns what is behind the length of dst, and no more than a block has
// room for: it may have to be moved there.
func roomBehind(dst []byte) []byte { return dst[len(dst):min(cap(dst), len(dst)+blockSize)] }

// came returns the bytes that were read to a block, or directly.
func (in *input) came() []byte {
	if in.direct {
		return in.to()[:in.n]
	}
	return in.block[:in.n]
}

// moveToBlock moves the bytes that were read directly, if any.
func (c *Conn) moveToBlock() {
	c.in.borrow()
	copy(c.in.block[:], c.in.came())
	c.foresee(false)
}
