package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestAppendMessage sends messages of each length boundary from both sides.
func TestAppendMessage(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 1 << 20} {
		for _, role := range []Role{Client, Server} {
			payload := bytes.Repeat([]byte("x"), n)
			c := NewConn(Config{Role: role, MaskKeys: bytes.NewReader(wireKey[:])})
			got, err := c.AppendMessage([]byte("before"), Binary, payload)
			if err != nil {
				t.Fatal(err)
			}
			// The client masks with the key that wireFrame uses too.
			want := "before" + string(wireFrame{op: OpBinary, unmasked: role == Server, payload: string(payload)}.bytes())
			if string(got) != want {
				t.Errorf("%v: message of %d bytes goes out wrongly", role, n)
			}
			if n > 0 && payload[0] != 'x' {
				t.Errorf("%v: the caller's payload was masked", role)
			}
		}
	}
}

// TestAppendFragment sends messages in fragments (section 5.4), with a control
// frame between them.
func TestAppendFragment(t *testing.T) {
	c := newTestConn(Server)
	var out []byte
	fragment := func(typ MessageType, fin bool, payload string) {
		t.Helper()
		b, err := c.AppendFragment(out, typ, fin, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		out = b
	}
	fragment(Text, false, "\xc3") // half a character
	sendPing(t, c, "p")
	out = append(out, owed(t, c, epoch)...)
	for _, wrong := range []func() ([]byte, error){
		func() ([]byte, error) { return c.AppendMessage(out, Text, nil) },
		func() ([]byte, error) { return c.AppendFragment(out, Binary, true, nil) },
	} {
		if b, err := wrong(); !errors.Is(err, ErrMessageOrder) || len(b) != len(out) {
			t.Errorf("another message inside a message: %v", err)
		}
	}
	fragment(Text, false, "")
	fragment(Text, true, "\xa9")
	fragment(Binary, true, "whole")
	fragment(Binary, false, "a")
	fragment(Binary, true, "b")
	want := "\x01\x01\xc3" + "\x89\x01p" + "\x00\x00" + "\x80\x01\xa9" + "\x82\x05whole" + "\x02\x01a" + "\x80\x01b"
	if string(out) != want {
		t.Errorf("sent %q\nwant %q", out, want)
	}
}

// TestUndoFrame takes frames back and sends others in their place.
func TestUndoFrame(t *testing.T) {
	c := newTestConn(Server)
	begin := func(fin bool) Header {
		t.Helper()
		h, err := c.BeginFrame(Text, fin, 3)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	c.UndoFrame(begin(true))
	c.UndoFrame(begin(false))
	if h := begin(false); h.Opcode != OpText {
		t.Errorf("first frame is %v", h.Opcode)
	}
	c.UndoFrame(begin(true)) // the message is open again
	c.UndoFrame(begin(false))
	if h := begin(true); h.Opcode != OpContinuation {
		t.Errorf("second frame is %v", h.Opcode)
	}
	if h := begin(true); h.Opcode != OpText || h.Length != 3 || h.Masked {
		t.Errorf("frame of the next message: %+v", h)
	}
}

func TestAppendErrors(t *testing.T) {
	c := newTestConn(Client)
	dst := []byte("before")
	for _, tt := range []struct {
		name   string
		append func() ([]byte, error)
		want   error
	}{
		{"text that is not UTF-8", func() ([]byte, error) { return c.AppendMessage(dst, Text, []byte("\xff")) }, ErrInvalidText},
		{"message of no type", func() ([]byte, error) { return c.AppendMessage(dst, 0, nil) }, ErrMessageType},
		{"fragment of another type", func() ([]byte, error) { return c.AppendFragment(dst, 8, true, nil) }, ErrMessageType},
	} {
		if got, err := tt.append(); !errors.Is(err, tt.want) || string(got) != "before" {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	if _, err := c.AppendMessage(nil, Binary, []byte("\xff")); err != nil {
		t.Errorf("binary message that is not UTF-8: %v", err)
	}
}

// TestMaskKeysFail has the source of masking keys run dry: nothing is sent
// unmasked or half, and nothing is forgotten (section 10.3).
func TestMaskKeysFail(t *testing.T) {
	cause := errors.New("no entropy")
	c := NewConn(Config{Role: Client, MaskKeys: iotest.ErrReader(cause)})
	dst := []byte("before")
	for name, send := range map[string]func() ([]byte, error){
		"AppendMessage":  func() ([]byte, error) { return c.AppendMessage(dst, Text, []byte("x")) },
		"AppendFragment": func() ([]byte, error) { return c.AppendFragment(dst, Text, false, []byte("x")) },
		"random ping":    func() ([]byte, error) { _, err := c.SendPing(nil); return dst, err },
		"BeginFrame":     func() ([]byte, error) { h, err := c.BeginFrame(Text, false, 1); return AppendHeader(nil, h)[:0], err },
	} {
		if got, err := send(); !errors.Is(err, cause) || len(got) > 0 && string(got) != "before" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if c.out.open {
		t.Error("a message is open though none of it was sent")
	}

	// Four control frames are owed and there are keys for two: all or nothing.
	keys := io.MultiReader(strings.NewReader("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), iotest.ErrReader(cause))
	c = NewConn(Config{Role: Client, MaskKeys: keys})
	c.Received(epoch, 0, stream(Client, wireFrame{op: OpPing, payload: "q"}))
	c.Next()
	if err := c.SendPong([]byte("u")); err != nil {
		t.Fatal(err)
	}
	id := sendPing(t, c, "p")
	if err := c.SendClose(GoingAway, ""); err != nil {
		t.Fatal(err)
	}
	got, err := c.AppendOwed(dst, epoch)
	if !errors.Is(err, cause) || string(got) != "before" || !c.Owed() {
		t.Fatalf("AppendOwed without keys: %q, %v, owed %t", got, err, c.Owed())
	}
	if got := receivePong(t, c, epoch, "p"); len(got) != 0 {
		t.Errorf("the ping counts as sent: %v", got)
	}
	c.maskKeys = zeroKeys{}
	want := "before\x8a\x81\x00\x00\x00\x00q" + "\x8a\x81\x00\x00\x00\x00u" + "\x89\x81\x00\x00\x00\x00p" + "\x88\x82\x00\x00\x00\x00\x03\xe9"
	if got, err = c.AppendOwed(dst, epoch); err != nil || string(got) != want {
		t.Errorf("with keys again: %q, %v\nwant %q", got, err, want)
	}
	if got := receivePong(t, c, epoch, "p"); len(got) != 1 || got[0].ID != id {
		t.Errorf("the ping's pong settles %v", got)
	}
}

// TestOwedPongs answers up to 64 pings each with its pong, in their order; of
// more it answers only the newest, as section 5.5.3 allows.
func TestOwedPongs(t *testing.T) {
	for _, size := range []int{3, MaxControlPayload} {
		for pings, wantPongs := range map[int]int{1: 1, 63: 63, 64: 64, 65: 1, 66: 2, 128: 64, 129: 1} {
			c := newTestConn(Server)
			payload := func(i int) string { return fmt.Sprintf("%0*d", size, i) }
			for i := range pings {
				c.Received(epoch, 0, stream(Server, wireFrame{op: OpPing, payload: payload(i)}))
				if ev := c.Next(); ev.Kind != EventPing {
					t.Fatalf("event %+v", ev)
				}
				if held := len(c.out.pongs.buf); held > 8<<10 {
					t.Fatalf("%d bytes of pongs are held", held)
				}
			}
			var want []byte
			for i := pings - wantPongs; i < pings; i++ {
				want = append(want, wireFrame{op: OpPong, unmasked: true, payload: payload(i)}.bytes()...)
			}
			if got := owed(t, c, epoch); !bytes.Equal(got, want) {
				t.Errorf("%d pings of %d bytes: sent %.60q..., want %.60q...", pings, size, got, want)
			}
			if kept := cap(c.out.pongs.buf); kept > maxIdlePongs {
				t.Errorf("%d bytes are kept for pongs that are gone", kept)
			}
		}
	}
}

// TestSendPong sends unsolicited pongs (section 5.5.3).
func TestSendPong(t *testing.T) {
	c := newTestConn(Server)
	payload := []byte("beat")
	for _, p := range [][]byte{payload, nil} {
		if err := c.SendPong(p); err != nil {
			t.Fatal(err)
		}
	}
	spoil(payload)
	if got, want := owed(t, c, epoch), "\x8a\x04beat\x8a\x00"; string(got) != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	if err := c.SendPong(make([]byte, 126)); !errors.Is(err, ErrControlTooBig) {
		t.Errorf("126 bytes: %v", err)
	}
	for i := range maxPongs + 1 {
		if err := c.SendPong([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := owed(t, c, epoch), "\x8a\x01\x40"; string(got) != want {
		t.Errorf("of 65 pongs %q are sent, want the newest: %q", got, want)
	}
	// The peer's pings are answered whatever number of our own is queued.
	for range maxPongs {
		c.Received(epoch, 0, stream(Server, wireFrame{op: OpPing, payload: "q"}))
		c.Next()
	}
	if err := c.SendPong([]byte("u")); err != nil {
		t.Fatal(err)
	}
	if got := owed(t, c, epoch); bytes.Count(got, []byte("\x8a\x01q")) != maxPongs {
		t.Errorf("an unsolicited pong put answers out: %q", got)
	}
}

// TestOwedOrder sends pongs first, for the peer waits for them, and a close
// frame last, for nothing may follow it.
func TestOwedOrder(t *testing.T) {
	c := newTestConn(Server)
	sendPing(t, c, "p")
	if err := c.SendPong([]byte("u")); err != nil {
		t.Fatal(err)
	}
	c.Received(epoch, 0, stream(Server, wireFrame{op: OpPing, payload: "q"}))
	c.Next()
	if err := c.SendClose(GoingAway, ""); err != nil {
		t.Fatal(err)
	}
	if got, want := owed(t, c, epoch), "\x8a\x01q\x8a\x01u\x89\x01p\x88\x02\x03\xe9"; string(got) != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	if b, err := c.AppendOwed([]byte("before"), epoch); err != nil || string(b) != "before" {
		t.Errorf("with nothing owed: %q, %v", b, err)
	}
}
