package protocol

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// lender is memory that remembers what it was given.
type lender struct {
	more                     int // than was asked for
	lent, returned, released [][]byte
}

func (l *lender) Lend(n int) []byte {
	data := bytes.Repeat([]byte{0xff}, n+l.more)[:0]
	l.lent = append(l.lent, data)
	return data
}

func (l *lender) Return(data []byte)  { l.returned = append(l.returned, data) }
func (l *lender) Release(data []byte) { l.released = append(l.released, data) }

// lending has a lender keep memory during the test.
func lending(t *testing.T) *lender {
	before, l := memory, &lender{more: 100}
	KeepReleased(l)
	t.Cleanup(func() { KeepReleased(before) })
	return l
}

// TestRelease releases messages with a driver that keeps memory, and without.
func TestRelease(t *testing.T) {
	m := TextMessage("left to the garbage collector")
	if m.Release(); m.Data != nil {
		t.Errorf("data %q left", m.Data)
	}
	l, data := lending(t), []byte("kept")
	m = BinaryMessage(data)
	if m.Release(); m.Data != nil || len(l.released) != 1 || &l.released[0][0] != &data[0] {
		t.Errorf("data %q left, %q released, want %q", m.Data, l.released, data)
	}
}

// TestLentMemory puts a message together in memory that was lent. All of that comes
// back but the message's own; what is the caller's never does.
func TestLentMemory(t *testing.T) {
	for name, dst := range map[string][]byte{"own": nil, "the caller's": make([]byte, 0, 10), "the caller's, with much in it": make([]byte, 100_000)} {
		for _, compressed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, compressed %t", name, compressed), func(t *testing.T) {
				l, c := lending(t), NewConn(Config{Role: Client})
				payload := append(resembling(rand.New(rand.NewPCG(1, 2)), 200_000), make([]byte, 200_000)...)
				h, sent := Header{Fin: true, Opcode: OpBinary}, payload
				if compressed {
					client, server := negotiated(t, nil, nil)
					c.InitFrom(&Config{Role: Client, Extensions: []Extension{client}})
					sent, _, _ = server.Encode(nil, payload, Fragment{Type: Binary, First: true, Last: true})
					h.RSV = RSV1
				}
				if dst != nil {
					c.AssembleInto(dst)
				}
				h.Length = int64(len(sent))
				var ev *Event
				for piece := range slices.Chunk(append(AppendHeader(nil, h), sent...), 300) {
					c.Received(time.Time{}, 0, piece)
					ev = c.Next()
				}
				if ev.Kind != EventMessage || !ev.Owned || !bytes.Equal(ev.Data, append(dst[:len(dst):len(dst)], payload...)) {
					t.Fatalf("event %v of %d bytes, %v", ev.Kind, len(ev.Data), c.Violation())
				}
				checkReturned(t, l, ev.Data, dst)
				for _, lent := range l.lent {
					if cap(lent) < len(dst) {
						t.Errorf("%d bytes were lent for what has %d already", cap(lent), len(dst))
					}
				}
			})
		}
	}
}

// checkReturned fails the test if something came back that is in use, or twice.
func checkReturned(t *testing.T, l *lender, inUse ...[]byte) {
	t.Helper()
	seen := make(map[*byte]bool)
	for _, data := range inUse {
		if cap(data) > 0 {
			seen[&data[:1][0]] = true
		}
	}
	l.returned = slices.DeleteFunc(l.returned, func(data []byte) bool { return cap(data) == 0 })
	for _, data := range l.returned {
		if first := &data[:1][0]; seen[first] {
			t.Errorf("%d bytes came back that are in use", cap(data))
		} else {
			seen[first] = true
		}
	}
	if want := len(l.lent) - 1; want < 1 || len(l.returned) != want && cap(inUse[1]) == 0 {
		t.Errorf("memory was lent %d times and came back %d times", len(l.lent), len(l.returned))
	}
}

// TestLentInflated: memory that is lent for what is decompressed doubles, and has no
// more room than there may be; none is lent where there is room, to the last byte.
func TestLentInflated(t *testing.T) {
	const size, piece = 200_000, maxWindow // in which it comes out of the window
	var b bytes.Buffer
	w, _ := stdflate.NewWriter(&b, stdflate.BestCompression)
	w.Write(make([]byte, size))
	w.Flush()
	for _, test := range []struct {
		before, room int
		want         []int
	}{
		{0, math.MaxInt / 2, []int{piece, 2 * piece, 4 * piece, 8 * piece}},
		{0, size, []int{piece, 2 * piece, 4 * piece, size}},
		{0, 50_000, []int{piece, 50_000}},
		{0, 10, []int{10}},
		{piece - 1, size, []int{2*piece - 2, 4*piece - 4, size}},
		{size - 1, size, []int{size}},
		{size, size, nil},
	} {
		l, z := lending(t), new(inflater)
		l.more = 0
		z.begin(nil, maxWindow)
		out, err := z.inflate(make([]byte, 0, test.before), b.Bytes(), test.room)
		if want := min(size, test.room); !bytes.Equal(out, make([]byte, want)) || (err != nil) != (want < size) {
			t.Errorf("room for %d: %d bytes, %v", test.room, len(out), err)
		}
		var lent []int
		for _, data := range l.lent {
			lent = append(lent, cap(data))
		}
		if !slices.Equal(lent, test.want) || len(l.returned) != max(0, len(lent)-1) {
			t.Errorf("room for %d, %d of it there: %d were lent, want %d; %d came back", test.room, test.before, lent, test.want, len(l.returned))
		}
	}
}
