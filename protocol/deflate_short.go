package protocol

import (
	"encoding/binary"
	"math/bits"
)

// shortMessage is the size in bytes below which package flate looks for no
// matches, and forgets what came before: most of what context takeover is good
// for. Such a piece is compressed here, with the fixed codes (RFC 1951, section
// 3.2.6), for codes of its own would be longer than what they save.
const shortMessage = 128

// shortTable is how many places of the history are remembered.
const shortTable = 1 << 11

// A shortDeflater compresses short pieces.
type shortDeflater struct {
	buf   []byte // the history and the piece
	seen  [shortTable]uint16
	out   []byte
	acc   uint64 // bits that are no whole byte yet
	accum uint   // how many
}

// deflate appends the compressed piece and an empty stored block to dst. No
// match reaches back more than window bytes.
func (z *shortDeflater) deflate(dst, history, piece []byte, window int) []byte {
	history = history[max(0, len(history)-min(window, maxWindow)):]
	z.buf = append(append(z.buf[:0], history...), piece...)
	z.out, z.acc, z.accum = dst, 0, 0
	clear(z.seen[:])
	for i := 0; i+minMatch <= len(history); i++ {
		z.seen[z.hash(i)] = uint16(i + 1)
	}
	z.bits(0b010, 3) // not final, fixed codes
	for at := len(history); at < len(z.buf); {
		at += z.emit(at, window)
	}
	z.bits(0, 7) // end of block
	z.bits(0, 3) // stored
	z.align()
	dst = append(z.out, flushTail...)
	z.out = nil
	return dst
}

// minMatch is the length of the shortest match that is looked for.
const minMatch = 4

// hash returns where the place of the next bytes is remembered; minMatch bytes
// at least are there.
func (z *shortDeflater) hash(at int) uint32 {
	return binary.LittleEndian.Uint32(z.buf[at:]) * 2654435761 >> (32 - 11)
}

// emit encodes what comes next, a match or a literal, and returns how many
// bytes that are.
func (z *shortDeflater) emit(at, window int) (n int) {
	if at+minMatch > len(z.buf) {
		z.literal(z.buf[at])
		return 1
	}
	h := z.hash(at)
	from := int(z.seen[h]) - 1
	z.seen[h] = uint16(at + 1)
	if from >= 0 && at-from <= window {
		n = z.matching(from, at)
	}
	if n < minMatch {
		z.literal(z.buf[at])
		return 1
	}
	z.match(n, at-from)
	for i := at + 1; i < at+n && i+minMatch <= len(z.buf); i++ {
		z.seen[z.hash(i)] = uint16(i + 1)
	}
	return n
}

func (z *shortDeflater) matching(from, at int) (n int) {
	for n < maxMatch && at+n < len(z.buf) && z.buf[from+n] == z.buf[at+n] {
		n++
	}
	return n
}

// literal encodes a byte in the fixed code.
func (z *shortDeflater) literal(b byte) {
	if b < 144 {
		z.code(0x30+uint16(b), 8)
	} else {
		z.code(0x190+uint16(b)-144, 9)
	}
}

// match encodes a match in the fixed codes.
func (z *shortDeflater) match(length, dist int) {
	symbol := 0
	for symbol+1 < len(lengthBase) && int(lengthBase[symbol+1]) <= length {
		symbol++
	}
	if code := uint16(symbol + 1); code < 24 {
		z.code(code, 7)
	} else {
		z.code(0xc0+code-24, 8)
	}
	z.bits(uint64(length-int(lengthBase[symbol])), uint(lengthExtra[symbol]))
	symbol = 0
	for symbol+1 < len(distBase) && int(distBase[symbol+1]) <= dist {
		symbol++
	}
	z.code(uint16(symbol), 5)
	z.bits(uint64(dist-int(distBase[symbol])), uint(distExtra[symbol]))
}

// code appends a Huffman code, which goes with its first bit lowest.
func (z *shortDeflater) code(code uint16, n uint) {
	z.bits(uint64(bits.Reverse16(code)>>(16-n)), n)
}

func (z *shortDeflater) bits(b uint64, n uint) {
	z.acc |= b << z.accum
	for z.accum += n; z.accum >= 8; z.accum -= 8 {
		z.out = append(z.out, byte(z.acc))
		z.acc >>= 8
	}
}

func (z *shortDeflater) align() {
	if z.accum > 0 {
		z.bits(0, 8-z.accum)
	}
}
