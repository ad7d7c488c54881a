package peers

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// A frame is one as RFC 6455, section 5.2, lays it out. This is a decoder of
// the tests' own: that of package protocol would forgive itself.
type frame struct {
	fin         bool
	reserved    byte // RSV1 to RSV3
	opcode      byte
	masked      bool
	lengthBytes int // 1, 3 or 9: how the length is written
	payload     []byte
}

var opcodes = map[byte]string{0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}

// String shows a frame on one line.
func (f frame) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "frame: %s fin=%v", opcodes[f.opcode], f.fin)
	if f.reserved != 0 {
		fmt.Fprintf(&b, " reserved=%d", f.reserved)
	}
	fmt.Fprintf(&b, " masked=%v length=%d in %d bytes payload=", f.masked, len(f.payload), f.lengthBytes)
	if len(f.payload) > 40 {
		b.WriteString(digest(f.payload))
	} else {
		fmt.Fprintf(&b, "%q", f.payload)
	}
	return b.String()
}

// split separates what one side has sent: the head of its HTTP message, and
// the frames.
func split(sent []byte) (head string, frames []frame, err error) {
	const blankLine = "\r\n\r\n"
	at := bytes.Index(sent, []byte(blankLine))
	if at < 0 {
		return "", nil, fmt.Errorf("no end of the HTTP head in %q", sent)
	}
	r := bufio.NewReader(bytes.NewReader(sent[at+len(blankLine):]))
	for {
		f, err := readFrame(r)
		if err == io.EOF {
			return string(sent[:at]), frames, nil
		}
		if err != nil {
			return "", nil, fmt.Errorf("after %d frames: %w", len(frames), err)
		}
		frames = append(frames, f)
	}
}

// readFrame reads one frame. io.EOF means that there is none.
func readFrame(r io.Reader) (f frame, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	f.fin, f.reserved, f.opcode = head[0]&0x80 != 0, head[0]>>4&7, head[0]&15
	f.masked = head[1]&0x80 != 0
	length, err := readLength(r, &f, head[1]&0x7f)
	if err != nil {
		return f, whole(err)
	}
	var key [4]byte
	if f.masked {
		if _, err := io.ReadFull(r, key[:]); err != nil {
			return f, whole(err)
		}
	}
	f.payload, err = io.ReadAll(io.LimitReader(r, int64(length)))
	if err != nil || uint64(len(f.payload)) < length {
		return f, whole(err)
	}
	for i := range f.payload {
		f.payload[i] ^= key[i%4] // of zeros when it is not masked
	}
	return f, nil
}

// readLength reads the rest of a length and notes how it is written.
func readLength(r io.Reader, f *frame, first byte) (uint64, error) {
	size := map[byte]int{126: 2, 127: 8}[first]
	f.lengthBytes = 1 + size
	if size == 0 {
		return uint64(first), nil
	}
	var b [8]byte
	_, err := io.ReadFull(r, b[8-size:])
	return binary.BigEndian.Uint64(b[:]), err
}

// whole turns an end inside a frame into the error that it is.
func whole(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// fragments returns the payloads of the frames of the first fragmented
// message, decompressed if need be; nil when there is none.
func fragments(frames []frame) (pieces []string) {
	compressed := false
	for _, f := range frames {
		data := f.opcode < 8
		if !data || f.fin && pieces == nil {
			continue
		}
		pieces = append(pieces, string(f.payload))
		compressed = compressed || f.reserved != 0
		if f.fin {
			break
		}
	}
	if compressed {
		return inflated(pieces)
	}
	return pieces
}

// inflated decompresses the fragments of a message that refers to none before
// it, as the standard library does.
func inflated(compressed []string) (pieces []string) {
	all, known := "", 0
	for _, piece := range compressed {
		all += piece
		// What the reader makes of it before it finds that more is to come.
		plain, _ := io.ReadAll(flate.NewReader(strings.NewReader(all + "\x00\x00\xff\xff")))
		pieces = append(pieces, string(plain[known:]))
		known = len(plain)
	}
	return pieces
}
