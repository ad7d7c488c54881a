package load

import (
	"encoding/binary"
	"errors"
)

// Frame returns the payload as a binary message of one frame. The masking key is
// constant: what it costs to make one is not to be measured here.
func Frame(payload []byte, masked bool) []byte { return frame(0x82, payload, masked) }

// Compressed is like Frame for a text message that is compressed already.
func Compressed(payload []byte, masked bool) []byte { return frame(0xc1, payload, masked) }

func frame(first byte, payload []byte, masked bool) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	if !masked {
		return append(b, payload...)
	}
	b[1] |= 0x80
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, key[:]...)
	for i, c := range payload {
		b = append(b, c^key[i&3])
	}
	return b
}

// A scanner counts the messages in a stream of frames and looks at nothing but
// their headers.
type scanner struct {
	head [14]byte
	have int    // bytes of the header
	left uint64 // bytes of the payload that are still to come
}

var errClosed = errors.New("the peer closed the connection")

// scan returns how many messages end in b. Control frames count nothing.
func (s *scanner) scan(b []byte) (messages int, err error) {
	for len(b) > 0 || s.complete() {
		if !s.complete() {
			n := copy(s.head[s.have:s.length()], b)
			s.have, b = s.have+n, b[n:]
			if s.complete() {
				s.left = s.payload()
			}
			continue
		}
		n := min(uint64(len(b)), s.left)
		s.left, b = s.left-n, b[n:]
		if s.left > 0 {
			return messages, nil
		}
		opcode := s.head[0] & 0x0f
		if opcode == 8 {
			return messages, errClosed
		}
		if opcode < 8 && s.head[0]&0x80 != 0 {
			messages++
		}
		s.have = 0
	}
	return messages, nil
}

func (s *scanner) complete() bool { return s.have >= 2 && s.have == s.length() }

// length is that of the header, as far as it is known.
func (s *scanner) length() int {
	if s.have < 2 {
		return 2
	}
	n := 2
	switch s.head[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if s.head[1]&0x80 != 0 {
		n += 4
	}
	return n
}

func (s *scanner) payload() uint64 {
	switch n := s.head[1] & 0x7f; n {
	case 126:
		return uint64(binary.BigEndian.Uint16(s.head[2:]))
	case 127:
		return binary.BigEndian.Uint64(s.head[2:])
	default:
		return uint64(n)
	}
}
