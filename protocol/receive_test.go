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

// TestStreaming turns chunks on at each place of the conversation. Put together
// they are the same messages, with an end of a frame for each frame.
func TestStreaming(t *testing.T) {
	input, want := conversation(Server)
	for _, window := range []bool{false, true} {
		for at := range input {
			d := newConversation(t, Server)
			d.window = window
			d.before = func(piece int) { d.c.Streaming(piece == 1) }
			d.run(cutAt(input, at)...)
			d.wantEvents(want...)
			if t.Failed() {
				t.Fatalf("cut at %d, window %t", at, window)
			}
		}
	}
	d := newConversation(t, Server)
	d.c.Streaming(true)
	d.run(byteByByte(input)...)
	d.wantEvents(want...)
	// Of the 15 frames 11 are data.
	if d.frames != 11 {
		t.Errorf("%d ends of frames, want 11", d.frames)
	}
}

// TestStreamingChunks pins the chunks themselves down: they are handed out as
// they arrive, and what came before streaming comes in the first.
func TestStreamingChunks(t *testing.T) {
	c := newTestConn(Client)
	frames := stream(Client,
		wireFrame{op: OpText, more: true, payload: "abcdef"},
		wireFrame{op: OpContinuation, more: true},
		wireFrame{op: OpContinuation, payload: "gh"},
		wireFrame{op: OpBinary, payload: "whole"},
	)
	next := func(in []byte, want ...string) {
		t.Helper()
		c.Received(epoch, 0, in)
		for i := 0; ; i++ {
			ev := c.Next()
			if ev.Kind == EventNone {
				if i < len(want) {
					t.Errorf("no event, want %s", want[i])
				}
				return
			}
			got := fmt.Sprintf("kind %d %v %q first %t last %t end %t owned %t",
				ev.Kind, ev.Type, ev.Data, ev.First, ev.Last, ev.FrameEnd, ev.Owned)
			if i >= len(want) || got != want[i] {
				t.Errorf("got %s, want %v", got, want[i:])
			}
		}
	}
	next(frames[:4]) // "ab" is kept
	c.Streaming(true)
	next(nil, `kind 2 text "ab" first true last false end false owned true`)
	next(frames[4:5], `kind 2 text "c" first false last false end false owned false`)
	next(nil)
	next(frames[5:8], `kind 2 text "def" first false last false end true owned false`)
	next(frames[8:9])
	next(frames[9:10], `kind 2 text "" first false last false end true owned false`) // the empty frame
	next(frames[10:13], `kind 2 text "g" first false last false end false owned false`)
	next(frames[13:15], `kind 2 text "h" first false last true end true owned false`)
	next(frames[15:16], `kind 2 binary "" first true last false end false owned false`) // the header alone
	next(frames[16:], `kind 2 binary "whole" first false last true end true owned false`)
	c.Streaming(false)
	next(stream(Client, wireFrame{op: OpText, payload: "x"}), `kind 1 text "x" first false last false end false owned false`)

	// Between two frames of a message everything of the first is there.
	next(frames[:8])
	c.Streaming(true)
	next(nil, `kind 2 text "abcdef" first true last false end true owned true`)
}

// TestStreamingInvalidText fails at the byte that breaks the text; what came
// before it may have been handed out.
func TestStreamingInvalidText(t *testing.T) {
	d := newDriver(t, newTestConn(Server))
	d.c.Streaming(true)
	d.run(byteByByte(stream(Server, wireFrame{op: OpText, payload: "ok\xffmore"}))...)
	d.wantEvents("violation websocket: peer broke the protocol: text message that is not UTF-8 (RFC 6455, section 8.1)")
	if d.part.String() != "ok" {
		t.Errorf("chunks %q came before the violation", d.part.String())
	}
}

// TestAssembleInto has a message of the conversation put behind a prefix, from
// each place on: with no room, with room for all and with room for some.
func TestAssembleInto(t *testing.T) {
	input, want := conversation(Server)
	for _, room := range []int{0, 100, 8000} {
		for _, window := range []bool{false, true} {
			for at := range input {
				d := newConversation(t, Server)
				d.window = window
				d.before = func(piece int) {
					if piece == 1 {
						d.prefix = "prefix"
						d.c.AssembleInto(append(make([]byte, 0, len(d.prefix)+room), d.prefix...))
					}
				}
				d.run(cutAt(input, at)...)
				d.wantEvents(want...)
				if t.Failed() {
					t.Fatalf("cut at %d, window %t, room %d", at, window, room)
				}
			}
		}
	}
}

// TestAssembleIntoMemory puts a message that comes in pieces into the memory
// it was given, if it fits, and only one. Those that arrive whole before it
// stay where they lie.
func TestAssembleIntoMemory(t *testing.T) {
	c := newTestConn(Client)
	memory := make([]byte, 2, 10)
	for cut := 3; cut <= 10; cut++ { // behind the header
		in := stream(Client, wireFrame{op: OpText, payload: "before"}, wireFrame{op: OpText, payload: "12345678"})
		pieces := cutAt(in, cut+len("before")+2-1)
		c.AssembleInto(memory[:1]) // the second call counts
		c.AssembleInto(memory)
		c.Received(epoch, 0, pieces[0])
		if ev := c.Next(); ev.Owned || string(ev.Data) != "before" {
			t.Fatalf("cut at %d: event %+v", cut, ev)
		}
		if ev := c.Next(); ev.Kind != EventNone {
			t.Fatalf("cut at %d: event %+v", cut, ev)
		}
		c.Received(epoch, 0, pieces[1])
		ev := c.Next()
		if !ev.Owned || string(ev.Data) != "\x00\x0012345678" || &ev.Data[0] != &memory[0] {
			t.Errorf("cut at %d: event %+v lies not in the memory given", cut, ev)
		}
		c.Received(epoch, 0, stream(Client, wireFrame{op: OpText, more: true}, wireFrame{op: OpContinuation, payload: "next"}))
		if ev := c.Next(); !ev.Owned || string(ev.Data) != "next" {
			t.Errorf("cut at %d: the next message %+v went there too", cut, ev)
		}
	}
}

// TestDetach takes the memory back at each place, after it was given at each
// earlier place: from then on it is not touched, and no message is harmed.
func TestDetach(t *testing.T) {
	frames := stream(Server,
		wireFrame{op: OpText, more: true, payload: "Hello, "},
		wireFrame{op: OpPing, payload: "p"},
		wireFrame{op: OpContinuation, payload: "world"},
		wireFrame{op: OpBinary, payload: "second"},
	)
	for give := range frames {
		for take := give; take < len(frames); take++ {
			memory := bytes.Repeat([]byte{'.'}, 100)
			var before []byte
			d := newDriver(t, newTestConn(Server))
			d.before = func(piece int) {
				if piece == give {
					d.c.AssembleInto(memory[:0:50])
				}
				if piece == take {
					d.c.Detach()
					before = bytes.Clone(memory)
				}
			}
			d.run(byteByByte(frames)...)
			d.wantEvents(`ping "p"`, `text "Hello, world"`, `binary "second"`)
			if !bytes.Equal(memory, before) {
				t.Errorf("memory changed after Detach: %q, was %q", memory, before)
			}
			if t.Failed() {
				t.Fatalf("given at %d, taken at %d", give, take)
			}
		}
	}
	c := newTestConn(Server)
	c.Detach() // with nothing to take back
	c.Fail(InternalError, "", nil)
	c.AssembleInto(make([]byte, 5))
	c.Detach()
}

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
		if most := (growth - 1) * arrived; len(w) > most {
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
	w := c.Window()
	if len(w) != 10 {
		t.Fatalf("window of %d bytes for the last 10 of a payload", len(w))
	}
	copy(w, payload)
	// One read may fill the window and go on behind it.
	c.Received(epoch, 10, stream(Client, wireFrame{op: OpText, payload: "next"}))
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
			c := newTestConn(Client)
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
				if room > growth*(i+1) {
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
