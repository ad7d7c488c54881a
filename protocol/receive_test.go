package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// conversation is a stream that has something of all: whole messages,
// fragments with control frames between them, characters cut by fragments,
// empty frames, a payload large enough for Window, and a close frame.
func conversation(role Role) (input []byte, want []string) {
	large := strings.Repeat("0123456789abcdef", 88)
	input = stream(role,
		wireFrame{op: OpText, payload: "Hello"},
		wireFrame{op: OpText},
		wireFrame{op: OpBinary, payload: "\x00\xff"},
		wireFrame{op: OpText, more: true, payload: "a\xe2\x82"},
		wireFrame{op: OpPing, payload: "in between"},
		wireFrame{op: OpContinuation, more: true},
		wireFrame{op: OpPong, payload: "p"},
		wireFrame{op: OpContinuation, payload: "\xac."},
		wireFrame{op: OpBinary, more: true, payload: large[:1100]},
		wireFrame{op: OpPing, payload: strings.Repeat("P", MaxControlPayload)},
		wireFrame{op: OpContinuation, payload: large[1100:]},
		wireFrame{op: OpBinary, more: true},
		wireFrame{op: OpContinuation},
		wireFrame{op: OpText, payload: large[:200]},
		wireFrame{op: OpClose, payload: "\x03\xe9bye"},
	)
	return input, []string{
		`text "Hello"`,
		`text ""`,
		`binary "\x00\xff"`,
		`ping "in between"`,
		`pong "p" settles [{1 0s}]`,
		`text "a€."`,
		"ping " + brief(strings.Repeat("P", MaxControlPayload)),
		"binary " + brief(large),
		`binary ""`,
		"text " + brief(large[:200]),
		"close 1001 (going away) bye",
	}
}

// newConversation returns a driver for conversation; the ping is sent that its
// pong settles.
func newConversation(t *testing.T, role Role) *driver {
	t.Helper()
	d := newDriver(t, newTestConn(role))
	sendPing(t, d.c, "p")
	d.sendOwed()
	return d
}

// TestReceiveSplits cuts the conversation at each place, and into single
// bytes, with and without Window: the events and the output are the same.
func TestReceiveSplits(t *testing.T) {
	for _, role := range []Role{Client, Server} {
		input, want := conversation(role)
		ref := newConversation(t, role).run(input)
		ref.wantEvents(want...)
		check := func(how string, window bool, pieces [][]byte) {
			t.Helper()
			d := newConversation(t, role)
			d.window = window
			if got := d.run(pieces...).summary(); got != ref.summary() {
				t.Fatalf("%v, %s, window %t: got\n%.1000s\nwant\n%.1000s", role, how, window, got, ref.summary())
			}
		}
		for _, window := range []bool{false, true} {
			check("whole", window, whole(input))
			check("byte by byte", window, byteByByte(input))
			for i := range input {
				check(fmt.Sprintf("cut at %d", i), window, cutAt(input, i))
			}
			rnd := rand.New(rand.NewPCG(3, 4))
			for range 100 {
				check("random cuts", window, randomPieces(rnd, input))
			}
		}
	}
}

// TestBuffered is true exactly when Next will get on to the end of a frame,
// for the conversation cut at each place.
func TestBuffered(t *testing.T) {
	first := stream(Server, wireFrame{op: OpText, payload: strings.Repeat("x", 200)})
	second := stream(Server, wireFrame{op: OpPing, payload: "p"})
	third := stream(Server, wireFrame{op: OpText, more: true, payload: "begun"}, wireFrame{op: OpContinuation, payload: "ended"})
	fragment := len(stream(Server, wireFrame{op: OpText, more: true, payload: "begun"}))
	input := append(append(append([]byte(nil), first...), second...), third...)
	ends := []int{len(first), len(first) + len(second), len(first) + len(second) + fragment, len(input)}
	for i := range len(input) + 1 {
		for j := i; j <= len(input); j++ {
			c := newTestConn(Server)
			c.Received(epoch, 0, bytes.Clone(input[:i]))
			for c.Next().Kind != EventNone {
			}
			if c.Buffered() {
				t.Fatalf("%d bytes: buffered after Next returned EventNone", i)
			}
			c.Received(epoch, 0, bytes.Clone(input[i:j]))
			want := false
			for _, end := range ends {
				want = want || i < end && end <= j
			}
			if got := c.Buffered(); got != want {
				t.Fatalf("%d bytes, then up to %d: buffered %t, want %t (frames end at %v)", i, j, got, want, ends)
			}
		}
	}
	c := newTestConn(Server)
	c.Received(epoch, 0, []byte{0x83})
	if !c.Buffered() {
		t.Error("a malformed header is not buffered, though Next will report it")
	}
}

// TestBufferedMessages is true until the last frame of a batch was returned.
func TestBufferedMessages(t *testing.T) {
	c := newTestConn(Server)
	c.Received(epoch, 0, stream(Server, wireFrame{op: OpText, payload: "1"}, wireFrame{op: OpPing}, wireFrame{op: OpText, payload: "2"}))
	for i, want := range []bool{true, true, false} {
		c.Next()
		if got := c.Buffered(); got != want {
			t.Errorf("after frame %d of 3: buffered %t", i+1, got)
		}
	}
}

// TestLimit accepts messages up to the limit and fails larger ones at the
// header that announces too much, whatever follows it (section 10.4).
func TestLimit(t *testing.T) {
	x := strings.Repeat("x", 200)
	for _, tt := range []struct {
		name   string
		limit  int64
		frames []wireFrame
		want   string
	}{
		{"at the limit", 100, []wireFrame{{op: OpBinary, payload: x[:100]}}, ""},
		{"one more", 100, []wireFrame{{op: OpBinary, payload: x[:101]}}, "message of more than 100 bytes"},
		{"sum at the limit", 100, []wireFrame{
			{op: OpBinary, more: true, payload: x[:60]}, {op: OpContinuation, payload: x[:40]}}, ""},
		{"sum over it", 100, []wireFrame{
			{op: OpBinary, more: true, payload: x[:60]}, {op: OpContinuation, payload: x[:41]}}, "message of more than 100 bytes"},
		{"a new sum for each message", 100, []wireFrame{
			{op: OpBinary, more: true, payload: x[:60]}, {op: OpContinuation, payload: x[:40]}, {op: OpBinary, payload: x[:100]}}, ""},
		{"control frames do not count", 100, []wireFrame{
			{op: OpBinary, more: true, payload: x[:60]}, {op: OpPing, payload: x[:125]}, {op: OpContinuation, payload: x[:40]}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDriver(t, NewConn(Config{Role: Server, MaxMessageSize: tt.limit}))
			d.run(stream(Server, tt.frames...))
			checkTooBig(t, d.c, tt.want)
		})
	}
	// The limit is checked when the header has come, before any payload.
	for _, tt := range []struct {
		name, wire string
		limit      int64
		want       string
	}{
		{"default", "82 7f 0000000000100001", 0, "message of more than 1048576 bytes"},
		{"default kept", "82 7f 0000000000100000", 0, ""},
		{"largest length", "82 7f 7fffffffffffffff", 1 << 20, "message of more than 1048576 bytes"},
		{"no limit", "82 7f 0000000080000000", -1, ""},
		{"no limit, larger than memory", "82 7f 7fffffffffffffff", -1, fmt.Sprintf("message of more than %d bytes", math.MaxInt/2)},
		{"sum over 64 bits", "02 01 ff  80 7f 7fffffffffffffff", math.MaxInt64, fmt.Sprintf("message of more than %d bytes", math.MaxInt/2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if math.MaxInt == math.MaxInt32 && tt.name == "no limit" {
				tt.want = fmt.Sprintf("message of more than %d bytes", math.MaxInt/2)
			}
			d := newDriver(t, NewConn(Config{Role: Client, MaxMessageSize: tt.limit, MaskKeys: zeroKeys{}}))
			d.run(unhex(t, tt.wire))
			checkTooBig(t, d.c, tt.want)
		})
	}
}

// checkTooBig expects a violation with code 1009, or none for "".
func checkTooBig(t *testing.T, c *Conn, want string) {
	t.Helper()
	err := c.Violation()
	var v *ViolationError
	switch {
	case want == "" && err == nil:
	case !errors.As(err, &v) || !errors.Is(err, ErrMessageTooBig) || v.Code != MessageTooBig || v.Reason != want:
		t.Errorf("violation %v, want %q with code 1009", err, want)
	case c.CloseSent().Code != MessageTooBig:
		t.Errorf("closes with %v", c.CloseSent())
	}
}

// TestGrowth receives a megabyte in fragments of one byte, and in one frame
// byte by byte. Memory is moved a few times, not for each byte, and never
// more is held than a few times of what has arrived.
func TestGrowth(t *testing.T) {
	const size = 1 << 20
	one := stream(Client, wireFrame{op: OpContinuation, more: true, payload: "x"})
	for name, tt := range map[string]struct {
		begin, piece []byte
	}{
		"fragments": {stream(Client, wireFrame{op: OpBinary, more: true}), one},
		"one frame": {unhex(t, "82 7f 0000000000100000"), []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			c := NewConn(Config{Role: Client, MaxFragments: -1})
			c.Received(epoch, 0, tt.begin)
			c.Next()
			moved, room := 0, 0
			for i := range size - 1 {
				c.Received(epoch, 0, tt.piece) // not masked, so not changed
				if ev := c.Next(); ev.Kind != EventNone {
					t.Fatalf("event %+v", ev)
				}
				if cap(c.in.buf) != room {
					room = cap(c.in.buf)
					moved += i
				}
				if int64(room) > setAside(int64(i+1)) {
					t.Fatalf("%d bytes are held for %d", room, i+1)
				}
			}
			if moved > 4*size {
				t.Errorf("%d bytes were moved to receive %d", moved, size)
			}
		})
	}
}

// TestEmptyFragments receives any number of them with no memory.
func TestEmptyFragments(t *testing.T) {
	c := newTestConn(Client)
	c.Received(epoch, 0, stream(Client, wireFrame{op: OpText, more: true}))
	c.Next()
	c.Received(epoch, 0, bytes.Repeat([]byte{0, 0}, 10000))
	if ev := c.Next(); ev.Kind != EventNone || cap(c.in.buf) > 0 {
		t.Errorf("event %+v, %d bytes held", ev, cap(c.in.buf))
	}
}

// TestBuffersReleased holds on to no memory of the caller's when all of it was
// used, nor to a message that will never be finished.
func TestBuffersReleased(t *testing.T) {
	c := newTestConn(Server)
	c.Received(epoch, 0, stream(Server, wireFrame{op: OpText, payload: "x"}))
	for c.Next().Kind != EventNone {
	}
	if c.in.data != nil || c.in.stash != nil {
		t.Error("an idle connection holds on to a buffer")
	}
	c.Received(epoch, 0, append(stream(Server, wireFrame{op: OpText, more: true, payload: "x"}), 0x80))
	for c.Next().Kind != EventNone {
	}
	c.Disconnected(nil)
	if c.in.data != nil || c.in.stash != nil || c.in.buf != nil {
		t.Error("a closed connection holds on to an unfinished message")
	}
	c.Received(epoch, 0, stream(Server, wireFrame{op: OpText, payload: "late"}))
	if c.in.data != nil {
		t.Error("a closed connection holds on to what it will never look at")
	}

	c = newTestConn(Server)
	c.Received(epoch, 0, []byte("\x83 and more"))
	if c.Next(); c.in.data != nil {
		t.Error("a connection whose peer broke the protocol holds on to what came after")
	}
}

// TestHeaderViolations breaks the rules that depend on role and place, byte by
// byte: the violation comes with the last byte given here.
func TestHeaderViolations(t *testing.T) {
	for _, tt := range []struct {
		role Role
		wire string
		want string
	}{
		{Server, "c1", "reserved bits 100 (RFC 6455, section 5.2)"},
		{Server, "a2", "reserved bits 010 (RFC 6455, section 5.2)"},
		{Client, "91", "reserved bits 001 (RFC 6455, section 5.2)"},
		{Client, "71", "reserved bits 111 (RFC 6455, section 5.2)"},
		{Client, "c9", "reserved bits 100 (RFC 6455, section 5.2)"},
		{Server, "81 00", "unmasked frame from the client (RFC 6455, section 5.1)"},
		{Server, "88 02", "unmasked frame from the client (RFC 6455, section 5.1)"},
		{Client, "81 80", "masked frame from the server (RFC 6455, section 5.1)"},
		{Client, "8a 80", "masked frame from the server (RFC 6455, section 5.1)"},
		{Client, "00", "continuation frame with nothing to continue (RFC 6455, section 5.4)"},
		{Server, "80", "continuation frame with nothing to continue (RFC 6455, section 5.4)"},
		{Client, "81 00 80", "continuation frame with nothing to continue (RFC 6455, section 5.4)"},
		{Client, "01 00 80 00 80", "continuation frame with nothing to continue (RFC 6455, section 5.4)"},
		{Client, "01 00 81", "text frame inside a fragmented message (RFC 6455, section 5.4)"},
		{Client, "02 01 ff 00 00 02", "binary frame inside a fragmented message (RFC 6455, section 5.4)"},
		// Of several mistakes the one is told that shows first.
		{Server, "f3", "reserved opcode 0x3 (RFC 6455, section 5.2)"},
		{Server, "49", "fragmented ping frame (RFC 6455, section 5.5)"},
		{Client, "c0", "reserved bits 100 (RFC 6455, section 5.2)"},
		{Client, "89 fe", "ping frame with more than 125 bytes (RFC 6455, section 5.5)"},
	} {
		for _, more := range []string{"", "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff"} {
			t.Run(fmt.Sprintf("%v %s %s", tt.role, tt.wire, more), func(t *testing.T) {
				b := unhex(t, tt.wire)
				want := "violation websocket: peer broke the protocol: " + tt.want
				d := newDriver(t, newTestConn(tt.role))
				d.run(byteByByte(b[:len(b)-1])...)
				d.drain()
				if d.c.Violation() != nil {
					t.Fatalf("%v is reported already at byte %d", d.c.Violation(), len(b)-1)
				}
				d.events = nil
				d.run(b[len(b)-1:])
				d.wantEvents(want)
				if d.c.CloseSent().Code != ProtocolError {
					t.Errorf("closes with %v", d.c.CloseSent())
				}

				d = newDriver(t, newTestConn(tt.role)).run(append(b, unhex(t, more)...))
				if last := d.events[len(d.events)-1]; last != want {
					t.Errorf("with more bytes behind it: %s\nwant %s", last, want)
				}
			})
		}
	}
}

// TestInvalidText fails at the first byte that no text has there, or at the
// end of a message that ends inside a character (section 8.1).
func TestInvalidText(t *testing.T) {
	const want = "violation websocket: peer broke the protocol: text message that is not UTF-8 (RFC 6455, section 8.1)"
	for name, frames := range map[string][]wireFrame{
		"one byte":               {{op: OpText, payload: "\xff"}},
		"surrogate":              {{op: OpText, payload: "a\xed\xa0\x80b"}},
		"ends in a character":    {{op: OpText, payload: "a\xe2\x82"}},
		"last fragment ends so":  {{op: OpText, more: true, payload: "a\xe2"}, {op: OpContinuation, payload: "\x82"}},
		"empty last fragment":    {{op: OpText, more: true, payload: "a\xe2"}, {op: OpContinuation}},
		"wrong in next fragment": {{op: OpText, more: true, payload: "a\xe2"}, {op: OpContinuation, more: true, payload: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, pieces := range [][][]byte{whole(stream(Server, frames...)), byteByByte(stream(Server, frames...))} {
				d := newDriver(t, newTestConn(Server)).run(pieces...)
				d.wantEvents(want)
				if d.c.CloseSent() == nil || d.c.CloseSent().Code != InvalidPayloadData {
					t.Errorf("closes with %v", d.c.CloseSent())
				}
			}
		})
	}
	// Each message begins anew.
	d := newDriver(t, newTestConn(Server)).run(stream(Server,
		wireFrame{op: OpBinary, more: true, payload: "\xe2"}, wireFrame{op: OpContinuation, payload: "\xff"},
		wireFrame{op: OpText, more: true, payload: "\xe2\x82"}, wireFrame{op: OpContinuation, payload: "\xac"},
	))
	d.wantEvents(`binary "\xe2\xff"`, `text "€"`)
}

// TestNoRoomBehindData appends to the data of each event, which must not write
// over the frame that comes next.
func TestNoRoomBehindData(t *testing.T) {
	frames := []wireFrame{
		{op: OpText, payload: "the short way"},
		{op: OpPing, payload: "ping"},
		{op: OpBinary, payload: strings.Repeat("the long way ", 10000)},
		{op: OpBinary, more: true, payload: "in two"},
		{op: OpContinuation, payload: "pieces"},
		{op: OpText, payload: "the last"},
	}
	for _, streaming := range []bool{false, true} {
		c := newTestConn(Client)
		c.Streaming(streaming)
		c.Received(epoch, 0, stream(Client, frames...))
		var got strings.Builder
		for ev := c.Next(); ev.Kind != EventNone; ev = c.Next() {
			got.Write(ev.Data)
			if data := append(ev.Data, "overwritten"...); len(data) == len(ev.Data) {
				t.Fatal("nothing was appended")
			}
		}
		var want strings.Builder
		for _, f := range frames {
			want.WriteString(f.payload)
		}
		if got.String() != want.String() {
			t.Errorf("streaming %t: got %.100q in %d bytes, %v", streaming, got.String(), got.Len(), c.Violation())
		}
	}
}
