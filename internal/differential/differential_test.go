package differential

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// explained lists what others accept where Tandem fails the connection, by a
// part of Tandem's reason. In each of them the RFC is with us.
var explained = map[string][]string{
	"text message that is not UTF-8": {"gorilla", "coder"},           // 8.1
	"length ":                        {"gorilla", "coder", "gobwas"}, // 5.2: the fewest bytes MUST be used
	"close frame with a reason that is not UTF-8": {"coder"},           // 5.5.1
	"close frame with code ":                      {"gobwas"},          // 7.4.2: there are none above 4999
	"close frame with half a code":                {"gorilla"},         // 5.5.1: a body begins with a code of 2 bytes
	"message of more than":                        {"coder", "gobwas"}, // 10.4: one looks at what has arrived, the other sets no limit
	"frame with more than 125 bytes":              {"coder", "gobwas"}, // 5.2: none, in the long form of a length
}

// unfinished reports that the other server has handed out a message of which
// not all had arrived, as if it had ended with the transport (5.4: it ends with
// a frame that has FIN set). What comes of the connection is beside the point.
func unfinished(name string, want, got outcome) bool {
	n := len(want.messages)
	return name == "coder" && !want.failed && !want.closed && len(got.messages) == n+1 && slices.Equal(got.messages[:n], want.messages)
}

// FuzzServers compares what four servers make of the same bytes.
func FuzzServers(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(frames(rand.New(rand.NewPCG(seed, 1))))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		input = append(bytes.Clone(input), padding...)
		want := tandem(input)
		for name, read := range map[string]func([]byte) outcome{"gorilla": byGorilla, "coder": byCoder, "gobwas": byGobwas} {
			if got := read(input); !same(name, want, got) {
				t.Errorf("%s: %+.300v\nTandem: %+.300v\ninput %.200x", name, got, want, input)
			}
		}
	})
}

// padding follows the input, so that a frame that is wrong in its first bytes
// is complete: Tandem does not wait for the others.
var padding = make([]byte, 300)

// same reports whether another server came to what Tandem came to, or why it
// did not is known.
func same(name string, want, got outcome) bool {
	for reason, others := range explained {
		if strings.Contains(want.reason, reason) && slices.Contains(others, name) {
			return len(got.messages) >= len(want.messages) && slices.Equal(got.messages[:len(want.messages)], want.messages)
		}
	}
	if unfinished(name, want, got) {
		return true
	}
	return slices.Equal(got.messages, want.messages) && got.closed == want.closed && got.failed == want.failed
}

// frames returns a few frames of a client, most of them right.
func frames(r *rand.Rand) (b []byte) {
	ops := []byte{0, 1, 2, 1, 2, 8, 9, 10, 0, 3}
	for range 1 + r.IntN(6) {
		first := ops[r.IntN(len(ops))]
		if r.IntN(3) > 0 {
			first |= 0x80
		}
		if r.IntN(20) == 0 {
			first |= 0x40
		}
		n := r.IntN(140)
		b = append(b, first)
		switch {
		case n < 126:
			b = append(b, 0x80|byte(n))
		default:
			b = binary.BigEndian.AppendUint16(append(b, 0xfe), uint16(n))
		}
		b = append(b, 0, 0, 0, 0)
		for range n {
			b = append(b, byte('a'+r.IntN(26)))
		}
	}
	return b
}
