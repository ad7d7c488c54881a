package protocol

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// lender is memory that remembers what it was given.
type lender struct{ lent, returned, released [][]byte }

func (l *lender) Lend(n int) []byte {
	data := bytes.Repeat([]byte{0xff}, n+100)[:0]
	l.lent = append(l.lent, data)
	return data
}

func (l *lender) Return(data []byte)  { l.returned = append(l.returned, data) }
func (l *lender) Release(data []byte) { l.released = append(l.released, data) }

// lending has a lender keep memory during the test.
func lending(t *testing.T) *lender {
	before, l := memory, new(lender)
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
	for name, dst := range map[string][]byte{"own": nil, "the caller's": make([]byte, 0, 10)} {
		t.Run(name, func(t *testing.T) {
			l, c := lending(t), NewConn(Config{Role: Client})
			if dst != nil {
				c.AssembleInto(dst)
			}
			payload := bytes.Repeat([]byte("0123456789"), 2000)
			frame := append(AppendHeader(nil, Header{Fin: true, Opcode: OpBinary, Length: int64(len(payload))}), payload...)
			var ev *Event
			for piece := range slices.Chunk(frame, 300) {
				c.Received(time.Time{}, 0, piece)
				ev = c.Next()
			}
			if ev.Kind != EventMessage || !ev.Owned || !bytes.Equal(ev.Data, payload) {
				t.Fatalf("event %v of %d bytes", ev.Kind, len(ev.Data))
			}
			checkReturned(t, l, ev.Data, dst)
		})
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
