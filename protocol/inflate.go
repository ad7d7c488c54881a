package protocol

import (
	"encoding/binary"
	"errors"
)

// Sizes of deflate (RFC 1951, sections 3.2.5 to 3.2.7).
const (
	maxLitLen    = 288 // literals and lengths, two of which never occur
	maxDistances = 30
	maxCodeLens  = 19
	maxMatch     = 258
	maxWindow    = 1 << 15
	endOfBlock   = 256
)

var (
	errCorrupt   = errors.New("corrupt compressed data")
	errTruncated = errors.New("truncated compressed data")
)

// An inflater decompresses one message that comes in pieces (RFC 1951). It
// gives all that the bytes so far stand for and goes on with the next piece
// where it stopped, in the middle of a symbol even: readers of package flate
// want to pull their input and cannot go on after its end.
//
// It holds a full window and is to be given back after the message.
type inflater struct {
	in   []byte // the rest of the piece
	bits uint64 // the next bits of the input, the first one lowest
	n    uint   // how many

	state inflateState
	final bool // the block is marked as the last one
	err   error

	out  []byte // what is being appended to
	own  bool   // it is memory that nobody else has
	room int    // how many bytes more may be

	window [maxWindow]byte // a ring of what came out last
	limit  int             // how far back a match may reach
	filled int             // how much there is to reach back to
	at     int             // where the next byte goes
	unsent int             // where what is not yet in out begins

	stored  int  // bytes of a stored block still to come
	fixed   bool // the codes are the fixed ones
	litLen  huffman
	dist    huffman
	lengths [maxLitLen + maxDistances + 2]uint8
	header  dynamicHeader
}

// inflateState says what comes next.
type inflateState uint8

const (
	betweenBlocks inflateState = iota
	storedLength
	storedBytes
	dynamicSizes
	dynamicCode
	dynamicLengths
	symbols
)

// dynamicHeader is what is known of the header of a dynamic block.
type dynamicHeader struct{ litLens, dists, codeLens, have int }

// begin begins a message that may refer to history and, in all, at most limit
// bytes back.
func (z *inflater) begin(history []byte, limit int) {
	z.bits, z.n, z.state, z.err = 0, 0, betweenBlocks, nil
	z.limit = limit
	z.at = copy(z.window[:], history) & (maxWindow - 1)
	z.filled, z.unsent = len(history), z.at
}

// inflate appends what p stands for to dst, no more than room bytes: there are
// more if the error is ErrMessageTooBig.
func (z *inflater) inflate(dst, p []byte, room int) ([]byte, error) {
	z.in, z.out, z.own, z.room = p, dst, false, room
	for z.err == nil && z.step() {
	}
	z.flush()
	dst, z.in, z.out = z.out, nil, nil
	return dst, z.err
}

// flushTail is what every message ends with and no message is sent with
// (RFC 7692, section 7.2.1): the end of an empty stored block.
var flushTail = []byte{0x00, 0x00, 0xff, 0xff}

// end takes the end of the message as inflate does a piece. A message may end
// between two blocks, too: then the sender has left nothing out, or there was
// nothing to flush.
func (z *inflater) end(dst []byte, room int) ([]byte, error) {
	if z.done() {
		return dst, nil
	}
	dst, err := z.inflate(dst, flushTail, room)
	if err == nil && !z.done() {
		err = errTruncated
	}
	return dst, err
}

// done reports whether nothing is begun.
func (z *inflater) done() bool { return z.state == betweenBlocks && z.n == 0 }

// appendHistory appends the last bytes of what came out, at most limit.
func (z *inflater) appendHistory(dst []byte, limit int) []byte {
	n := min(limit, z.filled)
	if from := z.at - n; from < 0 {
		dst = append(dst, z.window[maxWindow+from:]...)
		n = z.at
	}
	return append(dst, z.window[z.at-n:z.at]...)
}

// flush appends to out what is new in the window.
func (z *inflater) flush() {
	fresh := z.window[z.unsent:z.at]
	if len(fresh) > z.room { // before whatever else was wrong
		z.err = ErrMessageTooBig
	}
	fresh = fresh[:min(len(fresh), z.room)]
	if cap(z.out)-len(z.out) < len(fresh) {
		z.grow(len(fresh))
	}
	z.out = append(z.out, fresh...)
	z.room -= len(fresh)
	z.unsent = z.at
}

// grow makes room in out for n bytes, and for more of them, in memory that is kept
// for messages. If none is, append will make some.
func (z *inflater) grow(n int) {
	before := z.out
	room := min(max(len(before)+n, 2*cap(before)), len(before)+z.room)
	if lent := lendKept(room); cap(lent) >= room {
		z.out = append(lent, before...)
		if z.own {
			takeBack(before)
		}
		z.own = true
	}
}

// step does what comes next, as far as the input goes; false: no further.
func (z *inflater) step() (more bool) {
	switch z.state {
	case betweenBlocks:
		return z.blockHeader()
	case storedLength:
		return z.storedLength()
	case storedBytes:
		return z.storedBytes()
	case dynamicSizes:
		return z.dynamicSizes()
	case dynamicCode:
		return z.dynamicCode()
	case dynamicLengths:
		return z.dynamicLengths()
	}
	return z.symbols()
}

func (z *inflater) fail() bool {
	z.err = errCorrupt
	return false
}

// refill has at least 56 bits at hand, or all that there are.
func (z *inflater) refill() {
	if len(z.in) >= 8 {
		z.bits |= binary.LittleEndian.Uint64(z.in) << z.n
		bytes := (63 - z.n) >> 3
		z.in = z.in[bytes:]
		z.n += bytes * 8
		z.bits &= 1<<z.n - 1
		return
	}
	for z.n < 56 && len(z.in) > 0 {
		z.bits |= uint64(z.in[0]) << z.n
		z.in = z.in[1:]
		z.n += 8
	}
}

// need reports whether the next n bits are at hand, at most 56.
func (z *inflater) need(n uint) bool {
	if z.n < n {
		z.refill()
	}
	return z.n >= n
}

// take returns the next n bits, which are at hand.
func (z *inflater) take(n uint) int {
	b := z.bits & (1<<n - 1)
	z.bits >>= n
	z.n -= n
	return int(b)
}

// align passes over the rest of a byte.
func (z *inflater) align() { z.take(z.n & 7) }

// blockHeader begins a block (RFC 1951, section 3.2.3). A final one may be
// followed by others (RFC 7692, section 7.2.3.4).
func (z *inflater) blockHeader() bool {
	if !z.need(3) {
		return false
	}
	z.final = z.take(1) == 1
	switch z.take(2) {
	case 0:
		z.align()
		z.state = storedLength
	case 1:
		z.fixedCodes()
		z.state = symbols
	case 2:
		z.state = dynamicSizes
	default:
		return z.fail()
	}
	return true
}

func (z *inflater) endBlock() bool {
	if z.final {
		z.align()
	}
	z.state = betweenBlocks
	return true
}

// storedLength begins the payload of a stored block (section 3.2.4).
func (z *inflater) storedLength() bool {
	if !z.need(32) {
		return false
	}
	z.stored = z.take(16)
	if z.take(16) != z.stored^0xffff {
		return z.fail()
	}
	z.state = storedBytes
	return true
}

func (z *inflater) storedBytes() bool {
	for z.stored > 0 && z.n > 0 {
		z.put(byte(z.take(8)))
		z.stored--
	}
	for z.stored > 0 && len(z.in) > 0 && z.err == nil {
		n := copy(z.window[z.at:], z.in[:min(z.stored, len(z.in))])
		z.in = z.in[n:]
		z.stored -= n
		z.advance(n)
	}
	return z.stored == 0 && z.endBlock()
}

// dynamicSizes begins the header of a block with codes of its own (section
// 3.2.7).
func (z *inflater) dynamicSizes() bool {
	if !z.need(14) {
		return false
	}
	z.header = dynamicHeader{litLens: z.take(5) + 257, dists: z.take(5) + 1, codeLens: z.take(4) + 4}
	if z.header.litLens > 286 || z.header.dists > maxDistances {
		return z.fail()
	}
	clear(z.lengths[:maxCodeLens])
	z.fixed = false
	z.state = dynamicCode
	return true
}

// codeLenOrder is the order of the lengths in the code for code lengths.
var codeLenOrder = [maxCodeLens]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicCode reads the code that the code lengths are written in.
func (z *inflater) dynamicCode() bool {
	h := &z.header
	for ; h.have < h.codeLens; h.have++ {
		if !z.need(3) {
			return false
		}
		z.lengths[codeLenOrder[h.have]] = uint8(z.take(3))
	}
	if !z.litLen.init(z.lengths[:maxCodeLens]) {
		return z.fail()
	}
	h.have = 0
	z.state = dynamicLengths
	return true
}

// dynamicLengths reads the lengths of the codes for literals, lengths and
// distances.
func (z *inflater) dynamicLengths() bool {
	h := &z.header
	total := h.litLens + h.dists
	for h.have < total {
		z.need(maxCode + 7)
		symbol, size := z.litLen.decode(z.bits, z.n)
		switch {
		case size > maxCode:
			return z.fail()
		case size == 0 || z.n < size+repeatBits(symbol):
			return false
		}
		z.take(size)
		if !z.addLengths(symbol, total) {
			return z.fail()
		}
	}
	lits, dists := z.lengths[:h.litLens], z.lengths[h.litLens:total]
	if lits[endOfBlock] == 0 || !z.litLen.init(lits) || !z.dist.init(dists) {
		return z.fail()
	}
	z.state = symbols
	return true
}

// repeatBits returns how many bits follow a code length symbol: they say how
// often a length is repeated.
func repeatBits(symbol int) uint {
	switch symbol {
	case 16:
		return 2
	case 17:
		return 3
	case 18:
		return 7
	}
	return 0
}

func (z *inflater) addLengths(symbol, total int) (ok bool) {
	h, length, times := &z.header, uint8(0), 3
	switch symbol {
	case 16: // the one before
		if h.have == 0 {
			return false
		}
		length = z.lengths[h.have-1]
	case 17:
	case 18:
		times = 11
	default:
		length, times = uint8(symbol), 1
	}
	times += z.take(repeatBits(symbol))
	if h.have+times > total {
		return false
	}
	for range times {
		z.lengths[h.have] = length
		h.have++
	}
	return true
}

// fixedCodes sets the codes of a block that has none of its own (section
// 3.2.6).
func (z *inflater) fixedCodes() {
	if z.fixed {
		return
	}
	z.fixed = true
	lengths := &z.lengths
	for i := range maxLitLen {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	z.litLen.init(lengths[:maxLitLen])
	// Two of the 32 distance codes never occur; they make the code complete.
	for i := range 32 {
		lengths[i] = 5
	}
	z.dist.init(lengths[:32])
}

// The values that length and distance symbols begin at, and how many bits
// follow that are to be added (section 3.2.5).
var (
	lengthBase  = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distExtra   = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// symbols decodes literals and matches. Nothing of a match is taken before all
// of it has come: 48 bits at most.
func (z *inflater) symbols() bool {
	for z.err == nil {
		z.quickSymbols()
		z.need(48)
		symbol, size := z.litLen.decode(z.bits, z.n)
		switch {
		case size > maxCode:
			return z.fail()
		case size == 0:
			return false
		case symbol < endOfBlock:
			z.take(size)
			z.put(byte(symbol))
		case symbol == endOfBlock:
			z.take(size)
			return z.endBlock()
		case !z.match(symbol-endOfBlock-1, size):
			return false
		}
	}
	return false
}

// quickSymbols decodes literals and matches while there is plenty of input and of
// room in the window, and stops before whatever is not that simple: the end of a
// block, an error. It does what symbols does with everything at hand in registers;
// most of a message is decoded here.
func (z *inflater) quickSymbols() {
	const fastMask, windowMask = 1<<fastCode - 1, maxWindow - 1
	in, b, n, at := z.in, z.bits, z.n, z.at
	reach := z.filled - at // with at: what a match may reach back to
	for at < maxWindow-maxMatch {
		if n < 48 {
			if len(in) < 8 {
				break
			}
			b |= binary.LittleEndian.Uint64(in) << n
			more := (63 - n) >> 3
			in = in[more:]
			n += more * 8
			b &= 1<<n - 1
		}
		entry := z.litLen.fast[b&fastMask]
		symbol, used := int(entry>>4), uint(entry&0xf)
		if entry == 0 {
			symbol, used = z.litLen.decodeLong(b, n)
		}
		if symbol < endOfBlock && used-1 < maxCode { // else no code, or there is more to it
			z.window[at&windowMask] = byte(symbol)
			at++
			b >>= used & 63
			n -= used
			continue
		}
		symbol -= endOfBlock + 1
		if uint(symbol) >= uint(len(lengthBase)) { // none of these, or no code: then the symbol was 0
			break
		}
		extra := uint(lengthExtra[symbol])
		length := int(lengthBase[symbol]) + int(b>>(used&63)&(1<<extra-1))
		used += extra
		entry = z.dist.fast[b>>(used&63)&fastMask]
		far, size := int(entry>>4), uint(entry&0xf)
		if entry == 0 {
			far, size = z.dist.decodeLong(b>>(used&63), n-used)
		}
		if far >= len(distBase) || size-1 >= maxCode {
			break
		}
		used += size
		extra = uint(distExtra[far])
		dist := int(distBase[far]) + int(b>>(used&63)&(1<<extra-1))
		used += extra
		if dist > reach+at || dist > z.limit {
			break
		}
		b >>= used & 63
		n -= used
		from := (at - dist) & windowMask
		if dist >= length && from+length <= maxWindow {
			copy(z.window[at:at+length], z.window[from:from+length])
			at += length
			continue
		}
		for range length {
			z.window[at&windowMask] = z.window[(at-dist)&windowMask]
			at++
		}
	}
	z.in, z.bits, z.n = in, b, n
	z.advance(at - z.at)
}

// match decodes the rest of a match, whose length symbol is in the first size
// bits.
func (z *inflater) match(symbol int, size uint) (ok bool) {
	if symbol >= len(lengthBase) {
		return z.fail()
	}
	extra := uint(lengthExtra[symbol])
	if z.n < size+extra {
		return false
	}
	length := int(lengthBase[symbol]) + int(z.bits>>size&(1<<extra-1))
	size += extra
	symbol, used := z.dist.decode(z.bits>>size, z.n-size)
	if used > maxCode || symbol >= len(distBase) {
		return z.fail()
	}
	if used == 0 {
		return false
	}
	size += used
	extra = uint(distExtra[symbol])
	if z.n < size+extra {
		return false
	}
	dist := int(distBase[symbol]) + int(z.bits>>size&(1<<extra-1))
	if dist > z.filled || dist > z.limit {
		return z.fail()
	}
	z.take(size + extra)
	z.repeat(dist, length)
	return true
}

// repeat copies what came out dist bytes before, itself included.
func (z *inflater) repeat(dist, length int) {
	for length > 0 && z.err == nil {
		from := (z.at - dist) & (maxWindow - 1)
		n := min(length, dist, maxWindow-from)
		n = copy(z.window[z.at:], z.window[from:from+n])
		length -= n
		z.advance(n)
	}
}

func (z *inflater) put(b byte) {
	z.window[z.at] = b
	z.advance(1)
}

// advance notes n new bytes in the window.
func (z *inflater) advance(n int) {
	z.at += n
	z.filled = min(z.filled+n, maxWindow)
	if z.at == maxWindow {
		z.flush()
		z.at, z.unsent = 0, 0
	}
}
