package protocol

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzShort gives the same input, in the same pieces, to a connection that may
// take the short way through simple messages and to one that may not.
func FuzzShort(f *testing.F) {
	for _, role := range []Role{Client, Server} {
		input, _ := conversation(role)
		f.Add(role == Client, int64(0), byte(0), []byte{}, input)
		f.Add(role == Client, int64(100), byte(1), []byte{3, 100, 30}, input)
	}
	f.Fuzz(func(t *testing.T, client bool, limit int64, flags byte, cuts, input []byte) {
		role := Server
		if client {
			role = Client
		}
		compareShort(t, role, limit, flags, cutBy(input, cuts))
	})
}

// TestShort does so with streams that are made at random of frames with all
// that may be wrong in them.
func TestShort(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 0))
		role := Role(1 + r.IntN(2))
		var input []byte
		for range 1 + r.IntN(6) {
			input = append(input, anyFrame(r, role)...)
		}
		var pieces [][]byte
		for len(input) > 0 {
			n := min(len(input), 1+r.IntN([]int{3, 40, 400, 1 << 20}[r.IntN(4)]))
			pieces, input = append(pieces, input[:n]), input[n:]
		}
		compareShort(t, role, []int64{0, 125, 126, 300, -1}[r.IntN(5)], byte(r.IntN(8)), pieces)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// anyFrame returns a frame of a peer's that is usually right.
func anyFrame(r *rand.Rand, role Role) []byte {
	payloads := []string{"", "x", "hello", "größe", "\xff", "\xe2\x82", "\xed\xa0\x80"}
	f := wireFrame{op: OpText, payload: payloads[r.IntN(len(payloads))], unmasked: role == Client}
	if r.IntN(3) == 0 {
		f.payload = strings.Repeat("y", []int{124, 125, 126, 127, 128, 300, 0x8101, 0x8182, 65535, 65536}[r.IntN(10)])
	}
	if r.IntN(2) == 0 {
		f.op = []Opcode{OpContinuation, OpBinary, OpBinary, OpPing, OpPong, OpClose, 3, 11}[r.IntN(8)]
	}
	if f.op.IsControl() {
		f.payload = f.payload[:min(len(f.payload), MaxControlPayload+r.IntN(2))]
	}
	f.more = r.IntN(8) == 0
	if r.IntN(20) == 0 {
		f.unmasked = !f.unmasked
	}
	if r.IntN(20) == 0 {
		f.rsv = byte(r.IntN(8)) << 4
	}
	b := f.bytes()
	if n := b[1] & lengthBits; n < length16 && r.IntN(20) == 0 { // not as short as may be
		b = slices.Insert(b, 2, 0, n)
		b[1] += length16 - n
	}
	return b
}

// compareShort fails the test unless both ways make the same of the pieces.
// flags says whether messages are streamed, put behind each other in given
// memory, or may take a nanosecond, in which two pieces come.
func compareShort(t *testing.T, role Role, limit int64, flags byte, pieces [][]byte) {
	t.Helper()
	cfg := Config{Role: role, MaxMessageSize: limit, MaskKeys: zeroKeys{}}
	if flags&4 != 0 {
		cfg.MessageTimeout = 1
	}
	short, long := NewConn(cfg), NewConn(cfg)
	long.in.simple = false
	both := []*Conn{short, long}
	for i, piece := range pieces {
		data := [][]byte{bytes.Clone(piece), bytes.Clone(piece)}
		for j, c := range both {
			if flags&1 != 0 && i == len(pieces)/2 {
				c.Streaming(true)
			}
			if flags&2 != 0 {
				c.AssembleInto(nil)
			}
			c.Received(epoch.Add(time.Duration(i)), 0, data[j])
		}
		for more := true; more; {
			if a, b := short.Buffered(), long.Buffered(); a != b {
				t.Fatalf("piece %d: Buffered is %t by the short way, %t by the long one", i, a, b)
			}
			a, b := short.Next(), long.Next()
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("piece %d: the short way gives %.200q, the long one %.200q", i, []any{*a}, []any{*b})
			}
			more = a.Kind != EventNone
			if a.Kind == EventViolation {
				if !reflect.DeepEqual(short.Violation(), long.Violation()) {
					t.Fatalf("%v and %v", short.Violation(), long.Violation())
				}
				short.FailViolation()
				long.FailViolation()
			}
		}
		for _, state := range []func(c *Conn) any{
			func(c *Conn) any { return c.State() },
			func(c *Conn) any { return c.Idle() },
			func(c *Conn) any { return c.Begun() },
			func(c *Conn) any { return len(c.Window()) },
			func(c *Conn) any { return c.CloseError() },
			func(c *Conn) any { b, _ := c.AppendOwed(nil, epoch); return b },
		} {
			if a, b := state(short), state(long); !reflect.DeepEqual(a, b) {
				t.Fatalf("piece %d: the short way leaves %v, the long one %v", i, a, b)
			}
		}
	}
}
