package protocol

import (
	"bytes"
	"encoding/binary"
	"slices"
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

// A maskKind is a way to mask, from some length on.
type maskKind struct {
	least int
	mask  func(dst, src []byte, k uint32)
}

// maskKinds are the kinds of vectors that this processor has; each is tested by
// itself. Long payloads without vectors are tested where there are none, on 386.
var maskKinds = make(map[string]maskKind)

// TestMask compares each way, and the choice among them, with the definition for
// each length up to some rounds of each loop, each offset and each alignment of
// source and destination, which may be the same or begin a little before the source.
func TestMask(t *testing.T) {
	testMask(t, "Mask", 0, Mask)
	for name, kind := range maskKinds {
		testMask(t, name, kind.least, func(dst, src []byte, key [4]byte, offset int) {
			kind.mask(dst, src, rotateKey(binary.LittleEndian.Uint32(key[:]), offset))
		})
	}
}

func testPayload() []byte {
	payload := make([]byte, 720)
	for i := range payload {
		payload[i] = byte(i*7 + 1)
	}
	return payload
}

func testMask(t *testing.T, name string, least int, mask func(dst, src []byte, key [4]byte, offset int)) {
	const all, most = 330, 640 // of those between, a few: the loop goes round more often
	payload := testPayload()
	untouched := bytes.Repeat([]byte{0xee}, len(payload))
	for length := least; length <= most; length += 1 + length/all*30 {
		for offset := range 4 {
			for align := range 33 {
				src := payload[align : align+length]
				want := maskSlowly(src, wireKey, offset)

				dst := bytes.Clone(untouched)
				at := 32 - align
				mask(dst[at:at+length], src, wireKey, offset)
				if !bytes.Equal(dst[at:at+length], want) {
					t.Fatalf("%s, length %d, offset %d, align %d: %x, want %x", name, length, offset, align, dst[at:at+length], want)
				}
				if !bytes.Equal(dst[:at], untouched[:at]) || !bytes.Equal(dst[at+length:], untouched[at+length:]) {
					t.Fatalf("%s, length %d, offset %d, align %d: wrote outside the payload", name, length, offset, align)
				}

				testMaskMoving(t, name, length, offset, align, 0, mask)
				testMaskMoving(t, name, length, offset, align, 1+(length+align)%16, mask)
			}
		}
	}
}

// testMaskMoving masks within the same memory, down by so many bytes.
func testMaskMoving(t *testing.T, name string, length, offset, align, down int, mask func(dst, src []byte, key [4]byte, offset int)) {
	all := testPayload()
	want := slices.Concat(all[:align], maskSlowly(all[align+down:][:length], wireKey, offset), all[align+length:])
	mask(all[align:align+length], all[align+down:][:length], wireKey, offset)
	if !bytes.Equal(all, want) {
		t.Fatalf("%s, length %d, offset %d, align %d, moved by %d: %x, want %x", name, length, offset, align, down, all, want)
	}
}

func TestAppendMasked(t *testing.T) {
	src := []byte("The quick brown fox")
	want := "abc" + string(maskSlowly(src, wireKey, 3))
	for _, room := range []int{0, 100} {
		if got := AppendMasked(append(make([]byte, 0, 3+room), "abc"...), src, wireKey, 3); string(got) != want {
			t.Errorf("with %d bytes of room: %q, want %q", room, got, want)
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
