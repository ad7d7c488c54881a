package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// pairOf returns both ends of a connection that has agreed on compression.
func pairOf(t testing.TB, client, server *Deflate) (c, s *Conn) {
	t.Helper()
	theirs, ours := negotiated(t, client, server)
	c = NewConn(Config{Role: Client, Extensions: []Extension{theirs}})
	return c, NewConn(Config{Role: Server, Extensions: []Extension{ours}})
}

// received returns the messages that the bytes are for c.
func received(t *testing.T, c *Conn, b []byte) (got []string) {
	t.Helper()
	c.Received(epoch, 0, b)
	for {
		switch ev := c.Next(); ev.Kind {
		case EventNone:
			return got
		case EventMessage:
			got = append(got, string(ev.Data))
		default:
			t.Fatalf("event %v, %v", ev.Kind, c.Violation())
		}
	}
}

// begin returns the frames of a prepared message in one piece. They are the
// message as it is if that was certain.
func begin(t *testing.T, c *Conn, p *Prepared, maxFragment int) []byte {
	t.Helper()
	frames, err := c.BeginPrepared(p, maxFragment)
	if err != nil {
		t.Fatal(err)
	}
	if c.role == Server && maxFragment <= 0 && p.Unchanged(c.extensions) && !bytes.Equal(frames[0], p.Frame()) {
		t.Errorf("% x is not the message as it is", frames[0])
	}
	return bytes.Join(frames, nil)
}

func prepare(t *testing.T, text []byte, wanted Compression) *Prepared {
	t.Helper()
	p, err := Prepare(Message{Binary, text}, wanted)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPrepared has servers with all kinds of agreements send prepared messages,
// messages of their own in between, and take some back: every client receives
// what was sent and nothing else.
func TestPrepared(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		pool := onePool{}
		type pair struct{ client, server *Conn }
		var pairs []pair
		for range 12 {
			d := &Deflate{
				ServerMaxWindowBits: []int{8, 9, 12, 15}[rng.IntN(4)], ServerNoContextTakeover: rng.IntN(4) == 0,
				Threshold: []int{-1, 0}[rng.IntN(2)], Pools: pool,
			}
			client, server := pairOf(t, d, d)
			if rng.IntN(6) == 0 {
				client, server = NewConn(Config{Role: Client}), NewConn(Config{Role: Server})
			}
			pairs = append(pairs, pair{client, server})
		}
		for range 60 {
			want := resembling(rng, []int{0, 60, 127, 300, 3000, 20000}[rng.IntN(6)])
			p := prepare(t, want, Compression(rng.IntN(3)))
			for _, at := range pairs {
				switch rng.IntN(8) {
				case 0:
					continue // not sent to this one
				case 1:
					begin(t, at.server, p, 0)
					at.server.UndoPrepared()
				case 2, 3:
					own := resembling(rng, 400)
					b, err := at.server.AppendMessage(nil, Binary, own)
					if got := received(t, at.client, b); err != nil || len(got) != 1 || got[0] != string(own) {
						t.Fatalf("a message of its own: %v, %.80q instead of %.80q", err, got, own)
					}
				}
				b := begin(t, at.server, p, []int{0, 1000}[rng.IntN(2)])
				if got := received(t, at.client, b); len(got) != 1 || got[0] != string(want) {
					t.Fatalf("seed %d: %.80q instead of %.80q", seed, got, want)
				}
			}
			if n := len(p.forms); n > 2*maxForms {
				t.Fatalf("%d forms", n)
			}
		}
	}
}

// TestPreparedOnce encodes once for connections that agreed on the same: they
// get the same bytes, and with context takeover they share one history.
func TestPreparedOnce(t *testing.T) {
	for _, alone := range []bool{false, true} {
		d := &Deflate{ServerNoContextTakeover: alone}
		var servers []*Conn
		var first []byte
		for range 50 {
			_, server := pairOf(t, d, d)
			servers = append(servers, server)
		}
		for i := range 20 {
			p := prepare(t, fmt.Appendf(nil, `{"symbol":"ABCD","price":%d,"volume":%d,"currency":"EUR","market":"XETRA"}`, i*7, i*31), CompressAuto)
			for k, server := range servers {
				frames, err := server.BeginPrepared(p, 0)
				if err != nil || len(frames) != 1 {
					t.Fatal(err, len(frames))
				}
				if k == 0 {
					first = frames[0]
				} else if &first[0] != &frames[0][0] {
					t.Fatalf("message %d was encoded again for connection %d", i, k)
				}
			}
		}
		history := servers[0].extensions[0].(*deflate).sent
		for _, server := range servers {
			if got := server.extensions[0].(*deflate).sent; got != history || (history == nil) != alone {
				t.Fatalf("a history of its own: %p and %p", got, history)
			}
		}
		if size := len(first); alone != (size > 60) {
			t.Errorf("%d bytes, compressed alone: %t", size, alone)
		}
	}
}

// TestPreparedSize: what is compressed once for all is as short as what is
// compressed for one, a quarter of the prices that docs/topics/compression.md was
// measured with.
func TestPreparedSize(t *testing.T) {
	_, alone := pairOf(t, new(Deflate), new(Deflate))
	_, shared := pairOf(t, new(Deflate), new(Deflate))
	rng := rand.New(rand.NewPCG(1, 2))
	plain, single, broadcast := 0, 0, 0
	for i := range 2000 {
		text := tick(rng, i)
		b, err := alone.AppendMessage(nil, Text, text)
		if err != nil {
			t.Fatal(err)
		}
		plain, single, broadcast = plain+len(text), single+len(b), broadcast+len(begin(t, shared, prepare(t, text, CompressAuto), 0))
	}
	t.Logf("%d bytes: %.1f %% are sent to one, %.1f %% of a broadcast", plain,
		100*float64(single)/float64(plain), 100*float64(broadcast)/float64(plain))
	if broadcast != single || 10*broadcast > 3*plain {
		t.Errorf("%d bytes: %d sent to one, %d of a broadcast", plain, single, broadcast)
	}
}

// tick is a message as the benchmarks of compression have them.
func tick(rng *rand.Rand, i int) []byte {
	symbols, sides := []string{"BTC-USD", "ETH-USD", "ETH-BTC", "SOL-EUR", "ADA-EUR", "DOT-USD"}, []string{"buy", "sell"}
	return fmt.Appendf(nil, `{"type":"ticker","sequence":%d,"product_id":%q,"price":"%d.%02d","side":%q,"size":"%.6f"}`,
		5928281084+int64(i), symbols[rng.IntN(len(symbols))], 100+rng.IntN(900), rng.IntN(100), sides[rng.IntN(2)], rng.Float64())
}

// TestPreparedJoins has a connection come late, and another send something of
// its own: after a while both share the others' history.
func TestPreparedJoins(t *testing.T) {
	d := &Deflate{ServerMaxWindowBits: 9}
	var servers []*Conn
	for range 3 {
		_, server := pairOf(t, d, d)
		servers = append(servers, server)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	sent := func(i int) *history { return servers[i].extensions[0].(*deflate).sent }
	for i := range 20 {
		p := prepare(t, jsonLike(rng, 100), CompressOn)
		begin(t, servers[0], p, 0)
		if i > 2 {
			begin(t, servers[1], p, 0)
		}
		begin(t, servers[2], p, 0)
		if i < 3 {
			if _, err := servers[2].AppendMessage(nil, Text, jsonLike(rng, 100)); err != nil {
				t.Fatal(err)
			}
			if sent(2).shared {
				t.Fatal("a history with a message of its own is shared")
			}
		}
	}
	if sent(0) != sent(1) || sent(0) != sent(2) || !sent(0).shared {
		t.Errorf("histories %p, %p, %p", sent(0), sent(1), sent(2))
	}
}

func jsonLike(rng *rand.Rand, n int) (b []byte) {
	for len(b) < n {
		b = fmt.Appendf(b, `{"id":%d,"price":%d},`, rng.IntN(1e6), rng.IntN(1e4))
	}
	return b[:n]
}

// TestPreparedForms has connections with as many histories as the test can
// make: the forms have a bound, and beyond it connections come together.
func TestPreparedForms(t *testing.T) {
	d := &Deflate{}
	rng := rand.New(rand.NewPCG(1, 6))
	clients, servers := make([]*Conn, 5*maxForms), make([]*Conn, 5*maxForms)
	for i := range servers {
		clients[i], servers[i] = pairOf(t, d, d)
		own := prepare(t, jsonLike(rng, 200), CompressOn)
		received(t, clients[i], begin(t, servers[i], own, 0))
	}
	for range 2 {
		want := jsonLike(rng, 200)
		p := prepare(t, want, CompressOn)
		for i := range servers {
			if got := received(t, clients[i], begin(t, servers[i], p, 0)); len(got) != 1 || got[0] != string(want) {
				t.Fatalf("%q instead of %q", got, want)
			}
		}
		if n := len(p.forms); n > maxForms+1 {
			t.Errorf("%d forms", n)
		}
	}
}

// TestPreparedAgain sends one message again and again on one connection, where
// each time it refers to itself: there is no end of histories otherwise.
func TestPreparedAgain(t *testing.T) {
	client, server := pairOf(t, &Deflate{}, &Deflate{})
	want := resembling(rand.New(rand.NewPCG(1, 9)), 3000)
	p := prepare(t, want, CompressOn)
	for range 1000 {
		if got := received(t, client, begin(t, server, p, 0)); len(got) != 1 || got[0] != string(want) {
			t.Fatalf("%.80q", got)
		}
	}
	if n := len(p.forms); n > 4 {
		t.Errorf("%d forms of the message", n)
	}
}

// TestPreparedAlone sends prepared messages as a client, and with an extension
// of somebody else's.
func TestPreparedAlone(t *testing.T) {
	client, server := pairOf(t, &Deflate{}, &Deflate{})
	plain := NewConn(Config{Role: Server, Extensions: []Extension{adder{RSV2}}})
	text := bytes.Repeat([]byte("word "), 100)
	p := prepare(t, text, CompressAuto)
	for range 2 {
		if got := received(t, server, begin(t, client, p, 10)); len(got) != 1 || got[0] != string(text) {
			t.Errorf("%.80q", got)
		}
	}
	other := NewConn(Config{Role: Client, Extensions: []Extension{adder{RSV2}}})
	if got := received(t, other, begin(t, plain, p, 0)); len(got) != 1 || got[0] != string(text) {
		t.Errorf("%.80q", got)
	}
}

// TestPreparedErrors: what cannot be sent is refused, and changes nothing.
func TestPreparedErrors(t *testing.T) {
	if _, err := Prepare(Message{Text, []byte{0xff}}, CompressAuto); err != ErrInvalidText {
		t.Error(err)
	}
	if _, err := Prepare(Message{}, CompressAuto); err != ErrMessageType {
		t.Error(err)
	}
	p := prepare(t, []byte("x"), CompressAuto)
	c := newTestConn(Server)
	if _, err := c.AppendFragment(nil, Binary, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.BeginPrepared(p, 0); err != ErrMessageOrder {
		t.Error(err)
	}
	if err := c.SendClose(NormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.BeginPrepared(p, 0); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
