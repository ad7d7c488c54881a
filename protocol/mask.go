package protocol

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Mask masks src into dst, or unmasks it, with key (RFC 6455, section 5.3).
// offset is where in the payload src begins, so that a payload can be treated
// piece by piece. dst has room for len(src) bytes; it may be src itself, or
// overlap it and begin before it, but not behind.
func Mask(dst, src []byte, key [4]byte, offset int) {
	dst = dst[:len(src)]
	k := rotateKey(binary.LittleEndian.Uint32(key[:]), offset)
	if len(src) >= minMaskVector {
		maskVector(dst, src, k)
		return
	}
	// For short payloads words of 8 bytes are faster than a call of what uses
	// vectors, and faster here than in a function of their own.
	k64 := uint64(k)<<32 | uint64(k)
	for len(src) >= 32 {
		s, d := src[:32], dst[:32]
		binary.LittleEndian.PutUint64(d, binary.LittleEndian.Uint64(s)^k64)
		binary.LittleEndian.PutUint64(d[8:], binary.LittleEndian.Uint64(s[8:])^k64)
		binary.LittleEndian.PutUint64(d[16:], binary.LittleEndian.Uint64(s[16:])^k64)
		binary.LittleEndian.PutUint64(d[24:], binary.LittleEndian.Uint64(s[24:])^k64)
		src, dst = src[32:], dst[32:]
	}
	for len(src) >= 8 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^k64)
		src, dst = src[8:], dst[8:]
	}
	for i := range src {
		dst[i] = src[i] ^ byte(k)
		k = bits.RotateLeft32(k, -8)
	}
}

// rotateKey returns the key for what comes n bytes later.
func rotateKey(key uint32, n int) uint32 { return bits.RotateLeft32(key, -8*(n&3)) }

// AppendMasked appends src, masked with key, to dst. It copies and masks at
// once; src must not be in the room behind dst. See [Mask] for offset.
func AppendMasked(dst, src []byte, key [4]byte, offset int) []byte {
	at := len(dst)
	dst = slices.Grow(dst, len(src))[:at+len(src)]
	Mask(dst[at:], src, key, offset)
	return dst
}
