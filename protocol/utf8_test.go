package protocol

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// beginnings has every string that begins a character and is not all of it,
// made from the characters themselves.
var beginnings = func() map[string]bool {
	set := make(map[string]bool)
	for r := rune(0x80); r <= utf8.MaxRune; r++ {
		var buf [utf8.UTFMax]byte
		if !utf8.ValidRune(r) {
			continue
		}
		for n := range utf8.EncodeRune(buf[:], r) {
			set[string(buf[:n])] = true
		}
	}
	return set
}()

// canBeText reports by the definition whether valid text can begin with p, and
// whether it can be all of it: whole characters, then perhaps a beginning.
func canBeText(p []byte) (begins, complete bool) {
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 {
			return beginnings[string(p)], false
		}
		p = p[size:]
	}
	return true, true
}

// checkUTF8 gives the pieces to a validator and compares its answer after each
// with the definition.
func checkUTF8(t *testing.T, pieces ...[]byte) {
	var v UTF8Validator
	var sofar []byte
	for _, piece := range pieces {
		sofar = append(sofar, piece...)
		begins, complete := canBeText(sofar)
		if got := v.Write(piece); got != begins {
			t.Fatalf("after %x, with pieces %x: %t, want %t", sofar, pieces, got, begins)
		}
		if !begins {
			return
		}
		if got := v.Complete(); got != complete {
			t.Fatalf("after %x, with pieces %x: complete %t, want %t", sofar, pieces, got, complete)
		}
	}
	if valid := utf8.Valid(sofar); valid != v.Complete() {
		t.Fatalf("%x is complete: %t, but valid: %t", sofar, v.Complete(), valid)
	}
}

func checkUTF8Splits(t *testing.T, p []byte) {
	checkUTF8(t, p)
	checkUTF8(t, byteByByte(p)...)
	for i := range p {
		checkUTF8(t, p[:i], p[i:])
	}
}

// TestUTF8Boundaries tries all strings of one and two bytes, all of three that
// are made of the bytes around which the rules change (RFC 3629, section 4),
// and all of four that begin as a character of three or four bytes.
func TestUTF8Boundaries(t *testing.T) {
	for a := range 256 {
		checkUTF8Splits(t, []byte{byte(a)})
		for b := range 256 {
			checkUTF8Splits(t, []byte{byte(a), byte(b)})
		}
	}
	edges := []byte{
		0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf,
		0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
	}
	for _, a := range edges {
		for _, b := range edges {
			for _, c := range edges {
				checkUTF8Splits(t, []byte{a, b, c})
				if a < 0xef || a > 0xf4 {
					continue
				}
				for _, d := range edges {
					checkUTF8Splits(t, []byte{a, b, c, d})
				}
			}
		}
	}
}

// TestUTF8Random tries text with characters of all lengths, right and with one
// byte changed, in random pieces.
func TestUTF8Random(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("aé€\ufffd\u07ff\u0800\ud7ff\ue000\uffff𝄞\U0010ffff\x00\x7f")
	for range 5000 {
		var p []byte
		for range rnd.IntN(12) {
			p = utf8.AppendRune(p, alphabet[rnd.IntN(len(alphabet))])
		}
		if len(p) > 0 && rnd.IntN(2) == 0 {
			p[rnd.IntN(len(p))] = byte(rnd.IntN(256))
		}
		checkUTF8(t, randomPieces(rnd, p)...)
	}
}

// randomPieces cuts b at random places; pieces may be empty.
func randomPieces(rnd *rand.Rand, b []byte) (pieces [][]byte) {
	for len(b) > 0 {
		n := rnd.IntN(min(len(b), 5) + 1)
		pieces = append(pieces, bytes.Clone(b[:n]))
		b = b[n:]
	}
	return pieces
}

// TestUTF8Reset uses a validator again after text that ended in a character.
func TestUTF8Reset(t *testing.T) {
	var v UTF8Validator
	v.Write([]byte("\xe2\x82"))
	v.Reset()
	if !v.Write([]byte("a")) || !v.Complete() {
		t.Error("the text before a reset still counts")
	}
}
