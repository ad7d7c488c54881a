package protocol

import "math/bits"

// maxCode is the length in bits of the longest Huffman code (RFC 1951, section
// 3.2.1), fastCode that of the longest one that a single look-up decodes.
const (
	maxCode  = 15
	fastCode = 9
)

// A huffman decodes one alphabet of a deflate stream (RFC 1951, section 3.2.2).
type huffman struct {
	fast    [1 << fastCode]uint16 // for the next bits: symbol<<4 | length of its code
	count   [maxCode + 1]uint16   // how many codes have each length
	symbols [maxLitLen]uint16     // in the order of their codes
}

// init makes h the decoder of the code with these lengths, and reports whether
// they are those of a code: complete, or with a single symbol.
func (h *huffman) init(lengths []uint8) (ok bool) {
	h.count = [maxCode + 1]uint16{}
	for _, n := range lengths {
		h.count[n]++
	}
	codes := len(lengths) - int(h.count[0])
	h.count[0] = 0
	if left := h.unused(); left < 0 || left > 0 && codes != int(h.count[1]) {
		return false
	}
	h.sort(lengths)
	h.tabulate()
	return true
}

// unused returns how many codes of the greatest length are left over; less
// than 0 when there are more than fit.
func (h *huffman) unused() (left int) {
	left = 1
	for _, n := range h.count[1:] {
		left = left<<1 - int(n)
		if left < 0 {
			return left
		}
	}
	return left
}

// sort puts the symbols in the order of their codes.
func (h *huffman) sort(lengths []uint8) {
	var next [maxCode + 2]uint16
	for n := 1; n <= maxCode; n++ {
		next[n+1] = next[n] + h.count[n]
	}
	for symbol, n := range lengths {
		if n > 0 {
			h.symbols[next[n]] = uint16(symbol)
			next[n]++
		}
	}
}

// tabulate fills the table of short codes. They come with their first bit
// lowest (section 3.1.1), and all that may follow them leads to the same entry.
func (h *huffman) tabulate() {
	h.fast = [1 << fastCode]uint16{}
	code, index := 0, 0
	for n := 1; n <= fastCode; n++ {
		for range h.count[n] {
			entry := h.symbols[index]<<4 | uint16(n)
			for at := int(bits.Reverse16(uint16(code)) >> (16 - n)); at < len(h.fast); at += 1 << n {
				h.fast[at] = entry
			}
			code++
			index++
		}
		code <<= 1
	}
}

// decode returns the symbol whose code comes first in the n lowest bits of b,
// and the length of the code: 0 if it has not come whole, more than maxCode if
// there is no such code.
func (h *huffman) decode(b uint64, n uint) (symbol int, length uint) {
	if e := h.fast[b&(1<<fastCode-1)]; e != 0 {
		if length = uint(e & 0xf); length <= n {
			return int(e >> 4), length
		}
		return 0, 0
	}
	return h.decodeLong(b, n)
}

// decodeLong is decode for a code of any length, bit by bit.
func (h *huffman) decodeLong(b uint64, n uint) (symbol int, length uint) {
	code, first, index := 0, 0, 0
	for length = 1; length <= maxCode; length++ {
		if length > n {
			return 0, 0
		}
		code |= int(b & 1)
		b >>= 1
		count := int(h.count[length])
		if code-first < count {
			return int(h.symbols[index+code-first]), length
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0, maxCode + 1
}
