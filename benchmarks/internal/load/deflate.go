package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"
)

// Offer are the lines of a request that offer compression as browsers do, with
// context takeover or without.
func Offer(takeover bool) string {
	offer := "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
	if !takeover {
		offer += "; server_no_context_takeover; client_no_context_takeover"
	}
	return offer + "\r\n"
}

// Agreed is what a server answers to an offer.
type Agreed struct {
	Takeover bool // the client's messages may refer to earlier ones
	Bits     int  // of the client's window
}

// ReadAgreed returns what the response says, an error if nothing was agreed on.
func ReadAgreed(resp *http.Response) (a Agreed, err error) {
	a = Agreed{Takeover: true, Bits: 15}
	answer := resp.Header.Get("Sec-WebSocket-Extensions")
	if !strings.HasPrefix(answer, "permessage-deflate") {
		return a, fmt.Errorf("no compression: %q", answer)
	}
	for parameter := range strings.SplitSeq(answer, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		switch name {
		case "client_no_context_takeover":
			a.Takeover = false
		case "client_max_window_bits":
			if a.Bits, err = strconv.Atoi(strings.Trim(value, `"`)); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

// Deflated returns the script of compressed messages of JSON that come back. What
// the messages of a cycle refer to is the same in each cycle, for a cycle is
// longer than the window.
func Deflated(size int, a Agreed) (*Script, error) {
	var out bytes.Buffer
	w, err := flate.NewWriterWindow(&out, 1<<a.Bits)
	if err != nil {
		return nil, err
	}
	s := &Script{Messages: 1, Answer: 1, Framed: true, Upgraded: true}
	texts := texts(size, max(4, 2<<a.Bits/size))
	for i, text := range append(texts, texts...) {
		out.Reset()
		if !a.Takeover {
			w.Reset(&out)
		}
		w.Write(text)
		w.Flush()
		frame := Compressed(bytes.TrimSuffix(out.Bytes(), []byte("\x00\x00\xff\xff")), true)
		if i < len(texts) {
			s.First = append(s.First, frame)
		} else {
			s.Cycle = append(s.Cycle, frame)
		}
	}
	return s, nil
}

// texts are parts of a list of orders in JSON, always the same ones.
func texts(size, n int) (list [][]byte) {
	rng := rand.New(rand.NewPCG(2, 2))
	names := []string{"Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi"}
	cities := []string{"Amsterdam", "Berlin", "Copenhagen", "Dublin", "Edinburgh", "Florence"}
	for range n {
		var b []byte
		for len(b) < size {
			b = fmt.Appendf(b, `{"id":"%08x-%04x","customer":{"name":%q,"city":%q},"quantity":%d,"price":%d.%02d,"shipped":%t,"created_at":"2026-%02d-%02dT%02d:%02d:00Z"},`,
				rng.Uint32(), rng.IntN(1<<16), names[rng.IntN(len(names))], cities[rng.IntN(len(cities))], 1+rng.IntN(20), rng.IntN(500), rng.IntN(100),
				rng.IntN(2) == 0, 1+rng.IntN(12), 1+rng.IntN(28), rng.IntN(24), rng.IntN(60))
		}
		list = append(list, b[:size])
	}
	return list
}
