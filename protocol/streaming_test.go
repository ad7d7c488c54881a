package protocol

import (
	"fmt"
	"testing"
)

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

// TestStreamingInto has the pieces of messages put where their reader wants them,
// with little room and with much, and memory of another one for each piece.
func TestStreamingInto(t *testing.T) {
	input, want := conversation(Server)
	for _, room := range []int{1, 100, 5000} {
		for at := range input {
			d := newConversation(t, Server)
			d.window = true
			d.before = func(piece int) {
				if piece == 0 {
					return
				}
				d.c.Streaming(true)
				d.c.AssembleInto(make([]byte, 3, 3+room))
			}
			d.after = func(int) { d.c.Detach() }
			d.run(cutTwice(input, at)...)
			d.wantEvents(want...)
			if t.Failed() {
				t.Fatalf("cut at %d, room for %d", at, room)
			}
		}
	}
}

// cutTwice cuts at a place, and a little later again.
func cutTwice(b []byte, at int) [][]byte {
	pieces := cutAt(b, at)
	return append(pieces[:1], cutAt(pieces[1], 2000)...)
}

// TestStreamingIntoMemory: a chunk that was put into the window lies behind what was
// there, in the place of the one before, and nothing behind the room is touched.
func TestStreamingIntoMemory(t *testing.T) {
	c := newTestConn(Server)
	c.Streaming(true)
	frame := stream(Server, wireFrame{op: OpText, payload: "a message"})
	next := func(n int, data []byte, want string) (ev Event) {
		t.Helper()
		c.Received(epoch, n, data)
		if ev = *c.Next(); ev.Kind != EventChunk || string(ev.Data) != want || ev.Owned {
			t.Errorf("event %+v, want chunk %q", ev, want)
		}
		if more := c.Next(); more.Kind != EventNone {
			t.Errorf("and event %+v", more)
		}
		return ev
	}
	next(0, frame[:7], "a")
	memory := []byte("before    after")
	c.AssembleInto(memory[:6:10])
	next(copy(c.Window(), frame[7:11]), nil, " mes")
	ev := next(copy(c.Window(), frame[11:]), nil, "sage")
	if !ev.Last || string(memory) != "beforesageafter" {
		t.Errorf("last %t, memory %q", ev.Last, memory)
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

	// A message that has arrived whole is a chunk, too.
	next(frames[8:14], `kind 2 text "" first false last false end true owned false`, `kind 2 text "gh" first false last true end true owned false`)
	next(frames[14:], `kind 2 binary "whole" first true last true end true owned false`)
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
