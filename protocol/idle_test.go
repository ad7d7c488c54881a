package protocol

import "testing"

// TestIdle begins something and ends it: the connection is idle before and
// behind it, and not in between.
func TestIdle(t *testing.T) {
	receive := func(frames ...wireFrame) func(*Conn) {
		return func(c *Conn) {
			c.Received(epoch, 0, stream(Server, frames...))
			for c.Next().Kind != EventNone {
			}
		}
	}
	receiveBytes := func(b ...byte) func(*Conn) {
		return func(c *Conn) {
			c.Received(epoch, 0, b)
			for c.Next().Kind != EventNone {
			}
		}
	}
	send := func(fin bool) func(*Conn) {
		return func(c *Conn) {
			if _, err := c.AppendFragment(nil, Text, fin, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	flush := func(c *Conn) { owed(t, c, epoch) }
	never := func(*Conn) {}
	for name, tt := range map[string]struct {
		begin, end func(*Conn)
		over       bool // it is idle again
	}{
		"a message in fragments":      {receive(wireFrame{op: OpText, more: true}), receive(wireFrame{}), true},
		"a header that was cut":       {receiveBytes(0x82), receiveBytes(0x80, 0, 0, 0, 0), true},
		"a payload that was cut":      {receiveBytes(0x82, 0x81, 0, 0, 0, 0), receiveBytes('x'), true},
		"something not looked at":     {func(c *Conn) { c.Received(epoch, 0, stream(Server, wireFrame{op: OpPong})) }, receive(), true},
		"streaming":                   {func(c *Conn) { c.Streaming(true) }, func(c *Conn) { c.Streaming(false) }, true},
		"a message of ours":           {send(false), send(true), true},
		"a pong that is owed":         {receive(wireFrame{op: OpPing}), flush, true},
		"a ping that is owed":         {func(c *Conn) { sendPing(t, c, "p") }, flush, false},
		"a ping that was not settled": {func(c *Conn) { sendPing(t, c, "p"); flush(c) }, receive(wireFrame{op: OpPong, payload: "p"}), true},
		"a close frame":               {receive(wireFrame{op: OpClose}), flush, false},
		"a violation":                 {receiveBytes(0x83), never, false},
		"a violation not yet seen":    {func(c *Conn) { c.Received(epoch, 0, []byte{0x83}); c.Next() }, never, false},
		"a failure":                   {func(c *Conn) { c.Fail(InternalError, "", nil) }, flush, false},
		"the end":                     {func(c *Conn) { c.Disconnected(nil) }, never, false},
	} {
		c := newTestConn(Server)
		if !c.Idle() {
			t.Fatal("a new connection is not idle")
		}
		if tt.begin(c); c.Idle() {
			t.Errorf("%s: idle", name)
		}
		if tt.end(c); c.Idle() != tt.over {
			t.Errorf("%s, ended: idle %t", name, c.Idle())
		}
	}
}

// TestInitAgain has the memory of a connection used for another one whenever it
// is idle: nobody notices, wherever the input is cut.
func TestInitAgain(t *testing.T) {
	for _, role := range []Role{Client, Server} {
		input, want := conversation(role)
		for at := range input {
			d := newConversation(t, role)
			again := func(int) {
				if !d.c.Idle() {
					return
				}
				useForAnother(t, d.c)
				if d.c.Init(Config{Role: role, MaskKeys: zeroKeys{}}); !d.c.Idle() {
					t.Fatal("a new connection is not idle because of the one before")
				}
			}
			d.before = again
			d.run(cutAt(input, at)...)
			d.wantEvents(want...)
			if t.Failed() {
				t.Fatalf("%v, cut at %d", role, at)
			}
		}
	}
}

// useForAnother makes c a connection that ends in the middle of everything.
func useForAnother(t *testing.T, c *Conn) {
	c.Init(Config{Role: Server, MaxMessageSize: 10, MaskKeys: zeroKeys{}})
	sendPing(t, c, "a payload that is too long for the array")
	owed(t, c, epoch)
	c.AssembleInto(make([]byte, 7))
	c.Received(epoch, 0, append(stream(Server,
		wireFrame{op: OpPing, payload: "another"},
		wireFrame{op: OpText, more: true, payload: "\xe2\x82"},
	), 0x89))
	for c.Next().Kind != EventNone {
	}
	if _, err := c.AppendFragment(nil, Binary, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.SendClose(GoingAway, ""); err != nil {
		t.Fatal(err)
	}
}
