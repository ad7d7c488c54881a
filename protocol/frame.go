package protocol

import (
	"encoding/binary"
	"fmt"
)

// An Opcode says what a frame carries (RFC 6455, section 5.2).
type Opcode uint8

// The opcodes that RFC 6455 defines; all others are reserved.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

// IsControl reports whether frames with this opcode are control frames
// (section 5.5): never fragmented, at most [MaxControlPayload] bytes.
func (op Opcode) IsControl() bool { return op&0x8 != 0 }

func (op Opcode) isDefined() bool { return op <= OpBinary || op >= OpClose && op <= OpPong }

// String returns the name that RFC 6455 gives to the opcode.
func (op Opcode) String() string {
	switch op {
	case OpContinuation:
		return "continuation"
	case OpText:
		return "text"
	case OpBinary:
		return "binary"
	case OpClose:
		return "close"
	case OpPing:
		return "ping"
	case OpPong:
		return "pong"
	}
	return fmt.Sprintf("opcode %#x", uint8(op))
}

const (
	// MaxControlPayload is the most bytes that a control frame carries
	// (section 5.5).
	MaxControlPayload = 125

	// MaxHeaderSize is the size in bytes of the longest frame header: two
	// bytes, a 64-bit length and a masking key (section 5.2).
	MaxHeaderSize = 2 + 8 + 4
)

// RSV holds the three reserved bits of a frame header, at the places where
// they stand in its first byte (section 5.2). Extensions give them meaning.
type RSV uint8

// The reserved bits. RSV1 is permessage-deflate's (RFC 7692, section 6).
const (
	RSV1 RSV = 0x40
	RSV2 RSV = 0x20
	RSV3 RSV = 0x10

	rsvBits RSV = RSV1 | RSV2 | RSV3
)

// The bits of a frame header's first two bytes (section 5.2).
const (
	finBit     = 0x80
	opcodeBits = 0x0f
	maskBit    = 0x80
	lengthBits = 0x7f

	length16 = 126 // a 16-bit length follows
	length64 = 127 // a 64-bit length follows
)

// A Header is the header of one frame (section 5.2).
type Header struct {
	Fin    bool    // the last frame of its message
	RSV    RSV     // reserved bits
	Opcode Opcode  // what the frame carries
	Masked bool    // the payload is masked with Mask
	Mask   [4]byte // masking key, in the order of the wire
	Length int64   // size of the payload in bytes, not negative
}

// AppendHeader appends the header's encoding to dst, with the length in as
// few bytes as will hold it.
func AppendHeader(dst []byte, h Header) []byte {
	first := byte(h.RSV) | byte(h.Opcode)
	if h.Fin {
		first |= finBit
	}
	second := byte(0)
	if h.Masked {
		second = maskBit
	}
	switch {
	case h.Length < length16:
		dst = append(dst, first, second|byte(h.Length))
	case h.Length <= 0xffff:
		dst = append(dst, first, second|length16)
		dst = binary.BigEndian.AppendUint16(dst, uint16(h.Length))
	default:
		dst = append(dst, first, second|length64)
		dst = binary.BigEndian.AppendUint64(dst, uint64(h.Length))
	}
	if h.Masked {
		dst = append(dst, h.Mask[:]...)
	}
	return dst
}

// ParseHeader reads a header from the beginning of b and returns its size in
// bytes, or 0 when b does not hold all of it yet. It reports what no frame of
// any extension may be: a reserved opcode, a fragmented or oversized control
// frame, a length that is not minimally encoded or has its top bit set
// (section 5.2); the error is a [*ViolationError] and comes as soon as the
// bytes at hand show it.
func ParseHeader(b []byte) (h Header, size int, err error) {
	size, wrong := h.parse(b)
	if wrong != noFault {
		return h, 0, wrong.inHeader(&h)
	}
	return h, size, nil
}

// parse sets the header from the beginning of b, as far as b goes, and returns
// its size, or 0 when b does not hold all of it.
func (h *Header) parse(b []byte) (size int, wrong fault) {
	if len(b) == 0 {
		return 0, noFault
	}
	h.Fin = b[0]&finBit != 0
	h.RSV = RSV(b[0]) & rsvBits
	h.Opcode = Opcode(b[0] & opcodeBits)
	if wrong = h.checkOpcode(); wrong != noFault || len(b) < 2 {
		return 0, wrong
	}
	h.Masked = b[1]&maskBit != 0
	size, wrong = h.parseLength(b)
	if size == 0 || !h.Masked {
		return size, wrong
	}
	if len(b) < size+len(h.Mask) {
		return 0, noFault
	}
	copy(h.Mask[:], b[size:])
	return size + len(h.Mask), noFault
}

func (h *Header) checkOpcode() fault {
	switch {
	case !h.Opcode.isDefined():
		return reservedOpcode
	case h.Opcode.IsControl() && !h.Fin:
		return fragmentedControl
	}
	return noFault
}

// parseLength reads the payload length and returns how many bytes of the
// header come before the masking key, 0 when b is too short to say.
func (h *Header) parseLength(b []byte) (size int, wrong fault) {
	switch short := b[1] & lengthBits; {
	case short < length16:
		h.Length = int64(short)
		return 2, noFault
	case h.Opcode.IsControl():
		return 0, longControl
	case short == length16:
		return h.parseLength16(b[2:])
	}
	return h.parseLength64(b[2:])
}

func (h *Header) parseLength16(b []byte) (size int, wrong fault) {
	if len(b) < 2 {
		return 0, noFault
	}
	h.Length = int64(binary.BigEndian.Uint16(b))
	if h.Length < length16 {
		return 0, longLength16
	}
	return 2 + 2, noFault
}

func (h *Header) parseLength64(b []byte) (size int, wrong fault) {
	switch {
	case len(b) > 0 && b[0]&0x80 != 0:
		return 0, negativeLength
	case len(b) < 8:
		return 0, noFault
	}
	h.Length = int64(binary.BigEndian.Uint64(b))
	if h.Length <= 0xffff {
		return 0, longLength64
	}
	return 2 + 8, noFault
}
