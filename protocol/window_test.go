package protocol

import (
	"math"
	"strings"
	"testing"
)

// TestWindow offers room only inside a large payload, and never for more than
// a few times of what has arrived.
func TestWindow(t *testing.T) {
	c := NewConn(Config{Role: Client, MaxMessageSize: -1})
	if w := c.Window(); w != nil {
		t.Fatalf("window of %d bytes before anything was received", len(w))
	}
	const size = math.MaxInt / 2 // what the header claims: the most that any machine takes
	c.Received(epoch, 0, AppendHeader(nil, Header{Fin: true, Opcode: OpBinary, Length: size}))
	c.Next()
	if w := c.Window(); w != nil {
		t.Fatalf("window of %d bytes before any payload", len(w))
	}
	c.Received(epoch, 0, make([]byte, minWindow-1))
	c.Next()
	if room := int64(cap(c.in.buf)); room > growth*minWindow {
		t.Errorf("%d bytes are set aside", room)
	}
	arrived := minWindow - 1
	for arrived < 1<<20 {
		w := c.Window()
		if w == nil {
			t.Fatalf("no window after %d bytes", arrived)
		}
		if most := int(setAside(int64(arrived))) - arrived; len(w) > most {
			t.Fatalf("window of %d bytes after %d, the most is %d", len(w), arrived, most)
		}
		n := (len(w) + 1) / 2
		arrived += n
		c.Received(epoch, n, nil)
		if ev := c.Next(); ev.Kind != EventNone {
			t.Fatalf("event %+v", ev)
		}
	}
	c.Streaming(true)
	if w := c.Window(); w != nil {
		t.Error("a window while streaming, though chunks lie in the caller's memory")
	}
}

// TestWindowEnds with the payload of its frame, so that no byte of the next
// frame is taken for payload.
func TestWindowEnds(t *testing.T) {
	payload := strings.Repeat("x", 5000)
	frame := stream(Client, wireFrame{op: OpBinary, payload: payload})
	c := newTestConn(Client)
	c.Received(epoch, 0, frame[:len(frame)-10])
	c.Next()
	c.Received(epoch, 0, []byte("x"))
	if c.Window() != nil {
		t.Error("a window before what was received, and comes first, was looked at")
	}
	c.Next()
	w := c.Window()
	if len(w) != 9 {
		t.Fatalf("window of %d bytes for the last 9 of a payload", len(w))
	}
	copy(w, payload)
	// One read may fill the window and go on behind it.
	c.Received(epoch, 9, stream(Client, wireFrame{op: OpText, payload: "next"}))
	if c.Window() != nil {
		t.Error("a window while data are still to be looked at")
	}
	if ev := c.Next(); ev.Kind != EventMessage || string(ev.Data) != payload || !ev.Owned {
		t.Errorf("message of %d bytes, owned %t", len(ev.Data), ev.Owned)
	}
	if ev := c.Next(); string(ev.Data) != "next" {
		t.Errorf("event %+v", ev)
	}
	if c.Window() != nil {
		t.Error("a window between two frames")
	}
}

// TestWindowInvalidText fails for bytes that came through the window.
func TestWindowInvalidText(t *testing.T) {
	frame := stream(Client, wireFrame{op: OpText, payload: strings.Repeat("x", 2000) + "\xff" + strings.Repeat("y", 2000)})
	d := newDriver(t, newTestConn(Client))
	d.window = true
	d.run(frame[:1500], frame[1500:])
	d.wantEvents("violation websocket: peer broke the protocol: text message that is not UTF-8 (RFC 6455, section 8.1)")
}

// TestWindowOfLarge has room for all of a message of 1 MiB, and for a good part of one
// of 16, as soon as it is large for certain.
func TestWindowOfLarge(t *testing.T) {
	for _, tt := range []struct{ size, arrived, room int }{
		{roomForMost, surelyLarge - 1, growth * (surelyLarge - 1)},
		{roomForMost, surelyLarge, roomForMost},
		{16 * roomForMost, surelyLarge, roomForMost},
		{16 * roomForMost, roomForMost, growth * roomForMost},
	} {
		c := NewConn(Config{Role: Client, MaxMessageSize: -1})
		c.Received(epoch, 0, AppendHeader(nil, Header{Fin: true, Opcode: OpBinary, Length: int64(tt.size)}))
		c.Next()
		c.Received(epoch, 0, make([]byte, tt.arrived))
		c.Next()
		if room := cap(c.in.buf); room < tt.room || room > tt.room+tt.room/8 {
			t.Errorf("%d bytes are set aside for %d of %d, want %d", room, tt.arrived, tt.size, tt.room)
		}
	}
}
