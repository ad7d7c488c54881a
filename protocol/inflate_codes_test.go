package protocol

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// ownLengths begins a block with codes of its own, of the given lengths (RFC 1951,
// section 3.2.7), each of which is written in four bits.
func (w *bitWriter) ownLengths(lits, dists []int) {
	w.number(0b100, 3) // not the last block, codes of its own
	w.number(len(lits)-257, 5)
	w.number(len(dists)-1, 5)
	w.number(maxCodeLens-4, 4)
	for _, symbol := range codeLenOrder {
		w.number(map[bool]int{symbol < 16: 4}[true], 3)
	}
	for _, n := range slices.Concat(lits, dists) {
		w.code(n, 4)
	}
}

// lengthsOf returns the lengths of n codes, most of which do not occur.
func lengthsOf(n int, codes map[int]int) []int {
	lengths := make([]int, n)
	for symbol, length := range codes {
		lengths[symbol] = length
	}
	return lengths
}

// TestInflateOwnCodes takes codes that are complete or have one symbol or none, and
// refuses more and fewer of them than fit, and a block that could not end.
func TestInflateOwnCodes(t *testing.T) {
	type codes map[int]int // their lengths
	for name, test := range map[string]struct {
		lits, dists codes
		end         int // a bit, that of the end
		want        error
	}{
		"an end alone":          {codes{endOfBlock: 1}, nil, 0, nil},
		"complete":              {codes{'a': 1, endOfBlock: 1}, codes{0: 1, 29: 1}, 1, nil},
		"one distance":          {codes{'a': 1, endOfBlock: 1}, codes{7: 1}, 1, nil},
		"what is no code":       {codes{endOfBlock: 1}, nil, 1, errCorrupt},
		"no end":                {codes{'a': 1, 'b': 1}, codes{0: 1, 1: 1}, 1, errCorrupt},
		"nothing":               {nil, nil, 0, errCorrupt},
		"too many literals":     {codes{'a': 1, 'b': 1, endOfBlock: 1}, nil, 0, errCorrupt},
		"one of 15 bits more":   {codes{'a': 1, 'b': 15, endOfBlock: 1}, nil, 1, errCorrupt},
		"too few literals":      {codes{'a': 2, 'b': 2, endOfBlock: 2}, nil, 1, errCorrupt},
		"an end of two bits":    {codes{endOfBlock: 2}, nil, 0, errCorrupt},
		"too many distances":    {codes{'a': 1, endOfBlock: 1}, codes{0: 1, 1: 1, 2: 2}, 1, errCorrupt},
		"too few distances":     {codes{'a': 1, endOfBlock: 1}, codes{0: 1, 1: 2}, 1, errCorrupt},
		"a distance of 15 bits": {codes{'a': 1, endOfBlock: 1}, codes{0: 15}, 1, errCorrupt},
	} {
		var w bitWriter
		w.ownLengths(lengthsOf(286, test.lits), lengthsOf(30, test.dists))
		w.code(test.end, 1)
		w.number(0, 3) // the stored block whose tail is cut off
		for _, size := range []int{1, 9, math.MaxInt} {
			if got, err := inflated(w.buf, nil, maxWindow, size); err != test.want || len(got) > 0 {
				t.Errorf("%s in pieces of %d: %q, %v", name, size, got, err)
			}
		}
	}
}

// TestInflateLongestMatch takes matches of 48 bits, the most there may be, at each
// place in a byte: a code of 15 bits and 5 more for the length, and one of 15 and
// 13 more for the distance.
func TestInflateLongestMatch(t *testing.T) {
	lits, dists := lengthsOf(286, map[int]int{'a': 1, endOfBlock: 2, 283: 15, 284: 15}), lengthsOf(30, map[int]int{28: 15, 29: 15})
	for n := 3; n < 15; n++ {
		lits['a'+n] = n
	}
	for n := 1; n < 15; n++ {
		dists[n] = n
	}
	var w bitWriter
	w.ownLengths(lits, dists)
	one := func(bits int) { w.code(1<<bits-2, bits) } // the code of this length
	for i := range 33000 {                            // more than a window
		one([]int{1, 3, 4}[i*i%11%3])
	}
	for i := range 64 {
		for range i % 8 {
			one(1)
		}
		w.code(1<<15-1, 15) // 227 to 258 bytes
		w.number(i%32, 5)
		w.code(1<<15-1, 15) // 24577 to 32768 bytes back
		w.number(1<<13-1-i, 13)
	}
	one(2)
	w.number(0, 3) // the stored block whose tail is cut off
	want, err := plainInflated(w.buf, maxWindow)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 3, 4, 5, 6, 7, 8, 100, math.MaxInt} {
		if got, err := inflated(w.buf, nil, maxWindow, size); err != nil || !bytes.Equal(got, want) {
			t.Errorf("pieces of %d: %v, %d bytes, want %d", size, err, len(got), len(want))
		}
	}
}

// TestInflateUnusedSymbol meets the symbols that have a code but no meaning (RFC
// 1951, section 3.2.6), and a match that begins before all there is.
func TestInflateUnusedSymbol(t *testing.T) {
	for name, test := range map[string]struct {
		length, bits, dist int
		want               error
	}{
		"the greatest length": {0xc0 + 285 - 280, 8, 0, nil},
		"length 286":          {0xc0 + 286 - 280, 8, 0, errCorrupt},
		"length 287":          {0xc0 + 287 - 280, 8, 0, errCorrupt},
		"distance 30":         {257 - 256, 7, 30, errCorrupt},
		"distance 31":         {257 - 256, 7, 31, errCorrupt},
		"a byte too far":      {257 - 256, 7, 1, errCorrupt},
		"far too far":         {257 - 256, 7, 3, errCorrupt},
	} {
		for _, behind := range []int{0, 10, 300} { // at the end there is no quick way
			var w bitWriter
			w.number(0b010, 3) // not the last block, fixed codes
			w.code(0x30+'a', 8)
			w.code(test.length, test.bits)
			w.code(test.dist, 5)
			for range behind {
				w.code(0x30+'a', 8)
			}
			w.code(0, 7)   // the end of the block
			w.number(0, 3) // the stored block whose tail is cut off
			for _, size := range []int{1, 9, math.MaxInt} {
				got, err := inflated(w.buf, nil, maxWindow, size)
				if err != test.want || err == nil && len(got) != 1+maxMatch+behind || err != nil && string(got) != "a" {
					t.Errorf("%s, %d behind, pieces of %d: %q, %v", name, behind, size, got, err)
				}
			}
		}
	}
}

// TestInflateRepeatedLength repeats a length as often as there are codes left, once
// more, and before there is one.
func TestInflateRepeatedLength(t *testing.T) {
	for name, test := range map[string]struct {
		before bool // a repetition comes first of all
		times  int  // 3 to 6, of which 5 are left
		want   error
	}{
		"nothing to repeat":  {true, 5, errCorrupt},
		"as many as are":     {false, 5, nil},
		"one more than that": {false, 6, errCorrupt},
	} {
		var w bitWriter
		w.number(0b100, 3)                    // not the last block, codes of its own
		w.number(0, 5)                        // literals and the end
		w.number(16-1, 5)                     // distances
		w.number(maxCodeLens-4, 4)            // and how many lengths follow
		for _, symbol := range codeLenOrder { // the lengths are written in two bits each
			w.number(map[uint8]int{1: 2, 2: 2, 16: 2, 18: 2}[symbol], 3)
		}
		repeat := func(n int) { w.code(0b10, 2); w.number(n-3, 2) }
		zeros := func(n int) { w.code(0b11, 2); w.number(n-11, 7) }
		if test.before {
			repeat(3)
		}
		zeros(138)
		zeros(endOfBlock - 138)
		w.code(0, 2) // a length of 1
		zeros(11)
		repeat(test.times)
		w.number(0, 1) // the end of the block
		w.number(0, 3) // the stored block whose tail is cut off
		for _, size := range []int{1, 9, math.MaxInt} {
			if got, err := inflated(w.buf, nil, maxWindow, size); err != test.want || len(got) > 0 {
				t.Errorf("%s in pieces of %d: %q, %v", name, size, got, err)
			}
		}
	}
}
