package load

import (
	"encoding/binary"
	"errors"
	"io"
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

// A scanner counts the messages in a stream of frames, of which it looks at
// nothing but the headers, and answers pings.
type scanner struct {
	head  [14]byte
	have  int    // bytes of the header
	left  uint64 // bytes of the payload that are still to come
	ping  []byte // the payload of a ping, as far as it has come
	pongs []byte // frames to be sent
}

var errClosed = errors.New("the peer closed the connection")

// scan returns how many messages end in b. Control frames do not count.
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
		if s.opcode() == 9 {
			s.ping = append(s.ping, b[:n]...)
		}
		s.left, b = s.left-n, b[n:]
		if s.left > 0 {
			return messages, nil
		}
		switch opcode := s.opcode(); {
		case opcode == 8:
			return messages, errClosed
		case opcode == 9:
			s.answer()
		case opcode < 8 && s.head[0]&0x80 != 0:
			messages++
		}
		s.have = 0
	}
	return messages, nil
}

// Attend reads and answers pings until the stream ends.
func Attend(rw io.ReadWriter) error {
	var s scanner
	for buf := make([]byte, 512); ; {
		n, err := rw.Read(buf)
		if err == nil {
			_, err = s.scan(buf[:n])
		}
		if err == nil && len(s.pongs) > 0 {
			_, err = rw.Write(s.pongs)
			s.pongs = nil
		}
		if err != nil {
			return err
		}
	}
}

// answer makes a pong of the ping. Who receives masked frames is a server, and
// sends none.
func (s *scanner) answer() {
	masked := s.head[1]&0x80 != 0
	if masked {
		for i := range s.ping {
			s.ping[i] ^= s.head[2+i&3]
		}
	}
	s.pongs = append(s.pongs, frame(0x8a, s.ping, !masked)...)
	s.ping = s.ping[:0]
}

func (s *scanner) opcode() byte { return s.head[0] & 0x0f }

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
