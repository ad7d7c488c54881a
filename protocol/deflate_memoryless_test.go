package protocol

import (
	"strings"
	"testing"
)

// TestInterchangeable gives two connections at each end the same extensions and
// sends messages on both in fragments that alternate.
func TestInterchangeable(t *testing.T) {
	d := &Deflate{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
	client, server := negotiated(t, d.WithDefaults(), d.WithDefaults())
	var from, to [2]*Conn
	for i := range from {
		from[i] = NewConn(Config{Role: Client, Extensions: []Extension{client}, MaskKeys: zeroKeys{}})
		to[i] = NewConn(Config{Role: Server, Extensions: []Extension{server}})
	}
	texts := [2]string{strings.Repeat("one and one ", 100), strings.Repeat("two and two ", 100)}
	for part := range 3 {
		for i, text := range texts {
			wire := appendCompressed(t, from[i], text[part*400:(part+1)*400], part == 2)
			to[i].Received(epoch, 0, wire)
			ev := to[i].Next()
			if done := part == 2; done != (ev.Kind == EventMessage) || done && string(ev.Data) != text {
				t.Fatalf("connection %d, part %d: %v %q", i, part, ev.Kind, ev.Data)
			}
		}
	}
	if *client != (deflate{settings: client.settings, in: client.in, out: client.out}) {
		t.Error("what is shared has changed")
	}
}

func appendCompressed(t *testing.T, c *Conn, part string, fin bool) []byte {
	t.Helper()
	payload, err := c.EncodePayload(Text, fin, []byte(part))
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.BeginFrame(Text, fin, len(payload))
	if err != nil {
		t.Fatal(err)
	}
	return appendMasked(AppendHeader(nil, h), h, payload)
}

// TestNotInterchangeable has what must not be shared.
func TestNotInterchangeable(t *testing.T) {
	alone := Deflate{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
	narrow, half := alone, alone
	narrow.ServerMaxWindowBits, half.ClientNoContextTakeover = 9, false
	d := alone.WithDefaults()
	_, one := negotiated(t, d, d)
	for what, other := range map[string]Extension{
		"other settings": second(negotiated(t, d, alone.WithDefaults())),
		"another window": second(negotiated(t, &narrow, d)),
		"takeover":       second(negotiated(t, &half, half.WithDefaults())),
		"not ours":       adder{},
	} {
		if Interchangeable([]Extension{one}, []Extension{other}) || Interchangeable([]Extension{other}, []Extension{one}) {
			t.Errorf("%s: interchangeable", what)
		}
	}
	takeover, _ := negotiated(t, &half, half.WithDefaults())
	if Interchangeable([]Extension{takeover}, []Extension{takeover}) {
		t.Error("with takeover: interchangeable with itself")
	}
	_, same := negotiated(t, d, d)
	if !Interchangeable([]Extension{one}, []Extension{same}) || Interchangeable([]Extension{one, adder{}}, []Extension{one, adder{}}) || Interchangeable(nil, nil) {
		t.Error("the same agreement, one of two, or none")
	}
}

func second(_, server *deflate) Extension { return server }
