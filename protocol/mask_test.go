package protocol

import (
	"bytes"
	"testing"
)

// maskSlowly is section 5.3 word for word: octet i of the masked data is octet
// i of the original XOR octet i modulo 4 of the key.
func maskSlowly(src []byte, key [4]byte, offset int) []byte {
	dst := make([]byte, len(src))
	for i := range src {
		dst[i] = src[i] ^ key[(offset+i)%4]
	}
	return dst
}

// TestMask compares with the definition for each length up to some rounds of
// each loop, each offset and each alignment of source and destination.
func TestMask(t *testing.T) {
	payload := make([]byte, 128)
	for i := range payload {
		payload[i] = byte(i*7 + 1)
	}
	for length := range 110 {
		for offset := range 9 {
			for align := range 9 {
				src := payload[align : align+length]
				want := maskSlowly(src, wireKey, offset)

				room := bytes.Repeat([]byte{0xee}, 128)
				Mask(room[8-align:], src, wireKey, offset)
				if !bytes.Equal(room[8-align:][:length], want) {
					t.Fatalf("length %d, offset %d, align %d: %x, want %x", length, offset, align, room[8-align:][:length], want)
				}
				if rest := room[8-align+length:]; !bytes.Equal(rest, bytes.Repeat([]byte{0xee}, len(rest))) {
					t.Fatalf("length %d, offset %d, align %d: wrote behind the payload", length, offset, align)
				}

				inPlace := bytes.Clone(payload)[align : align+length]
				Mask(inPlace, inPlace, wireKey, offset)
				if !bytes.Equal(inPlace, want) {
					t.Fatalf("length %d, offset %d, align %d in place: %x, want %x", length, offset, align, inPlace, want)
				}
			}
		}
	}
}

// TestMaskPieces cuts a payload in three at all places: the offset carries the
// key on.
func TestMaskPieces(t *testing.T) {
	payload := []byte("The quick brown fox jumps over the lazy dog, twice.")
	want := maskSlowly(payload, wireKey, 0)
	for i := range payload {
		for j := i; j <= len(payload); j++ {
			got := make([]byte, len(payload))
			Mask(got, payload[:i], wireKey, 0)
			Mask(got[i:], payload[i:j], wireKey, i)
			Mask(got[j:], payload[j:], wireKey, j)
			if !bytes.Equal(got, want) {
				t.Fatalf("cut at %d and %d: %x, want %x", i, j, got, want)
			}
		}
	}
}

// TestMaskExample is the masked "Hello" of section 5.7.
func TestMaskExample(t *testing.T) {
	got := []byte("Hello")
	Mask(got, got, wireKey, 0)
	if want := unhex(t, "7f 9f 4d 51 58"); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}
