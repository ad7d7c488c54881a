package load

import (
	"bytes"
	"testing"
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

func TestScanClose(t *testing.T) {
	var s scanner
	if _, err := s.scan([]byte{0x88, 0}); err != errClosed {
		t.Errorf("error %v, want %v", err, errClosed)
	}
}
