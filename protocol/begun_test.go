package protocol

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestBegun tells at each byte of a conversation whether a message has begun
// and not come whole: its first header is what begins it.
func TestBegun(t *testing.T) {
	first := stream(Server, wireFrame{op: OpText, more: true, payload: "a"})
	wire := append(first, stream(Server, wireFrame{op: OpPing}, wireFrame{payload: "bc"})...)
	c := newTestConn(Server)
	for i := range wire {
		c.Received(epoch, 0, wire[i:i+1])
		for c.Next().Kind != EventNone {
		}
		if want := i >= len(first)-2 && i < len(wire)-1; c.Begun() != want {
			t.Errorf("byte %d of %d: begun %t", i, len(wire), c.Begun())
		}
	}
}

// TestStreamOfNothing has a frame begin with compressed data that stand for
// nothing, more than are decoded at once while streaming: what follows them in
// the same bytes is not forgotten.
func TestStreamOfNothing(t *testing.T) {
	nothing := strings.Repeat("\x00\x00\x00\xff\xff", 2*streamPiece/5)
	wire := stream(Server, wireFrame{rsv: 0x40, op: OpBinary, more: true, payload: nothing + "\x00\x01\x00\xfe\xffa" + nothing}, wireFrame{payload: "\x00"})
	c := compressed(t, 1<<20)
	c.Streaming(true)
	c.Received(epoch, 0, wire)
	var got []byte
	last := false
	for ev := c.Next(); ev.Kind != EventNone; ev = c.Next() {
		got = append(got, ev.Data...)
		last = ev.Last
	}
	if string(got) != "a" || !last {
		t.Errorf("%q, last %t, %v", got, last, c.Violation())
	}
}

// TestEncodedLimit: compressed data may be longer than what they stand for, in
// the later frames of a message too; and that is no licence for the next message,
// which is not compressed.
func TestEncodedLimit(t *testing.T) {
	nothing := strings.Repeat("\x00\x00\x00\xff\xff", 8)
	frames := []wireFrame{
		{rsv: 0x40, op: OpBinary, more: true, payload: nothing},
		{payload: nothing, more: true},
		{payload: "\x00\x01\x00\xfe\xffa\x00"},
	}
	c := compressed(t, 10)
	c.Received(epoch, 0, stream(Server, append(frames, wireFrame{op: OpBinary, payload: "12345678901"})...))
	if ev := c.Next(); ev.Kind != EventMessage || string(ev.Data) != "a" {
		t.Fatalf("%+v, %v", ev, c.Violation())
	}
	if c.Next(); failedWith(c) != MessageTooBig {
		t.Errorf("11 bytes where 10 are allowed: %v", c.Violation())
	}
}

// TestViolationStays: what the peer did first is what it is told, whatever comes
// and however late.
func TestViolationStays(t *testing.T) {
	c := NewConn(Config{Role: Server, MessageTimeout: time.Second})
	c.Received(epoch, 0, bytes.Join([][]byte{stream(Server, wireFrame{op: OpText, more: true, payload: "a"}), {0x83}}, nil))
	if ev := c.Next(); ev.Kind != EventViolation {
		t.Fatalf("%+v", ev)
	}
	c.Received(epoch.Add(time.Minute), 0, []byte{0})
	if c.Next(); failedWith(c) != ProtocolError {
		t.Errorf("%v", c.Violation())
	}
}
