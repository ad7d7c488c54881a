package protocol

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for want, got := range map[string]string{
		"client": Client.String(), "server": Server.String(), "no role": Role(0).String(),
		"connecting": Connecting.String(), "open": Open.String(), "closing": Closing.String(),
		"closed": Closed.String(), "no state": State(9).String(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNewConn(t *testing.T) {
	for _, role := range []Role{Client, Server} {
		c := NewConn(Config{Role: role})
		if c.Role() != role || c.State() != Open || c.CloseReceived() != nil || c.CloseSent() != nil || c.Owed() {
			t.Errorf("%v: a new connection is %v with close frames %v, %v; owed %t",
				role, c.State(), c.CloseReceived(), c.CloseSent(), c.Owed())
		}
		if ev := c.Next(); ev.Kind != EventNone {
			t.Errorf("%v: event %+v before anything was received", role, ev)
		}
	}
}

// TestDefaultMaskKeys sends two frames with keys of crypto/rand: they are
// masked, with different keys (section 5.3). Two keys are the same once in
// 2^32 runs, so three are compared.
func TestDefaultMaskKeys(t *testing.T) {
	c := NewConn(Config{Role: Client})
	keys := make(map[[4]byte]bool)
	for range 3 {
		b, err := c.AppendMessage(nil, Text, []byte("Hello"))
		if err != nil {
			t.Fatal(err)
		}
		h, size, err := ParseHeader(b)
		if err != nil || !h.Masked {
			t.Fatalf("header %+v, %v", h, err)
		}
		keys[h.Mask] = true
		if got := maskSlowly(b[size:], h.Mask, 0); string(got) != "Hello" {
			t.Errorf("unmasked %q", got)
		}
	}
	if len(keys) == 1 {
		t.Errorf("three frames with the one key %v", keys)
	}
}

// TestCloseByUs closes first; the peer echoes (section 7.1.2).
func TestCloseByUs(t *testing.T) {
	for _, tt := range []struct {
		code CloseCode
		wire string
	}{
		{NormalClosure, "\x88\x07\x03\xe8later"},
		{4321, "\x88\x07\x10\xe1later"},
	} {
		d := newDriver(t, newTestConn(Server))
		if err := d.c.SendClose(tt.code, "later"); err != nil {
			t.Fatal(err)
		}
		if d.c.State() != Closing || !d.c.Owed() || *d.c.CloseSent() != (Close{tt.code, "later"}) {
			t.Errorf("state %v, owed %t, sent %v", d.c.State(), d.c.Owed(), d.c.CloseSent())
		}
		if err := d.c.SendClose(GoingAway, ""); err != nil { // the first stands
			t.Error(err)
		}
		d.sendOwed()
		if string(d.output) != tt.wire {
			t.Errorf("sent %q, want %q", d.output, tt.wire)
		}
		d.run(stream(Server, wireFrame{op: OpClose, payload: "\x03\xe8"}))
		d.wantEvents("close 1000 (OK)")
		if string(d.output) != tt.wire {
			t.Errorf("sent another close frame: %q", d.output)
		}
		d.c.Disconnected(io.EOF)
		err := d.c.CloseError()
		if d.c.State() != Closed || err.RcvdThenSent || err.Err != nil || *err.Sent != (Close{tt.code, "later"}) {
			t.Errorf("%v: %v", d.c.State(), err)
		}
	}
}

// TestCloseByPeer echoes code and reason, an empty frame for an empty one, and
// looks at nothing behind it (sections 1.4 and 5.5.1).
func TestCloseByPeer(t *testing.T) {
	long := strings.Repeat("z", MaxCloseReason)
	for payload, want := range map[string]string{
		"":                 "close 1005 (no status received [internal])",
		"\x03\xe8":         "close 1000 (OK)",
		"\x03\xe9bye":      "close 1001 (going away) bye",
		"\x13\x87" + long:  "close 4999 (private use) " + long,
		"\x03\xf3\xc3\xa9": "close 1011 (internal error) é",
	} {
		d := newDriver(t, newTestConn(Server))
		d.run(stream(Server,
			wireFrame{op: OpClose, payload: payload},
			wireFrame{op: OpText, payload: "more"},
			wireFrame{op: OpPing},
			wireFrame{op: 3},
			wireFrame{op: OpClose, payload: "\x03\xea"},
		), stream(Server, wireFrame{op: OpPing}))
		d.wantEvents(want)
		if echo := "\x88" + string(rune(len(payload))) + payload; string(d.output) != echo {
			t.Errorf("sent %q, want %q", d.output, echo)
		}
		if err := d.c.CloseError(); !err.RcvdThenSent || d.c.State() != Closing {
			t.Errorf("%v: %v", d.c.State(), err)
		}
	}
}

// TestAfterOurClose goes on receiving: data, pings to answer and pongs, until
// the peer's close frame comes.
func TestAfterOurClose(t *testing.T) {
	d := newDriver(t, newTestConn(Server))
	if _, err := d.c.SendPing([]byte("p")); err != nil {
		t.Fatal(err)
	}
	if err := d.c.SendClose(NoStatusReceived, ""); err != nil {
		t.Fatal(err)
	}
	d.sendOwed()
	d.run(stream(Server,
		wireFrame{op: OpText, payload: "data"},
		wireFrame{op: OpPing, payload: "q"},
		wireFrame{op: OpPong, payload: "p"},
		wireFrame{op: OpClose, payload: "\x03\xe9"},
	))
	d.wantEvents(`text "data"`, `ping "q"`, `pong "p" settles [{1 0s}]`, "close 1001 (going away)")
	// The ping came before the peer's close frame, so section 5.5.2 has it
	// answered.
	if want := "\x89\x01p" + "\x88\x00" + "\x8a\x01q"; string(d.output) != want {
		t.Errorf("sent %q, want %q", d.output, want)
	}
}

// TestSendAfterClose refuses what may not follow a close frame, sent or
// received (section 5.5.1), and tells how the connection ended.
func TestSendAfterClose(t *testing.T) {
	for name, end := range map[string]func(c *Conn){
		"sent":         func(c *Conn) { c.SendClose(NormalClosure, "") },
		"received":     func(c *Conn) { c.Received(epoch, 0, stream(Server, wireFrame{op: OpClose})); c.Next() },
		"failed":       func(c *Conn) { c.Fail(InternalError, "oops", io.ErrClosedPipe) },
		"disconnected": func(c *Conn) { c.Disconnected(io.EOF) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newTestConn(Server)
			if _, err := c.AppendFragment(nil, Text, false, nil); err != nil {
				t.Fatal(err)
			}
			end(c)
			check := func(what string, err error) {
				t.Helper()
				var ce *CloseError
				if !errors.As(err, &ce) || *ce != *c.CloseError() {
					t.Errorf("%s: %v, want %v", what, err, c.CloseError())
				}
			}
			dst := []byte("before")
			got, err := c.AppendMessage(dst, Text, []byte("x"))
			check("AppendMessage", err)
			if string(got) != "before" {
				t.Errorf("AppendMessage appended %q", got)
			}
			got, err = c.AppendFragment(dst, Text, true, []byte("x"))
			check("AppendFragment", err)
			if string(got) != "before" {
				t.Errorf("AppendFragment appended %q", got)
			}
			_, err = c.BeginFrame(Text, true, 1)
			check("BeginFrame", err)
			_, err = c.SendPing(nil)
			check("SendPing", err)
			check("SendPong", c.SendPong(nil))
			if err := c.SendClose(1005, "reason without a code"); !errors.Is(err, ErrInvalidClose) {
				t.Errorf("SendClose with bad arguments: %v", err)
			}
			if err := c.SendClose(GoingAway, ""); err != nil {
				t.Errorf("SendClose: %v", err)
			}
		})
	}
}

// TestFail sends the code and as much of the reason as fits, and hears no more.
func TestFail(t *testing.T) {
	for _, tt := range []struct {
		code   CloseCode
		reason string
		want   Close
	}{
		{PolicyViolation, "slow", Close{PolicyViolation, "slow"}},
		{PolicyViolation, strings.Repeat("é", 100), Close{PolicyViolation, strings.Repeat("é", 61)}},
		{InternalError, "\xff", Close{Code: InternalError}},
		{InternalError, strings.Repeat("\x80", 200), Close{Code: InternalError}},
		{AbnormalClosure, "must not travel", Close{Code: InternalError}},
	} {
		d := newDriver(t, newTestConn(Server))
		d.c.Received(epoch, 0, stream(Server, wireFrame{op: OpPing, payload: "p"}))
		d.drain()
		d.c.Fail(tt.code, tt.reason, io.ErrUnexpectedEOF)
		d.c.Fail(GoingAway, "second", io.EOF) // the first cause counts
		d.c.Received(epoch, 0, stream(Server, wireFrame{op: OpText, payload: "ignored"}))
		d.drain()
		d.sendOwed()
		d.wantEvents(`ping "p"`)
		if *d.c.CloseSent() != tt.want || d.c.CloseError().Err != io.ErrUnexpectedEOF {
			t.Errorf("%v %q: %v", tt.code, tt.reason, d.c.CloseError())
		}
		if !bytes.HasPrefix(d.output, []byte("\x8a\x01p\x88")) || d.output[4] != byte(2+len(tt.want.Reason)) {
			t.Errorf("sent %q, want the pong and the close frame", d.output)
		}
	}
}

// TestFailAfterClose keeps the close frame that was sent and notes the cause.
func TestFailAfterClose(t *testing.T) {
	c := newTestConn(Server)
	if err := c.SendClose(NormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	out := owed(t, c, epoch)
	c.Fail(ProtocolError, "late", io.ErrUnexpectedEOF)
	if c.Owed() || *c.CloseSent() != (Close{Code: NormalClosure}) || c.CloseError().Err != io.ErrUnexpectedEOF {
		t.Errorf("sent %x; then owed %t, %v", out, c.Owed(), c.CloseError())
	}
}

// TestFailViolation does nothing unless the peer broke the protocol.
func TestFailViolation(t *testing.T) {
	c := newTestConn(Server)
	c.FailViolation()
	if c.State() != Open || c.Violation() != nil {
		t.Fatalf("state %v, violation %v", c.State(), c.Violation())
	}
	c.Received(epoch, 0, []byte{0x83})
	if ev := c.Next(); ev.Kind != EventViolation || c.State() != Open {
		t.Fatalf("event %+v, state %v", ev, c.State())
	}
	// The caller may still answer what came before.
	if _, err := c.AppendMessage(nil, Text, nil); err != nil {
		t.Fatalf("between violation and FailViolation: %v", err)
	}
	c.Received(epoch, 0, stream(Server, wireFrame{op: OpPing}))
	if ev := c.Next(); ev.Kind != EventNone || c.Buffered() {
		t.Fatalf("event %+v behind a violation, buffered %t", ev, c.Buffered())
	}
	c.FailViolation()
	if c.State() != Closing || c.CloseSent().Code != ProtocolError || c.CloseError().Err != c.Violation() {
		t.Errorf("%v: %v", c.State(), c.CloseError())
	}
}

// TestViolationUnseen fails the connection before Next has reported what was
// wrong: it is not reported any more.
func TestViolationUnseen(t *testing.T) {
	c := newTestConn(Server)
	c.Received(epoch, 0, append(stream(Server, wireFrame{op: OpPing}), 0x83))
	if ev := c.Next(); ev.Kind != EventPing {
		t.Fatalf("event %+v", ev)
	}
	c.Fail(InternalError, "", io.EOF)
	if ev := c.Next(); ev.Kind != EventNone {
		t.Errorf("event %+v behind Fail", ev)
	}
}

// TestDisconnected sends and receives nothing any more, and keeps the cause
// only if the closing handshake was not complete.
func TestDisconnected(t *testing.T) {
	c := newTestConn(Server)
	c.Received(epoch, 0, stream(Server, wireFrame{op: OpPing}, wireFrame{op: OpText, payload: "unread"}))
	if ev := c.Next(); ev.Kind != EventPing {
		t.Fatalf("event %+v", ev)
	}
	sendPing(t, c, "p")
	c.Disconnected(io.ErrUnexpectedEOF)
	c.Disconnected(io.EOF)
	c.Fail(InternalError, "late", io.ErrShortWrite)
	if c.State() != Closed || c.CloseError().Err != io.ErrUnexpectedEOF || c.CloseSent() != nil {
		t.Errorf("%v: %v", c.State(), c.CloseError())
	}
	c.Received(epoch, 0, stream(Server, wireFrame{op: OpText, payload: "late"}))
	if ev := c.Next(); ev.Kind != EventNone || c.Buffered() || c.Window() != nil {
		t.Errorf("event %+v on a closed connection", ev)
	}
	if b := owed(t, c, epoch); b != nil {
		t.Errorf("sent %x on a closed connection", b)
	}

	c = newTestConn(Server)
	c.Received(epoch, 0, stream(Server, wireFrame{op: OpClose, payload: "\x03\xe8"}))
	c.Next()
	c.Disconnected(io.ErrClosedPipe)
	if err := c.CloseError(); err.Err != nil || !errors.Is(err, ErrClosedOK) {
		t.Errorf("after both close frames: %v", err)
	}
}
