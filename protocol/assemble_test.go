package protocol

import (
	"bytes"
	"strings"
	"testing"
)

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

// TestAssembleChanged has a whole message decoded to where the receiver wants it,
// and the next one, for which there is no such place, elsewhere.
func TestAssembleChanged(t *testing.T) {
	client, server := negotiated(t, nil, nil)
	from := NewConn(Config{Role: Client, Extensions: []Extension{client}, MaskKeys: zeroKeys{}})
	to := NewConn(Config{Role: Server, Extensions: []Extension{server}})
	memory := append(make([]byte, 0, 2000), "before: "...)
	text := strings.Repeat("compressed ", 100)
	to.AssembleInto(memory)
	to.Received(epoch, 0, appendCompressed(t, from, text, true))
	ev := to.Next()
	if !ev.Owned || string(ev.Data) != "before: "+text || &ev.Data[0] != &memory[0] {
		t.Errorf("owned %t, %q", ev.Owned, ev.Data)
	}
	to.Received(epoch, 0, appendCompressed(t, from, text, true))
	if ev := to.Next(); ev.Owned || string(ev.Data) != text {
		t.Errorf("owned %t, %q", ev.Owned, ev.Data)
	}
}
