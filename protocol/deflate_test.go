package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// onePool lends from one goroutine, so that what is pooled is used again at
// once and what it should have forgotten shows.
type onePool map[int][]any

func (p onePool) Get(kind int) any {
	if n := len(p[kind]); n > 0 {
		x := p[kind][n-1]
		p[kind] = p[kind][:n-1]
		return x
	}
	return nil
}

func (p onePool) Put(kind int, x any) {
	if kind < 0 || kind >= PoolKinds {
		panic("no such kind")
	}
	p[kind] = append(p[kind], x)
}

// negotiated has a client and a server agree.
func negotiated(t testing.TB, client, server *Deflate) (c, s *deflate) {
	t.Helper()
	params, ext, err := server.ProcessRequestParams(client.RequestParams(), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.ProcessResponseParams(params, nil)
	if err != nil {
		t.Fatalf("%v: %v", params, err)
	}
	return answer.(*deflate), ext.(*deflate)
}

// resembling returns messages that refer to each other as those of a protocol
// do, of up to n bytes.
func resembling(rng *rand.Rand, n int) []byte {
	var b []byte
	size := rng.IntN(n + 1)
	for len(b) < size {
		switch rng.IntN(8) {
		case 0:
			for range rng.IntN(50) {
				b = append(b, byte(rng.Uint32()))
			}
		case 1:
			b = append(b, bytes.Repeat([]byte{byte(rng.Uint32())}, rng.IntN(600))...)
		default:
			b = fmt.Appendf(b, `{"id":%d,"method":"subscribe","params":{"price":%d.%02d}},`, rng.IntN(100), rng.IntN(10), rng.IntN(100))
		}
	}
	return b[:size]
}

// TestDeflateWindow decompresses what we send with an inflater that refuses
// matches beyond the window, for all windows, levels and sizes of messages, in
// both directions, with and without context takeover.
func TestDeflateWindow(t *testing.T) {
	pool := onePool{}
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		for level := 1; level <= 9; level += 2 {
			for _, alone := range []bool{false, true} {
				ofServer := &Deflate{ServerMaxWindowBits: bits, ServerNoContextTakeover: alone, Level: level, Threshold: -1, Pools: pool}
				_, server := negotiated(t, ofServer, ofServer)
				checkWindow(t, server, 1<<bits)
				ofClient := &Deflate{ClientMaxWindowBits: bits, ClientNoContextTakeover: alone, Level: level, Threshold: -1, Pools: pool}
				client, _ := negotiated(t, ofClient, ofClient)
				checkWindow(t, client, 1<<bits)
				// Where the server names the window and the client does not.
				demanded, _ := negotiated(t, &Deflate{ClientMaxWindowBits: -1, Level: level, Threshold: -1, Pools: pool}, ofClient)
				checkWindow(t, demanded, 1<<bits)
			}
		}
	}
}

func checkWindow(t *testing.T, sender *deflate, window int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(window), 1))
	var history []byte
	for i, most := range []int{60, 127, 128, 200, 3000, 127, 100000, 90, 70000, 300, 300, 60} {
		want := resembling(rng, most)
		message, _, err := sender.Encode(nil, want, Fragment{Type: Binary, First: true, Last: true, Compression: CompressOn})
		if err != nil {
			t.Fatal(err)
		}
		z := new(inflater)
		z.begin(history, window)
		got, err := z.inflate(nil, message, math.MaxInt)
		if err == nil {
			got, err = z.end(got, math.MaxInt)
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("window %d, message %d of %d bytes: %v, %d bytes", window, i, len(want), err, len(got))
		}
		if history = nil; sender.out.takeover {
			history = z.appendHistory(nil, window)
		}
		if held := len(sender.sent.bytes()); held > window || held != len(history) {
			t.Fatalf("holds %d bytes of history, want %d", held, len(history))
		}
	}
}

// TestDeflateLevels: levels go from 1, the default, to 9, and a compressor that was
// pooled serves no other level than its own.
func TestDeflateLevels(t *testing.T) {
	message := resembling(rand.New(rand.NewPCG(1, 2)), 1<<16)
	compressed := func(d *Deflate) []byte {
		client, _ := negotiated(t, d, d)
		sent, used, err := client.Encode(nil, message, Fragment{First: true, Last: true, Compression: CompressOn})
		if err != nil || !used {
			t.Fatal(used, err)
		}
		client.Sent(true)
		return sent
	}
	settings := func(level int, pools Pools) *Deflate {
		return &Deflate{Level: level, Pools: pools, ClientMaxWindowBits: maxWindowBits, ClientNoContextTakeover: true}
	}
	one, nine := compressed(settings(1, nil)), compressed(settings(9, nil))
	if len(nine) >= len(one) || len(one) >= len(message)/2 {
		t.Errorf("%d bytes become %d at level 1, %d at level 9", len(message), len(one), len(nine))
	}
	pools := make(onePool)
	for _, test := range []struct {
		level int
		want  []byte
	}{{0, one}, {9, nine}, {1, one}, {9, nine}, {0, one}} {
		if got := compressed(settings(test.level, pools)); !bytes.Equal(got, test.want) {
			t.Errorf("level %d out of a pool: %d bytes, want %d", test.level, len(got), len(test.want))
		}
	}
	var none *Deflate
	if got, want := none.WithDefaults(), new(Deflate).WithDefaults(); *got != *want {
		t.Errorf("nil stands for %+v, want %+v", got, want)
	}
}

// TestDeflateTakeBack takes frames back and goes on as if they had never been.
func TestDeflateTakeBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		d := &Deflate{
			ServerMaxWindowBits: minWindowBits + rng.IntN(8), Threshold: -1, Pools: onePool{},
			ServerNoContextTakeover: rng.IntN(2) == 0,
		}
		client, server := negotiated(t, d, d)
		for range 20 {
			want := resembling(rng, 2000)
			frame := Fragment{Type: Binary, First: true, Last: true, Compression: CompressOn}
			for range rng.IntN(3) {
				if _, _, err := server.Encode(nil, resembling(rng, 2000), frame); err != nil {
					t.Fatal(err)
				}
				server.Sent(false)
			}
			message, _, err := server.Encode(nil, want, frame)
			if err != nil {
				t.Fatal(err)
			}
			if rng.IntN(2) == 0 {
				server.Sent(true)
			}
			got, err := client.Decode(nil, message, true, math.MaxInt)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%v: %q instead of %q", err, got, want)
			}
		}
	}
}

// TestDeflateIdle holds nothing between messages without context takeover, and
// no more than the windows with it.
func TestDeflateIdle(t *testing.T) {
	for _, alone := range []bool{false, true} {
		pool := onePool{}
		d := &Deflate{ServerNoContextTakeover: alone, ClientNoContextTakeover: alone, Pools: pool}
		client, server := negotiated(t, d, d)
		rng := rand.New(rand.NewPCG(3, 3))
		for i := range 50 {
			message, _, err := server.Encode(nil, resembling(rng, []int{20000, shortMessage}[i%2]), Fragment{Type: Binary, First: true, Last: true, Compression: CompressOn})
			if err != nil {
				t.Fatal(err)
			}
			server.Sent(true)
			if _, err := client.Decode(nil, message, true, math.MaxInt); err != nil {
				t.Fatal(err)
			}
			if client.inflater != nil || server.before != nil {
				t.Fatal("something of the message is held")
			}
			for _, h := range []*history{server.sent, client.received} {
				if want := 1 << DefaultWindowBits; h != nil && (alone || cap(h.buf) > want) {
					t.Fatalf("%d bytes are held, takeover is %t", cap(h.buf), !alone)
				}
			}
		}
		checkPooled(t, pool)
	}
}

// checkPooled fails the test if what is pooled holds on to memory of a caller's.
func checkPooled(t *testing.T, pool onePool) {
	t.Helper()
	var inflaters, short, long int
	for _, kind := range pool {
		for _, x := range kind {
			var held [][]byte
			switch x := x.(type) {
			case *inflater:
				inflaters, held = inflaters+1, [][]byte{x.in, x.out}
			case *shortDeflater:
				short, held = short+1, [][]byte{x.out}
			case *longDeflater:
				long, held = long+1, [][]byte{x.out}
			}
			if slices.ContainsFunc(held, func(b []byte) bool { return b != nil }) {
				t.Errorf("%T in the pool holds on to %q", x, held)
			}
		}
	}
	if inflaters == 0 || short == 0 || long == 0 {
		t.Errorf("%d inflaters, %d short and %d long deflaters are in the pool", inflaters, short, long)
	}
}

// TestDeflateRoom counts what the end of a message stands for, too: it may be the
// payload of a stored block.
func TestDeflateRoom(t *testing.T) {
	const before, want = "before ", "H\x00\x00\xff\xff"
	for room := range 8 {
		client, _ := negotiated(t, nil, nil)
		got, err := client.Decode([]byte(before), []byte("\x00\x05\x00\xfa\xffH"), true, room)
		if string(got) != before+want[:min(room, len(want))] || errors.Is(err, ErrMessageTooBig) != (room < len(want)) {
			t.Errorf("room for %d: %q, %v", room, got, err)
		}
	}
}

// TestDeflateAuto compresses what is worth it.
func TestDeflateAuto(t *testing.T) {
	words := bytes.Repeat([]byte("word "), 100)
	noise := make([]byte, 500)
	for i, rng := 0, rand.New(rand.NewPCG(5, 5)); i < len(noise); i++ {
		noise[i] = byte(rng.Uint32())
	}
	for name, test := range map[string]struct {
		threshold int
		wanted    Compression
		payload   []byte
		more      bool
		used      bool
	}{
		"long":                  {0, CompressAuto, words, false, true},
		"short":                 {0, CompressAuto, words[:63], false, false},
		"at the threshold":      {0, CompressAuto, words[:64], false, true},
		"other threshold":       {100, CompressAuto, words[:99], false, false},
		"no threshold":          {-1, CompressAuto, words[:30], false, true},
		"empty, no threshold":   {-1, CompressAuto, nil, false, false},
		"noise":                 {0, CompressAuto, noise, false, false},
		"noise on demand":       {0, CompressOn, noise, false, true},
		"short on demand":       {0, CompressOn, words[:1], false, true},
		"empty on demand":       {0, CompressOn, nil, false, true},
		"long, not wanted":      {0, CompressOff, words, false, false},
		"short, more to come":   {0, CompressAuto, words[:1], true, true},
		"unwanted, and no more": {0, CompressOff, words, true, false},
	} {
		d := &Deflate{Threshold: test.threshold}
		client, _ := negotiated(t, d, d)
		out, used, err := client.Encode([]byte("x"), test.payload, Fragment{Binary, true, !test.more, test.wanted})
		if used != test.used || err != nil || !used && string(out) != "x" {
			t.Errorf("%s: used %t, %v, %d bytes", name, used, err, len(out))
		}
	}
}

// TestDeflateSameLength sends a message as it is unless it becomes shorter, alone or
// to many.
func TestDeflateSameLength(t *testing.T) {
	lengths := make(map[int]bool) // how much shorter they become
	for n := range 40 {
		payload := append([]byte("no two of these"), make([]byte, n)...)
		d := &Deflate{Threshold: -1}
		client, _ := negotiated(t, d, d)
		frame := Fragment{Type: Binary, First: true, Last: true, Compression: CompressOn}
		demanded, _, err := client.Encode(nil, payload, frame)
		client.Sent(false)
		frame.Compression = CompressAuto
		_, used, err2 := client.Encode(nil, payload, frame)
		client.Sent(false)
		shared, err3 := client.encodeShared(client.sharing(), payload, CompressAuto)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		shorter := len(payload) - len(demanded)
		if lengths[shorter] = true; used != (shorter > 0) || used != (shared != nil) {
			t.Errorf("%d bytes shorter: compressed %t, for many %t", shorter, used, shared != nil)
		}
	}
	if !lengths[0] || !lengths[1] {
		t.Errorf("not all of these come: %v", lengths)
	}
}
