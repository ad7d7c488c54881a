package load

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// However the stream is cut, the same messages are counted.
func TestScan(t *testing.T) {
	var stream []byte
	want := 0
	for _, size := range []int{0, 1, 125, 126, 65535, 65536} {
		for _, masked := range []bool{false, true} {
			stream = append(stream, 0x89, 0) // a ping
			stream = append(stream, Frame(bytes.Repeat([]byte("x"), size), masked)...)
			want++
		}
	}
	stream = append(stream, 0x02, 1, 'x', 0x80, 1, 'y') // two fragments
	want++
	for _, piece := range []int{1, 2, 3, 1000, len(stream)} {
		var s scanner
		got := 0
		for b := stream; len(b) > 0; {
			n := min(piece, len(b))
			messages, err := s.scan(b[:n])
			if err != nil {
				t.Fatal(err)
			}
			got, b = got+messages, b[n:]
		}
		if got != want {
			t.Errorf("in pieces of %d: %d messages, want %d", piece, got, want)
		}
	}
}

// Pings are answered, by a client with masked frames.
func TestAttend(t *testing.T) {
	ping := frame(0x89, []byte("are you there"), false)
	in, out := iotest.OneByteReader(bytes.NewReader(append(ping, Frame(nil, false)...))), new(bytes.Buffer)
	rw := struct {
		io.Reader
		io.Writer
	}{in, out}
	if err := Attend(rw); err != io.EOF {
		t.Errorf("error %v, want EOF", err)
	}
	if want := frame(0x8a, []byte("are you there"), true); !bytes.Equal(out.Bytes(), want) {
		t.Errorf("answer %x, want %x", out, want)
	}
}

func TestScanClose(t *testing.T) {
	var s scanner
	if _, err := s.scan([]byte{0x88, 0}); err != errClosed {
		t.Errorf("error %v, want %v", err, errClosed)
	}
}
