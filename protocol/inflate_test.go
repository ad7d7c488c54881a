package protocol

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// inflated decompresses a message that was cut off its flush tail, in pieces of
// the given size; the matches may reach window bytes back.
func inflated(message, history []byte, window, size int) ([]byte, error) {
	z := new(inflater)
	z.begin(history, window)
	var out []byte
	var err error
	for len(message) > 0 && err == nil {
		n := min(size, len(message))
		out, err = z.inflate(out, message[:n], math.MaxInt)
		message = message[n:]
	}
	if err != nil {
		return out, err
	}
	return z.end(out, math.MaxInt)
}

// samples are payloads that exercise all kinds of blocks.
func samples() [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 70000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	words := bytes.Repeat([]byte("the quick brown fox "), 5000)
	var mixed []byte
	for len(mixed) < 120000 {
		switch n := rng.IntN(500); rng.IntN(3) {
		case 0:
			mixed = append(mixed, noise[n:2*n]...)
		case 1:
			mixed = fmt.Appendf(mixed, `{"id":%d,"price":%d.%02d,"name":"item %d"}`, n, n*7, n%100, n)
		default:
			if from := len(mixed) - rng.IntN(40000) - n; from >= 0 {
				mixed = append(mixed, mixed[from:from+n]...)
			}
		}
	}
	return [][]byte{nil, []byte("a"), []byte("Hello"), words, noise, mixed, bytes.Repeat([]byte{0}, 70000)}
}

// TestInflate decompresses what another implementation made, at all levels, cut
// in many ways.
func TestInflate(t *testing.T) {
	for i, want := range samples() {
		for level := -2; level <= 9; level += 1 + (level+2)/3 {
			var buf bytes.Buffer
			w, err := stdflate.NewWriter(&buf, level)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(want)
			w.Flush()
			message, ok := bytes.CutSuffix(buf.Bytes(), flushTail)
			if !ok {
				t.Fatal("no flush tail")
			}
			for _, size := range []int{1, 7, 1000, math.MaxInt} {
				got, err := inflated(message, nil, maxWindow, size)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("sample %d, level %d, pieces of %d: %v, %d bytes instead of %d", i, level, size, err, len(got), len(want))
				}
			}
		}
	}
}

// TestInflateVectors decompresses the examples of RFC 7692, section 7.2.3, and
// what else may end a message.
func TestInflateVectors(t *testing.T) {
	for name, test := range map[string]struct{ message, history, want string }{
		"7.2.3.1 one block":             {"\xf2\x48\xcd\xc9\xc9\x07\x00", "", "Hello"},
		"7.2.3.2 context takeover":      {"\xf2\x00\x11\x00\x00", "Hello", "Hello"},
		"7.2.3.3 no compression":        {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "", "Hello"},
		"7.2.3.4 final block":           {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "", "Hello"},
		"7.2.3.5 two blocks":            {"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "", "Hello"},
		"7.2.3.6 empty":                 {"\x00", "", ""},
		"nothing":                       {"", "", ""},
		"tail left in place":            {"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", "", "Hello"},
		"final block and nothing else":  {"\xf3\x48\xcd\xc9\xc9\x07\x00", "", "Hello"},
		"block behind the final one":    {"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", "", "HelloHello"},
		"several empty blocks in a row": {"\x00\x00\x00\xff\xff\x00\x00\x00\xff\xff\x00", "", ""},
	} {
		for size := 1; size <= len(test.message)+1; size++ {
			got, err := inflated([]byte(test.message), []byte(test.history), 1<<8, size)
			if err != nil || string(got) != test.want {
				t.Errorf("%s in pieces of %d: %q, %v", name, size, got, err)
			}
		}
	}
}

// TestInflateCorrupt finds what is no deflate stream, at the byte that shows it.
func TestInflateCorrupt(t *testing.T) {
	for name, test := range map[string]struct {
		message string
		want    error
	}{
		"reserved block type":           {"\x06", errCorrupt},
		"stored length":                 {"\x00\x05\x00\xfa\xfe", errCorrupt},
		"match before the beginning":    {"\xf2\x00\x11\x00", errCorrupt},
		"cut off in a stored block":     {"\x00\x0f\x00\xf0\xff\x48", errTruncated},
		"cut off in a block":            {"\xf2\x48\xcd", errTruncated},
		"too many distance codes":       {"\x04\xdf", errCorrupt},
		"too many length codes":         {"\xfc\x00", errCorrupt},
		"code lengths beyond their sum": {"\x04\x00\xfe\xff\xff\xff\xff\xff\xff", errCorrupt},
	} {
		for size := 1; size <= len(test.message); size++ {
			if got, err := inflated([]byte(test.message), nil, maxWindow, size); !errors.Is(err, test.want) {
				t.Errorf("%s in pieces of %d: %q, %v", name, size, got, err)
			}
		}
	}
}

// TestInflateWindow takes a match that reaches back as far as the window does,
// and refuses one that goes a byte further: what other tests rely on who look at
// the windows of what we send.
func TestInflateWindow(t *testing.T) {
	for bits := minWindowBits; bits < maxWindowBits; bits++ {
		window := 1 << bits
		history := bytes.Repeat([]byte("0123456789abcdef"), 1<<maxWindowBits/16)
		for name, test := range map[string]struct {
			code, extra int // of the distance
			want        error
		}{
			"the window":          {2*bits - 1, 1<<(bits-2) - 1, nil}, // 2^bits is the last distance of its code,
			"a byte more":         {2 * bits, 0, errCorrupt},          // and the next one the first of its own
			"much more than that": {2*bits + 1, 0, errCorrupt},
		} {
			for _, behind := range []int{0, 100} { // at the end there is no quick way
				message := farMatch(test.code, test.extra, behind)
				if got, err := inflated(message, history, window, math.MaxInt); err != test.want {
					t.Errorf("window %d, %s: %q, %v", window, name, got, err)
				}
				if test.want != nil { // it is the window that is in the way
					if got, err := inflated(message, history, maxWindow, math.MaxInt); err != nil || len(got) != 3+behind {
						t.Errorf("no window, %s: %q, %v", name, got, err)
					}
				}
			}
		}
	}
}

// A bitWriter writes bits as deflate packs them (RFC 1951, section 3.1.1).
type bitWriter struct {
	buf []byte
	n   int
}

// number writes a number, its least significant bit first.
func (w *bitWriter) number(value, bits int) {
	for i := range bits {
		if w.n%8 == 0 {
			w.buf = append(w.buf, 0)
		}
		w.buf[w.n/8] |= byte(value >> i & 1 << (w.n % 8))
		w.n++
	}
}

// code writes a Huffman code, its most significant bit first.
func (w *bitWriter) code(value, bits int) {
	for i := bits - 1; i >= 0; i-- {
		w.number(value>>i&1, 1)
	}
}

// farMatch is a block with fixed codes (RFC 1951, section 3.2.6) that has one
// match of three bytes, and behind it so many literals.
func farMatch(code, extra, behind int) (message []byte) {
	var w bitWriter
	w.number(0b010, 3) // not the last block, fixed codes
	w.code(257-256, 7) // a length of 3
	w.code(code, 5)
	w.number(extra, code/2-1)
	for range behind {
		w.code(0x30, 8) // the byte 0
	}
	w.code(0, 7)   // the end of the block
	w.number(0, 3) // the stored block whose tail is cut off
	return w.buf
}

// TestInflateUnusedCode meets a code that nothing stands for, where a block has
// one distance code or none: it is not taken for any.
func TestInflateUnusedCode(t *testing.T) {
	for _, test := range []struct {
		dists int // of a single code: 0 or 1
		bit   int // the distance code that is met
		want  error
	}{{1, 0, nil}, {1, 1, errCorrupt}, {0, 0, errCorrupt}, {0, 1, errCorrupt}} {
		for _, behind := range []int{0, 10, 300} { // at the end there is no quick way
			message := ownCodes(test.dists, test.bit, behind)
			for _, size := range []int{1, 9, math.MaxInt} {
				got, err := inflated(message, nil, maxWindow, size)
				if err != test.want || err == nil && len(got) != 4+behind || err != nil && string(got) != "a" {
					t.Errorf("%+v, %d behind, pieces of %d: %q, %v", test, behind, size, got, err)
				}
			}
		}
	}
}

// ownCodes is a block with codes of its own: 0 for "a", 10 for its end, 11 for a
// match of three bytes and, if dists is 1, 0 for a distance of one byte. In it
// stand an "a", a match and so many times "a" again.
func ownCodes(dists, dist, behind int) []byte {
	var w bitWriter
	w.number(0b100, 3)                    // not the last block, codes of its own
	w.number(258-257, 5)                  // literals and lengths
	w.number(0, 5)                        // one code for distances
	w.number(18-4, 4)                     // and how many lengths follow
	for _, n := range codeLenOrder[:18] { // the lengths are written in two bits each
		w.number(map[uint8]int{0: 2, 1: 2, 2: 2, 18: 2}[n], 3)
	}
	length := func(n int) { w.code(n, 2) }
	zeros := func(n int) { w.code(0b11, 2); w.number(n-11, 7) }
	zeros('a')
	length(1)
	zeros(138)
	zeros(endOfBlock - 'a' - 1 - 138)
	length(2)
	length(2)
	length(dists)
	w.code(0, 1)
	w.code(0b11, 2)
	w.number(dist, 1)
	for range behind {
		w.code(0, 1)
	}
	w.code(0b10, 2)
	w.number(0, 3) // the stored block whose tail is cut off
	return w.buf
}

// TestInflateAtOnce gives each byte as soon as it can be known.
func TestInflateAtOnce(t *testing.T) {
	z := new(inflater)
	z.begin(nil, maxWindow)
	var out []byte
	for i, b := range []byte("\xf2\x48\xcd\xc9\xc9\x07\x00") {
		var err error
		if out, err = z.inflate(out, []byte{b}, math.MaxInt); err != nil {
			t.Fatal(err)
		}
		// Three bits of header and eight of a literal each: the first byte is
		// known with the second.
		if want := min(5, max(0, (8*(i+1)-3)/8)); len(out) != want {
			t.Errorf("%d bytes in: %q, want %d", i+1, out, want)
		}
	}
}

// TestInflateAgain leaves a message at each byte, and begins another with the
// same inflater: nothing of the first goes over into it.
func TestInflateAgain(t *testing.T) {
	z := new(inflater)
	for _, level := range []int{stdflate.HuffmanOnly, stdflate.NoCompression, stdflate.BestCompression} {
		want := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog, "), 20)
		var b bytes.Buffer
		w, _ := stdflate.NewWriter(&b, level)
		w.Write(want)
		w.Flush()
		for cut := range b.Len() {
			z.begin([]byte("another history"), 1<<minWindowBits)
			z.inflate(nil, b.Bytes()[:cut], math.MaxInt)
			z.begin(nil, maxWindow)
			if got, err := z.inflate(nil, b.Bytes(), math.MaxInt); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("level %d, after %d bytes of another message: %d bytes, %v", level, cut, len(got), err)
			}
		}
	}
}

// TestInflateRoom stops at the limit, and reports it only if there is more.
func TestInflateRoom(t *testing.T) {
	message := []byte("\xf2\x48\xcd\xc9\xc9\x07\x00")
	for room := range 7 {
		z := new(inflater)
		z.begin(nil, maxWindow)
		out, err := z.inflate(nil, message, room)
		if string(out) != "Hello"[:min(room, 5)] || errors.Is(err, ErrMessageTooBig) != (room < 5) {
			t.Errorf("room for %d: %q, %v", room, out, err)
		}
	}
}

// FuzzInflate compares with other implementations, a plain one that takes what
// RFC 7692 allows and one that knows of RFC 1951 alone, and pieces with the whole.
func FuzzInflate(f *testing.F) {
	f.Add([]byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), 1, uint8(15))
	f.Add([]byte("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), 3, uint8(8))
	f.Add([]byte("\x04\xc0\xb1\x0d\x00\x00\x00\xc2\x20"), 2, uint8(9))
	for _, sample := range samples() {
		var b bytes.Buffer
		w, _ := stdflate.NewWriter(&b, stdflate.BestCompression)
		w.Write(sample[:min(len(sample), 3000)])
		w.Flush()
		f.Add(bytes.TrimSuffix(b.Bytes(), flushTail), 100, uint8(15))
	}
	f.Fuzz(func(t *testing.T, message []byte, size int, windowBits uint8) {
		if len(message) > 4<<10 {
			return // nothing new, and the plain one is slow
		}
		window := 1 << (minWindowBits + windowBits%8)
		whole, err := inflated(message, nil, window, math.MaxInt)
		pieces, err2 := inflated(message, nil, window, max(size, 1))
		if !bytes.Equal(whole, pieces) || !errors.Is(err, err2) {
			t.Fatalf("%d bytes, %v; in pieces of %d %d bytes, %v", len(whole), err, size, len(pieces), err2)
		}
		if plain, wrong := plainInflated(message, window); !bytes.Equal(whole, plain) || (err == nil) != (wrong == nil) {
			t.Fatalf("%q, %v instead of %q, %v", whole, err, plain, wrong)
		}
		if window < maxWindow {
			return // the other one has no bound
		}
		r := stdflate.NewReader(bytes.NewReader(append(bytes.Clone(message), "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...)))
		var theirs bytes.Buffer
		if _, wrong := theirs.ReadFrom(r); err == nil && wrong == nil && !bytes.HasPrefix(whole, theirs.Bytes()) {
			t.Fatalf("%q instead of %q", whole, theirs.Bytes())
		}
	})
}
