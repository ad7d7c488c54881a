package protocol

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzShort gives the same input, in the same pieces, to a connection that may
// take the short way through simple messages and to one that may not.
func FuzzShort(f *testing.F) {
	for _, role := range []Role{Client, Server} {
		input, _ := conversation(role)
		f.Add(role == Client, int64(0), byte(0), []byte{}, input)
		f.Add(role == Client, int64(100), byte(1), []byte{3, 100, 30}, input)
		f.Add(role == Client, int64(0), byte(8), []byte{50, 100, 30}, input)
	}
	f.Fuzz(func(t *testing.T, client bool, limit int64, flags byte, cuts, input []byte) {
		role := Server
		if client {
			role = Client
		}
		compareShort(t, role, limit, flags, cutBy(input, cuts))
	})
}

// TestShort does so with streams that are made at random of frames with all
// that may be wrong in them.
func TestShort(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 0))
		role := Role(1 + r.IntN(2))
		var input []byte
		for range 1 + r.IntN(6) {
			input = append(input, anyFrame(r, role)...)
		}
		var pieces [][]byte
		for len(input) > 0 {
			n := min(len(input), 1+r.IntN([]int{3, 40, 400, 1 << 20}[r.IntN(4)]))
			pieces, input = append(pieces, input[:n]), input[n:]
		}
		compareShort(t, role, []int64{0, 125, 126, 300, -1}[r.IntN(5)], byte(r.IntN(64)), pieces)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestShortLengths does so with lengths of eight bytes, of which some are not as short
// as may be or more than there is, with much behind them.
func TestShortLengths(t *testing.T) {
	for _, length := range []uint64{0, 1, 126, 0xffff, 0x10000, 69_999, 70_000, 70_001, 1 << 31, 1 << 32, 1<<63 - 1, 1<<63 - 20, 1 << 63, 1<<64 - 1} {
		for _, role := range []Role{Client, Server} {
			input := []byte{finBit | byte(OpBinary), length64}
			input = binary.BigEndian.AppendUint64(input, length)
			if role == Server {
				input[1] |= maskBit
				input = append(input, 1, 2, 3, 4)
			}
			input = append(input, make([]byte, 70_000)...)
			for _, flags := range []byte{0, 8, 24, 32} {
				for _, limit := range []int64{-1, 0, 65_536} {
					compareShort(t, role, limit, flags, [][]byte{input})
				}
			}
		}
	}
}

// anyFrame returns a frame of a peer's that is usually right.
func anyFrame(r *rand.Rand, role Role) []byte {
	payloads := []string{"", "x", "hello", "größe", "\xff", "\xe2\x82", "\xed\xa0\x80"}
	f := wireFrame{op: OpText, payload: payloads[r.IntN(len(payloads))], unmasked: role == Client}
	if r.IntN(3) == 0 {
		f.payload = strings.Repeat("y", []int{124, 125, 126, 127, 128, 300, 0x8101, 0x8182, 65535, 65536}[r.IntN(10)])
	}
	if r.IntN(2) == 0 {
		f.op = []Opcode{OpContinuation, OpBinary, OpBinary, OpPing, OpPong, OpClose, 3, 11}[r.IntN(8)]
	}
	if f.op.IsControl() {
		f.payload = f.payload[:min(len(f.payload), MaxControlPayload+r.IntN(2))]
	}
	f.more = r.IntN(8) == 0
	if r.IntN(20) == 0 {
		f.unmasked = !f.unmasked
	}
	if r.IntN(20) == 0 {
		f.rsv = byte(r.IntN(8)) << 4
	}
	b := f.bytes()
	if n := b[1] & lengthBits; n < length16 && r.IntN(20) == 0 { // not as short as may be
		b = slices.Insert(b, 2, 0, n)
		b[1] += length16 - n
	}
	return b
}

// compareShort fails the test unless both ways make the same of the pieces.
// flags says whether messages are streamed, put behind each other in given
// memory, may take a nanosecond, in which two pieces come, or are taken as they are
// received, and where they are wanted if they come alone; or one after the other where
// there is room.
func compareShort(t *testing.T, role Role, limit int64, flags byte, pieces [][]byte) {
	t.Helper()
	cfg := Config{Role: role, MaxMessageSize: limit, MaskKeys: zeroKeys{}}
	if flags&4 != 0 {
		cfg.MessageTimeout = 1
	}
	short, long := NewConn(cfg), NewConn(cfg)
	long.in.simple = false
	both := []*Conn{short, long}
	for i, piece := range pieces {
		now := epoch.Add(time.Duration(i))
		for _, c := range both {
			if flags&1 != 0 && i == len(pieces)/2 {
				c.Streaming(true)
			}
			if flags&2 != 0 {
				c.AssembleInto(nil)
			}
		}
		long.Received(now, 0, bytes.Clone(piece))
		if piece = bytes.Clone(piece); flags&8 != 0 {
			piece = takeReceived(t, short, long, piece, flags&16 != 0)
		}
		short.Received(now, 0, piece)
		for more := true; more; {
			for flags&32 != 0 && takeUnread(t, short, long) {
			}
			if a, b := short.Buffered(), long.Buffered(); a != b {
				t.Fatalf("piece %d: Buffered is %t by the short way, %t by the long one", i, a, b)
			}
			a, b := short.Next(), long.Next()
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("piece %d: the short way gives %.200q, the long one %.200q", i, []any{*a}, []any{*b})
			}
			more = a.Kind != EventNone
			if a.Kind == EventViolation {
				if !reflect.DeepEqual(short.Violation(), long.Violation()) {
					t.Fatalf("%v and %v", short.Violation(), long.Violation())
				}
				short.FailViolation()
				long.FailViolation()
			}
		}
		for _, state := range []func(c *Conn) any{
			func(c *Conn) any { return c.State() },
			func(c *Conn) any { return c.Idle() },
			func(c *Conn) any { return c.Begun() },
			func(c *Conn) any { return len(c.Window()) },
			func(c *Conn) any { return c.CloseError() },
			func(c *Conn) any { b, _ := c.AppendOwed(nil, epoch); return b },
		} {
			if a, b := state(short), state(long); !reflect.DeepEqual(a, b) {
				t.Fatalf("piece %d: the short way leaves %v, the long one %v", i, a, b)
			}
		}
	}
}

// takeReceived takes the first message of the data with AppendReceived, or apart, if it
// can, and returns what is left; it must be the next one of the other connection.
func takeReceived(t *testing.T, short, long *Conn, data []byte, apart bool) (rest []byte) {
	t.Helper()
	const before = "before "
	dst := []byte(before)
	e, may := short.EssenceOfNext()
	if stands, ok := short.Essence(); ok != (short.Idle() && short.in.simple) || ok && (stands != e || !may) {
		t.Fatalf("%v stands for the connection: %t, and %v for what comes next: %t", stands, ok, e, may)
	}
	if !may {
		return data
	}
	header, size := e.Measure(data)
	var typ MessageType
	var got []byte
	if apart && header > 0 {
		typ, got, rest = appendDirectly(t, e, dst, data, header, size)
	} else {
		typ, got, rest = e.AppendReceived(dst, data)
	}
	if typ == 0 {
		if string(got) != before || len(rest) != len(data) {
			t.Fatalf("nothing was taken, but %d bytes are left of %d, and there is %.200q", len(rest), len(data), got)
		}
		return rest
	}
	want := long.Next()
	if want.Kind != EventMessage || typ != want.Type || string(got) != before+string(want.Data) || size != len(want.Data) || len(rest) != long.Unread() {
		t.Fatalf("%v, %.200q and %d bytes were taken, want %.200q", typ, got, len(rest), []any{*want})
	}
	return rest
}

// appendDirectly is AppendReceived by way of TakePayload.
func appendDirectly(t *testing.T, e Essence, dst, data []byte, header, size int) (typ MessageType, got, rest []byte) {
	t.Helper()
	for n := range header {
		if _, length, ok := e.MeasureHeader(data[:n]); ok {
			t.Fatalf("%d bytes of a header of %d are that of a message of %d", n, header, length)
		}
	}
	typ, length, ok := e.MeasureHeader(data[:header])
	if !ok || length != size {
		t.Fatalf("the header of a message of %d bytes is that of one of %d: %t", size, length, ok)
	}
	if typ != Binary {
		return e.AppendReceived(dst, data)
	}
	at := len(dst)
	got = append(dst, data[:header+size]...)
	if e.Role == Client {
		copy(got[at:], got[at+header:])
	}
	e.TakePayload(got[at:at+size], data[:header], got[at+header:])
	return typ, got[:at+size], data[header+size:]
}

// TestMeasureHeader: the header of a message that MeasureHeader has measured is none that
// a connection finds fault with, whatever the limit.
func TestMeasureHeader(t *testing.T) {
	sizes := []int64{0, 1, 125, 126, 1<<16 - 1, 1 << 16, 1<<30 - 1, 1 << 30, 1<<31 - 1, 1 << 31, 1<<62 - 1, 1 << 62}
	for _, role := range []Role{Client, Server} {
		for _, limit := range append(sizes[1:], -1) {
			for _, size := range sizes {
				header := AppendHeader(nil, Header{Fin: true, Opcode: OpBinary, Masked: role == Server, Length: size})
				_, length, ok := Essence{role, limit}.MeasureHeader(header)
				c := NewConn(Config{Role: role, MaxMessageSize: limit})
				c.Received(epoch, 0, slices.Clone(header))
				if ev := c.Next(); ok != (ev.Kind != EventViolation) || ok && int64(length) != size {
					t.Errorf("%v, limit %d: %d bytes are measured as %d: %t; and then %v", role, limit, size, length, ok, c.Violation())
				}
			}
		}
	}
}

// takeUnread takes a message with AppendUnread, if it can; it must be the next one of
// the other connection.
func takeUnread(t *testing.T, short, long *Conn) (taken bool) {
	t.Helper()
	const before = "before "
	dst, unread := append(make([]byte, 0, len(before)+200), before...), short.Unread()
	typ, got := short.AppendUnread(dst)
	if typ == 0 {
		if string(got) != before || short.Unread() != unread {
			t.Fatalf("nothing was taken, but %d bytes are left of %d, and there is %.200q", short.Unread(), unread, got)
		}
		return false
	}
	want := long.Next()
	if want.Kind != EventMessage || typ != want.Type || string(got) != before+string(want.Data) || &got[0] != &dst[0] || short.Unread() != long.Unread() {
		t.Fatalf("%v and %.200q were taken, want %.200q", typ, got, []any{*want})
	}
	return true
}

// TestAppendUnread takes messages that just fit, and none that does not.
func TestAppendUnread(t *testing.T) {
	for _, length := range []int{0, 5, 300} {
		for _, room := range []int{length - 1, length, length + 1} {
			if room < 0 {
				continue
			}
			c := NewConn(Config{Role: Client})
			frame := AppendHeader(nil, Header{Fin: true, Opcode: OpBinary, Length: int64(length)})
			c.Received(epoch, 0, append(frame, make([]byte, length)...))
			dst := append(make([]byte, 0, 4+room), "was "...)
			if typ, got := c.AppendUnread(dst); (typ == Binary) != (room >= length) || typ != 0 && len(got) != 4+length {
				t.Errorf("%d bytes, room for %d: %v and %d", length, room, typ, len(got))
			}
		}
	}
}

// TestAppendPlain appends what AppendMessage would, or nothing.
func TestAppendPlain(t *testing.T) {
	for _, role := range []Role{Client, Server} {
		for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536, 70000} {
			c, payload := NewConn(Config{Role: role, MaskKeys: zeroKeys{}}), bytes.Repeat([]byte("x"), size)
			want, err := c.AppendMessage([]byte("before"), Text, payload)
			if err != nil {
				t.Fatal(err)
			}
			got, plain := c.AppendPlain([]byte("before"), Text, payload, CompressAuto)
			if !plain || !bytes.Equal(got, want) {
				t.Errorf("%v, %d bytes: plain %t, and not the same", role, size, plain)
			}
			e, _ := c.Essence()
			got = e.AppendPlainHeader([]byte("before"), Text, size)
			if role == Client {
				got = append(got, 0, 0, 0, 0) // the key
			}
			if plain = e.SendsPlain(Text, size, nil, CompressAuto); !plain || !bytes.Equal(append(got, payload...), want) {
				t.Errorf("%v, %d bytes: plain %t, and by the essence the header is not the same", role, size, plain)
			}
			if role == Client {
				continue
			}
			got, plain = c.AppendPlainHeader([]byte("before"), Text, size, CompressAuto)
			if !plain || !bytes.Equal(append(got, payload...), want) {
				t.Errorf("%d bytes: plain %t, and the header is not the same", size, plain)
			}
		}
	}
}

// TestAppendPlainRefused: it appends nothing if there is anything special.
func TestAppendPlainRefused(t *testing.T) {
	for name, test := range map[string]struct {
		typ     MessageType
		prepare func(*Conn)
	}{
		"no type":          {3, func(*Conn) {}},
		"inside a message": {Text, func(c *Conn) { c.AppendFragment(nil, Text, false, nil) }},
		"closing":          {Text, func(c *Conn) { c.SendClose(NormalClosure, "") }},
	} {
		for _, role := range []Role{Client, Server} {
			c := NewConn(Config{Role: role})
			test.prepare(c)
			got, plain := c.AppendPlain([]byte("before"), test.typ, []byte("x"), CompressAuto)
			header, plainHeader := c.AppendPlainHeader([]byte("before"), test.typ, 1, CompressAuto)
			if plain || plainHeader || string(got) != "before" || string(header) != "before" {
				t.Errorf("%s, %v: %t, %q, %t, %q", name, role, plain, got, plainHeader, header)
			}
			if e, rests := c.Essence(); rests && e.SendsPlain(test.typ, 1, nil, CompressAuto) {
				t.Errorf("%s, %v: it is plain by the essence", name, role)
			}
		}
	}
}

// TestLonePong: the essence takes a pong that the Conn would have taken to be the answer to
// a ping that was sent without it, and nothing else.
func TestLonePong(t *testing.T) {
	const payload = "pong"
	r := rand.New(rand.NewPCG(3, 4))
	for _, role := range []Role{Client, Server} {
		lone := 0
		for range 20_000 {
			f := wireFrame{op: OpPong, payload: payload, unmasked: role == Client}
			data := f.bytes()
			switch i := r.IntN(len(data)); r.IntN(6) {
			case 0:
				data[i] ^= 1 << r.IntN(8)
			case 1:
				data = data[:i]
			case 2:
				data = append(data, anyFrame(r, role)...)
			case 3:
				data = anyFrame(r, role)
			}
			if checkLonePong(t, role, payload, data) {
				lone++
			}
		}
		if lone < 5000 {
			t.Errorf("%v: only %d pongs", role, lone)
		}
	}
}

func FuzzLonePong(f *testing.F) {
	f.Add(false, "pong", wireFrame{op: OpPong, payload: "pong"}.bytes())
	f.Add(true, "pong", wireFrame{op: OpPong, payload: "pong", unmasked: true}.bytes())
	f.Add(true, "ping", []byte("\x8a\x7e\x00\x04ping"))
	f.Add(true, "", []byte("\x8a\x00"))
	f.Fuzz(func(t *testing.T, client bool, payload string, data []byte) {
		role := Server
		if client {
			role = Client
		}
		checkLonePong(t, role, payload[:min(len(payload), MaxControlPayload)], data)
	})
}

// checkLonePong fails the test unless the essence of a connection that has sent a ping with
// this payload takes the data as the Conn does. It returns whether they are a lone pong.
func checkLonePong(t *testing.T, role Role, payload string, data []byte) (taken bool) {
	t.Helper()
	c := NewConn(Config{Role: role})
	e, ok := c.Essence()
	if !ok {
		t.Fatal("it has no essence")
	}
	id := c.SentPing([]byte(payload), epoch)
	got, taken := e.LonePong(data)
	c.Received(epoch.Add(time.Second), 0, bytes.Clone(data))
	ev := c.Next()
	want := ev.Kind == EventPong && len(ev.Data) == PingSize && c.Unread() == 0
	if taken != want || taken && string(got[:]) != string(ev.Data) {
		t.Fatalf("%v, %x: %q was taken: %t, want %+v", role, data, got, taken, ev)
	}
	settled := c.Settled()
	if answers := taken && string(got[:]) == payload; answers && !slices.Equal(settled, []Settled{{id, time.Second}}) || taken && !answers && len(settled) > 0 {
		t.Fatalf("%v, %x: answers %t, and settles %v", role, data, answers, settled)
	}
	return taken
}

// TestAppendPingHeader: the header is that of a ping that the Conn sends.
func TestAppendPingHeader(t *testing.T) {
	for _, role := range []Role{Client, Server} {
		for _, payload := range []string{"", "ping", strings.Repeat("x", MaxControlPayload)} {
			c := NewConn(Config{Role: role, MaskKeys: zeroKeys{}})
			e, _ := c.Essence()
			got := e.AppendPingHeader(nil, len(payload))
			if role == Client {
				got = append(got, 0, 0, 0, 0) // the key
			}
			sendPing(t, c, payload)
			if want := owed(t, c, epoch); string(got)+payload != string(want) {
				t.Errorf("%v: %q, want %q", role, string(got)+payload, want)
			}
		}
	}
}
