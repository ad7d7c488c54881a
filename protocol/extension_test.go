package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"testing"
)

// A plan is what one side sends in TestExtensionsRoundTrip.
type plan struct {
	typ  MessageType
	data []byte
	cuts []int // where its frames end
	want Compression
}

func randomPlan(rng *rand.Rand) plan {
	p := plan{Binary, resembling(rng, 1<<rng.IntN(14)), nil, Compression(rng.IntN(3))}
	if rng.IntN(2) == 0 {
		p.typ, p.data = Text, bytes.ToValidUTF8(p.data, []byte("é"))
	}
	for range rng.IntN(4) * rng.IntN(3) {
		p.cuts = append(p.cuts, rng.IntN(len(p.data)+1))
	}
	slices.Sort(p.cuts)
	return p
}

// extensionSets are what the round trips are made with.
func extensionSets(rng *rand.Rand) (client, server []Extension) {
	d := &Deflate{
		ServerMaxWindowBits: 7 + rng.IntN(9), ClientMaxWindowBits: 7 + rng.IntN(9),
		ServerNoContextTakeover: rng.IntN(2) == 0, ClientNoContextTakeover: rng.IntN(2) == 0,
		Threshold: rng.IntN(200) - 1, Level: 1 + rng.IntN(9), Pools: onePool{},
	}
	for _, bits := range []*int{&d.ServerMaxWindowBits, &d.ClientMaxWindowBits} {
		if *bits == 7 {
			*bits = -1
		}
	}
	sets := [][]any{{d}, {d}, {d, adder{0}}, {adder{RSV2}, d}, {adder{RSV3}, adder{RSV2}, d}, {adder{RSV2}}}
	var offers []ClientExtensionFactory
	var accepts []ServerExtensionFactory
	for _, f := range sets[rng.IntN(len(sets))] {
		offers = append(offers, f.(ClientExtensionFactory))
		accepts = append(accepts, f.(ServerExtensionFactory))
	}
	client, server, err := Negotiate(offers, accepts)
	if err != nil || len(client) != len(offers) || len(server) != len(offers) {
		panic(fmt.Sprint(client, server, err))
	}
	return client, server
}

// An adder is an extension that adds one to each byte, with any bits.
type adder struct{ bits RSV }

func (a adder) Name() string           { return fmt.Sprintf("x-add-%d", a.bits) }
func (a adder) RSV() RSV               { return a.bits }
func (a adder) Sent(bool)              {}
func (a adder) RequestParams() []Param { return nil }

func (a adder) ProcessResponseParams([]Param, []Extension) (Extension, error) { return a, nil }

func (a adder) ProcessRequestParams([]Param, []Extension) ([]Param, Extension, error) {
	return nil, a, nil
}

func (a adder) Encode(dst, payload []byte, frame Fragment) ([]byte, bool, error) {
	if a.bits != 0 && len(payload)%2 == 1 && frame.First {
		return dst, false, nil
	}
	for _, b := range payload {
		dst = append(dst, b+1)
	}
	return dst, true, nil
}

func (a adder) Decode(dst, piece []byte, last bool, room int) ([]byte, error) {
	if len(piece) > room {
		return dst, ErrMessageTooBig
	}
	for _, b := range piece {
		dst = append(dst, b-1)
	}
	return dst, nil
}

// TestExtensionsRoundTrip sends random messages with random frames, pings in
// between and frames that are taken back, through random extensions and random
// pieces, in both directions; they come out equal, whole or in chunks.
func TestExtensionsRoundTrip(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	for seed := range rounds {
		rng := rand.New(rand.NewPCG(uint64(seed), 99))
		client, server := extensionSets(rng)
		a := NewConn(Config{Role: Client, Extensions: client, MaskKeys: zeroKeys{}})
		b := NewConn(Config{Role: Server, Extensions: server})
		agreed := map[*Conn][]Extension{a: client, b: server}
		if rng.IntN(2) == 0 {
			a, b = b, a
		}
		for range 10 {
			a, b = b, a
			carry(t, seed, rng, a, b)
			if !a.Idle() || !b.Idle() {
				t.Fatalf("seed %d: not idle", seed)
			}
			if rng.IntN(3) == 0 { // as a driver of very many does
				a.Init(Config{Role: a.role, Extensions: agreed[a], MaskKeys: a.maskKeys})
				b.Init(Config{Role: b.role, Extensions: agreed[b], MaskKeys: b.maskKeys})
			}
		}
	}
}

func carry(t *testing.T, seed int, rng *rand.Rand, from, to *Conn) {
	t.Helper()
	p := randomPlan(rng)
	wire := p.send(t, rng, from)
	streaming := rng.IntN(2) == 0
	to.Streaming(streaming)
	var got []byte
	ended := false
	for len(wire) > 0 {
		n := min(1+rng.IntN(1+len(wire)), len(wire))
		to.Received(epoch, 0, wire[:n])
		wire = wire[n:]
		for ev := to.Next(); ev.Kind != EventNone; ev = to.Next() {
			switch ev.Kind {
			case EventMessage, EventChunk:
				got = append(got, ev.Data...)
				ended = ev.Kind == EventMessage || ev.Last
				if ev.Type != p.typ {
					t.Fatalf("seed %d: type %v, want %v", seed, ev.Type, p.typ)
				}
			case EventViolation:
				t.Fatalf("seed %d: %v", seed, to.Violation())
			}
		}
	}
	if !ended || !bytes.Equal(got, p.data) {
		t.Fatalf("seed %d: ended %t with %d bytes, want %d", seed, ended, len(got), len(p.data))
	}
	to.Streaming(false)
	if _, err := to.AppendOwed(nil, epoch); err != nil {
		t.Fatal(err)
	}
}

// send encodes the message in its frames.
func (p plan) send(t *testing.T, rng *rand.Rand, c *Conn) (wire []byte) {
	t.Helper()
	c.Compress(p.want)
	begin := 0
	for i := range len(p.cuts) + 1 {
		end := len(p.data)
		if i < len(p.cuts) {
			end = p.cuts[i]
		}
		fin, piece := i == len(p.cuts), p.data[begin:end]
		begin = end
		if rng.IntN(3) == 0 { // begun and taken back
			payload, err := c.EncodePayload(p.typ, fin, []byte("something else, something else"))
			if err != nil {
				t.Fatal(err)
			}
			h, err := c.BeginFrame(p.typ, fin, len(payload))
			if err != nil {
				t.Fatal(err)
			}
			c.UndoFrame(h)
		}
		var err error
		if wire, err = c.AppendFragment(wire, p.typ, fin, piece); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(3) == 0 {
			if err := c.SendPong([]byte("in between")); err != nil {
				t.Fatal(err)
			}
			if wire, err = c.AppendOwed(wire, epoch); err != nil {
				t.Fatal(err)
			}
		}
	}
	return wire
}

// compressed returns a server's connection that reads compressed messages of
// at most limit bytes.
func compressed(t testing.TB, limit int64) *Conn {
	t.Helper()
	d := &Deflate{ClientMaxWindowBits: -1}
	_, server := negotiated(t, d, d)
	return NewConn(Config{Role: Server, Extensions: []Extension{server}, MaxMessageSize: limit})
}

// TestCompressedViolations: where the first bit may stand (RFC 7692, section 6,
// and RFC 6455, section 5.2), and what compressed data may be.
func TestCompressedViolations(t *testing.T) {
	const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"
	for name, test := range map[string]struct {
		frames []wireFrame
		want   CloseCode // 0: none
	}{
		"compressed":                 {[]wireFrame{{rsv: 0x40, op: OpText, payload: hello}}, 0},
		"not compressed":             {[]wireFrame{{op: OpText, payload: "Hello"}}, 0},
		"in two frames":              {[]wireFrame{{rsv: 0x40, op: OpText, payload: hello[:3], more: true}, {op: OpContinuation, payload: hello[3:]}}, 0},
		"ping in between":            {[]wireFrame{{rsv: 0x40, op: OpText, payload: hello[:3], more: true}, {op: OpPing}, {op: OpContinuation, payload: hello[3:]}}, 0},
		"last frame empty":           {[]wireFrame{{rsv: 0x40, op: OpText, payload: hello, more: true}, {op: OpContinuation}}, 0},
		"bit in the second frame":    {[]wireFrame{{rsv: 0x40, op: OpText, payload: hello[:3], more: true}, {rsv: 0x40, op: OpContinuation, payload: hello[3:]}}, ProtocolError},
		"bit in the second only":     {[]wireFrame{{op: OpBinary, payload: hello[:3], more: true}, {rsv: 0x40, op: OpContinuation, payload: hello[3:]}}, ProtocolError},
		"bit in a ping":              {[]wireFrame{{rsv: 0x40, op: OpPing}}, ProtocolError},
		"bit in a close frame":       {[]wireFrame{{rsv: 0x40, op: OpClose}}, ProtocolError},
		"another bit":                {[]wireFrame{{rsv: 0x60, op: OpText, payload: hello}}, ProtocolError},
		"no deflate stream":          {[]wireFrame{{rsv: 0x40, op: OpText, payload: "Hello"}}, ProtocolError},
		"cut off":                    {[]wireFrame{{rsv: 0x40, op: OpText, payload: hello[:4]}}, ProtocolError},
		"text that is not UTF-8":     {[]wireFrame{{rsv: 0x40, op: OpText, payload: "\x00\x01\x00\xfe\xff\xff\x00"}}, InvalidPayloadData},
		"text that ends too soon":    {[]wireFrame{{rsv: 0x40, op: OpText, payload: "\x00\x01\x00\xfe\xff\xc3\x00"}}, InvalidPayloadData},
		"text wrong, then not data":  {[]wireFrame{{rsv: 0x40, op: OpText, payload: "\x00\x01\x00\xfe\xff\xff\x06"}}, InvalidPayloadData},
		"binary that is not UTF-8":   {[]wireFrame{{rsv: 0x40, op: OpBinary, payload: "\x00\x01\x00\xfe\xff\xff\x00"}}, 0},
		"refers to what never came":  {[]wireFrame{{rsv: 0x40, op: OpText, payload: "\xf2\x00\x11\x00\x00"}}, ProtocolError},
		"refers to the one before":   {[]wireFrame{{rsv: 0x40, op: OpText, payload: hello}, {rsv: 0x40, op: OpText, payload: "\xf2\x00\x11\x00\x00"}}, 0},
		"plain ones are no history":  {[]wireFrame{{op: OpText, payload: "Hello"}, {rsv: 0x40, op: OpText, payload: "\xf2\x00\x11\x00\x00"}}, ProtocolError},
		"and do not get in its way":  {[]wireFrame{{rsv: 0x40, op: OpText, payload: hello}, {op: OpText, payload: "hallo"}, {rsv: 0x40, op: OpText, payload: "\xf2\x00\x11\x00\x00"}}, 0},
		"one byte more than allowed": {[]wireFrame{{rsv: 0x40, op: OpText, payload: "\x00\x65\x00\x9a\xff" + string(bytes.Repeat([]byte("x"), 101)) + "\x00"}}, MessageTooBig},
		"as many as are allowed":     {[]wireFrame{{rsv: 0x40, op: OpText, payload: "\x00\x64\x00\x9b\xff" + string(bytes.Repeat([]byte("x"), 100)) + "\x00"}}, 0},
		"nothing, for ever":          {slices.Concat([]wireFrame{{rsv: 0x40, op: OpText, more: true}}, slices.Repeat([]wireFrame{{op: OpContinuation, more: true, payload: "\x00\x00\x00\xff\xff"}}, 400)), MessageTooBig},
	} {
		wire := stream(Server, test.frames...)
		for _, size := range []int{1, 2, 5, math.MaxInt} {
			for _, streaming := range []bool{false, true} {
				c := compressed(t, 100)
				c.Streaming(streaming)
				for rest := bytes.Clone(wire); len(rest) > 0; {
					n := min(size, len(rest))
					c.Received(epoch, 0, rest[:n])
					rest = rest[n:]
					for c.Next().Kind != EventNone {
						c.Streaming(streaming)
					}
				}
				var v *ViolationError
				errors.As(c.Violation(), &v)
				if test.want == 0 && v != nil || test.want != 0 && (v == nil || v.Code != test.want) {
					t.Errorf("%s, in pieces of %d, streaming %t: %v, want %d", name, size, streaming, v, test.want)
				}
			}
		}
	}
}

// TestCompressedTextAtOnce fails at the byte of compressed data that shows that
// the text is not UTF-8, in the middle of a frame.
func TestCompressedTextAtOnce(t *testing.T) {
	wire := stream(Server, wireFrame{rsv: 0x40, op: OpText, payload: "\x00\x05\x00\xfa\xffab\xffde\x00"})
	c := compressed(t, 0)
	for i := range wire {
		c.Received(epoch, 0, wire[i:i+1])
		violated := c.Next().Kind == EventViolation
		if bad := i == len(wire)-4; violated != bad {
			t.Fatalf("byte %d of %d: violation %t", i, len(wire), violated)
		}
		if violated {
			return
		}
	}
}

// TestBomb sends messages that become a thousand times as long: whole, in
// fragments, and as a match into what context takeover has kept. They end with
// 1009, and all that is ever allocated is a few times the limit.
func TestBomb(t *testing.T) {
	const limit = 1 << 20
	d := &Deflate{ClientMaxWindowBits: -1}
	client, _ := negotiated(t, d, d)
	bomb, _, err := client.Encode(nil, make([]byte, 48<<20), Fragment{Binary, true, true, CompressOn})
	if err != nil {
		t.Fatal(err)
	}
	if len(bomb) > 80<<10 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	frames := map[string][]wireFrame{
		"whole": {{rsv: 0x40, op: OpBinary, payload: string(bomb)}},
		"over takeover": {
			{rsv: 0x40, op: OpBinary, payload: "\x00\x05\x00\xfa\xff\x00\x00\x00\x00\x00\x00"},
			{rsv: 0x40, op: OpBinary, payload: string(bomb)},
		},
	}
	for i, rest := 0, bomb; len(rest) > 0; i++ {
		n := min(100, len(rest))
		f := wireFrame{op: OpContinuation, payload: string(rest[:n]), more: n < len(rest)}
		if i == 0 {
			f.rsv, f.op = 0x40, OpBinary
		}
		frames["fragmented"] = append(frames["fragmented"], f)
		rest = rest[n:]
	}
	client, bomb = nil, nil
	for name, list := range frames {
		wire := stream(Server, list...)
		for _, streaming := range []bool{false, true} {
			c := compressed(t, limit)
			c.Streaming(streaming)
			before := allocated()
			total := 0
			for rest := bytes.Clone(wire); len(rest) > 0 && c.Violation() == nil; {
				n := min(64<<10, len(rest))
				c.Received(epoch, 0, rest[:n])
				rest = rest[n:]
				for ev := c.Next(); ev.Kind != EventNone; ev = c.Next() {
					total += len(ev.Data)
					c.Streaming(streaming)
				}
			}
			used := allocated() - before
			var v *ViolationError
			if !errors.As(c.Violation(), &v) || v.Code != MessageTooBig || total > limit+5 {
				t.Errorf("%s: %v after %d bytes", name, c.Violation(), total)
			}
			if used > 6*limit {
				t.Errorf("%s, streaming %t: %d bytes allocated", name, streaming, used)
			}
		}
	}
}

// allocated returns how many bytes were ever allocated. What is in use can
// never be more, whenever garbage is collected.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestExtensionsCombined: two that use the same bit are not combined, the
// server declines the second, and the client refuses both.
func TestExtensionsCombined(t *testing.T) {
	d := new(Deflate)
	clashing := []ClientExtensionFactory{d, named{adder{RSV1}, "x-one"}}
	client, server, err := Negotiate(clashing, []ServerExtensionFactory{d, named{adder{RSV1}, "x-one"}})
	if err != nil || len(client) != 1 || len(server) != 1 || client[0].Name() != deflateName {
		t.Errorf("%v, %v, %v", client, server, err)
	}
	o := Offer{Extensions: clashing}
	if _, err := o.checkExtensions(map[string][]string{headerExtensions: {"permessage-deflate, x-one"}}); !errors.Is(err, ErrExtension) {
		t.Errorf("the client took two with the same bit: %v", err)
	}
	if _, err := o.checkExtensions(map[string][]string{headerExtensions: {"x-two"}}); !errors.Is(err, ErrExtension) {
		t.Errorf("the client took what it has not offered: %v", err)
	}
}

// TestExtensionsDeclined: the server uses an extension once, none that owns bits
// that are not reserved, and none that comes with an error; the client takes none
// of these either.
func TestExtensionsDeclined(t *testing.T) {
	one, greedy, failing := named{adder{0}, "x-one"}, named{adder{1 << 7}, "x-greedy"}, failing{named{adder{0}, "x-failing"}}
	a := Acceptor{Extensions: []ServerExtensionFactory{one, greedy, failing}}
	accepted, value, err := a.acceptExtensions(http.Header{headerExtensions: {"x-greedy, x-one, x-failing, x-one; a=b"}})
	if err != nil || len(accepted) != 1 || value != "x-one" {
		t.Errorf("the server answers %q with %d extensions, %v", value, len(accepted), err)
	}
	o := Offer{Extensions: []ClientExtensionFactory{one, greedy, failing}}
	for _, answer := range []string{"x-one, x-one", "x-greedy", "x-failing"} {
		if list, err := o.checkExtensions(http.Header{headerExtensions: {answer}}); !errors.Is(err, ErrExtension) {
			t.Errorf("%s: the client took %d, %v", answer, len(list), err)
		}
	}
	if _, _, err := Negotiate([]ClientExtensionFactory{named{adder{0}, "x one"}}, nil); !errors.Is(err, ErrExtension) {
		t.Errorf("a name that is no token: %v", err)
	}
}

// TestExtensionDeclines: an extension that leaves a message alone and returns the
// message itself, in place of dst, does not make the caller's memory ours.
func TestExtensionDeclines(t *testing.T) {
	c := NewConn(Config{Role: Server, Extensions: []Extension{declining{adder{RSV1}}}})
	theirs := []byte("precious")
	for _, payload := range [][]byte{theirs[:0], []byte("another")} {
		if _, err := c.AppendMessage(nil, Binary, payload); err != nil {
			t.Fatal(err)
		}
		c.FrameSent()
	}
	if string(theirs) != "precious" {
		t.Errorf("the caller's memory has %q", theirs)
	}
}

// declining leaves empty messages alone.
type declining struct{ adder }

func (d declining) Encode(dst, payload []byte, frame Fragment) ([]byte, bool, error) {
	if len(payload) == 0 {
		return payload, false, nil
	}
	return append(dst, payload...), true, nil
}

// failing makes an extension and an error.
type failing struct{ named }

func (f failing) ProcessResponseParams([]Param, []Extension) (Extension, error) {
	return f, errors.New("not today")
}

func (f failing) ProcessRequestParams([]Param, []Extension) ([]Param, Extension, error) {
	return nil, f, errors.New("not today")
}

// TestExtensionMisnamed: what is no token cannot be offered, and neither can a
// parameter.
func TestExtensionMisnamed(t *testing.T) {
	for _, f := range []ClientExtensionFactory{
		named{adder{RSV1}, ""}, named{adder{RSV1}, "x one"}, named{adder{RSV1}, "x\r\nY: z"}, parameters{named{adder{RSV1}, "x"}, Param{Name: "a b"}},
	} {
		_, err := (&Offer{Extensions: []ClientExtensionFactory{f}}).Request(parseURL(t, "ws://a/"))
		wantLocalError(t, err, ErrExtension)
	}
}

// parameters offers one.
type parameters struct {
	named
	param Param
}

func (p parameters) RequestParams() []Param { return []Param{p.param} }

type named struct {
	adder
	name string
}

func (n named) Name() string { return n.name }

func (n named) ProcessResponseParams([]Param, []Extension) (Extension, error) { return n, nil }

func (n named) ProcessRequestParams([]Param, []Extension) ([]Param, Extension, error) {
	return nil, n, nil
}
