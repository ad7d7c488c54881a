//go:build !race

// The race detector allocates on its own account, so these tests are built
// without it only.

package protocol

import (
	"bytes"
	"testing"
)

// wantNoAllocs runs something that every connection does all the time.
func wantNoAllocs(t *testing.T, what string, run func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%s allocates %v times", what, n)
	}
}

func TestAllocsReceive(t *testing.T) {
	for _, role := range []Role{Client, Server} {
		for _, typ := range []Opcode{OpText, OpBinary} {
			frame := stream(role, wireFrame{op: typ, payload: string(bytes.Repeat([]byte("x"), 1000))})
			data := make([]byte, len(frame))
			c := NewConn(Config{Role: role})
			wantNoAllocs(t, "receiving a whole message as "+role.String(), func() {
				copy(data, frame)
				c.Received(epoch, 0, data)
				if ev := c.Next(); ev.Kind != EventMessage || len(ev.Data) != 1000 {
					t.Fatalf("event %+v", ev)
				}
				if ev := c.Next(); ev.Kind != EventNone {
					t.Fatalf("event %+v", ev)
				}
			})
		}
	}
}

// TestAllocsReceiveInto has each message cut in two and assembled in the same
// memory.
func TestAllocsReceiveInto(t *testing.T) {
	frame := stream(Server, wireFrame{op: OpText, payload: string(bytes.Repeat([]byte("x"), 5000))})
	data := make([]byte, len(frame))
	memory := make([]byte, 0, 5000)
	c := NewConn(Config{Role: Server})
	wantNoAllocs(t, "receiving into the caller's memory", func() {
		copy(data, frame)
		c.AssembleInto(memory)
		c.Received(epoch, 0, data[:3000])
		if ev := c.Next(); ev.Kind != EventNone {
			t.Fatalf("event %+v", ev)
		}
		n := copy(c.Window(), data[3000:])
		c.Received(epoch, n, nil)
		if ev := c.Next(); ev.Kind != EventMessage || &ev.Data[0] != &memory[:1][0] {
			t.Fatalf("event of kind %d", ev.Kind)
		}
	})
}

func TestAllocsSend(t *testing.T) {
	payload := bytes.Repeat([]byte("x"), 1000)
	buf := make([]byte, 0, 2000)
	for _, role := range []Role{Client, Server} {
		c := NewConn(Config{Role: role})
		wantNoAllocs(t, "sending a message as "+role.String(), func() {
			if _, err := c.AppendMessage(buf, Text, payload); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestAllocsPing sends a ping and receives its pong, and answers a ping.
func TestAllocsPing(t *testing.T) {
	for _, role := range []Role{Client, Server} {
		c := NewConn(Config{Role: role, MaskKeys: zeroKeys{}})
		buf := make([]byte, 0, 200)
		pong := stream(role, wireFrame{op: OpPong, payload: "\x00\x00\x00\x00"})
		data := make([]byte, 100)
		wantNoAllocs(t, "a ping as "+role.String(), func() {
			if _, err := c.SendPing(nil); err != nil {
				t.Fatal(err)
			}
			if _, err := c.AppendOwed(buf, epoch); err != nil {
				t.Fatal(err)
			}
			c.Received(epoch, 0, data[:copy(data, pong)])
			if ev := c.Next(); ev.Kind != EventPong || len(c.Settled()) != 1 {
				t.Fatalf("event %+v settles %v", ev, c.Settled())
			}
			c.Next()
		})
		ping := stream(role, wireFrame{op: OpPing, payload: "ping"})
		wantNoAllocs(t, "a pong as "+role.String(), func() {
			c.Received(epoch, 0, data[:copy(data, ping)])
			if ev := c.Next(); ev.Kind != EventPing {
				t.Fatalf("event %+v", ev)
			}
			c.Next()
			if b, err := c.AppendOwed(buf, epoch); err != nil || len(b) == 0 {
				t.Fatal(err)
			}
		})
	}
}
