package protocol

import (
	"bytes"
	"errors"
	"testing"
)

// A fake is an extension whose Decode is the test's own. It changes all
// messages.
type fake struct {
	adder
	decode func(dst, piece []byte, room int) ([]byte, error)
}

func (f fake) Decode(dst, piece []byte, _ bool, room int) ([]byte, error) {
	return f.decode(dst, piece, room)
}

// violationOf receives a message of 20 bytes whole, in pieces and in chunks on
// connections that accept limit bytes, and returns how each ended: with the same
// code.
func violationOf(t *testing.T, limit int64, decode func(dst, piece []byte, room int) ([]byte, error)) *ViolationError {
	t.Helper()
	var v *ViolationError
	for i, size := range []int{100, 7, 100, 7} {
		c := NewConn(Config{Role: Server, MaxMessageSize: limit, Extensions: []Extension{fake{adder{0}, decode}}})
		c.Streaming(i >= 2)
		for rest := stream(Server, wireFrame{op: OpBinary, payload: "12345678901234567890"}); len(rest) > 0; {
			n := min(size, len(rest))
			c.Received(epoch, 0, rest[:n])
			rest = rest[n:]
			for ev := c.Next(); ev.Kind != EventNone; ev = c.Next() {
				if int64(len(ev.Data)) > limit {
					t.Errorf("an event with %d bytes", len(ev.Data))
				}
			}
		}
		before := v
		errors.As(c.Violation(), &v)
		if i > 0 && (before == nil) != (v == nil) {
			t.Fatalf("%v, and cut in another way %v", before, v)
		}
	}
	return v
}

// TestExtensionWithoutBounds: an extension that does not care how much room
// there is cannot lift the limit.
func TestExtensionWithoutBounds(t *testing.T) {
	twice := func(dst, piece []byte, _ int) ([]byte, error) { return append(append(dst, piece...), piece...), nil }
	if v := violationOf(t, 39, twice); v == nil || v.Code != MessageTooBig {
		t.Errorf("40 bytes where 39 are allowed: %v", v)
	}
	if v := violationOf(t, 40, twice); v != nil {
		t.Errorf("40 bytes where 40 are allowed: %v", v)
	}
}

// TestExtensionReturnsNil: an extension that fails may well return nothing with
// its error, as functions in Go do.
func TestExtensionReturnsNil(t *testing.T) {
	for after := range 20 {
		seen := 0
		v := violationOf(t, 100, func(dst, piece []byte, _ int) ([]byte, error) {
			if seen += len(piece); seen > after {
				seen = 0
				return nil, errors.New("no good")
			}
			return append(dst, piece...), nil
		})
		if v == nil || v.Code != ProtocolError {
			t.Fatalf("failed after %d bytes: %v", after, v)
		}
	}
}

// TestSetMaxMessageSizeCompressed changes the limit in the middle of a compressed
// message: it is for all of it.
func TestSetMaxMessageSizeCompressed(t *testing.T) {
	d := &Deflate{ClientMaxWindowBits: -1}
	client, _ := negotiated(t, d, d)
	payload, _, err := client.Encode(nil, bytes.Repeat([]byte("0123456789"), 100), Fragment{Binary, true, true, CompressOn})
	if err != nil {
		t.Fatal(err)
	}
	wire := stream(Server, wireFrame{rsv: 0x40, op: OpBinary, payload: string(payload)})
	for _, test := range []struct {
		before, after int64
		ok            bool
	}{{999, 1000, true}, {10, -1, true}, {10, 999, false}, {1000, 999, false}, {-1, 1, false}, {1000, 1000, true}} {
		for at := 7; at < len(wire); at++ {
			c := compressed(t, test.before)
			rest := bytes.Clone(wire)
			c.Received(epoch, 0, rest[:at])
			if test.before < 1000 && c.Next().Kind == EventViolation {
				break // it came to that before
			}
			c.Next()
			c.SetMaxMessageSize(test.after)
			c.Received(epoch, 0, rest[at:])
			if ev := c.Next(); (ev.Kind == EventMessage) != test.ok {
				t.Fatalf("from %d to %d at byte %d: %v", test.before, test.after, at, c.Violation())
			}
		}
	}
}
