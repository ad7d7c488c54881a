package differential

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// accepted lists what others accept where Tandem fails the connection, by a part
// of Tandem's reason. In each of them the RFC is with us.
var accepted = map[string][]string{
	"text message that is not UTF-8": {"gorilla", "coder"},           // 8.1
	"length ":                        {"gorilla", "coder", "gobwas"}, // 5.2: the fewest bytes MUST be used
	"close frame with a reason that is not UTF-8": {"coder"},           // 5.5.1
	"close frame with code ":                      {"gobwas"},          // 7.4.2: there are none above 4999
	"close frame with half a code":                {"gorilla"},         // 5.5.1: a body begins with a code of 2 bytes
	"message of more than":                        {"coder", "gobwas"}, // 10.4: one looks at what has arrived, the other sets no limit
	"frame with more than 125 bytes":              {"coder", "gobwas"}, // 5.2: none, in the long form of a length
	"masked frame from the server":                {"coder"},           // 5.1
}

// answered lists what others answer with another close frame than Tandem does,
// where both have the same opinion of the frames.
var answered = []struct {
	who  string
	when func(role protocol.Role, want, got outcome) bool
}{
	// 7.1.7: an endpoint SHOULD send a close frame with an appropriate code.
	// gobwas leaves that to its caller, but for what is wrong with a close frame.
	{"gobwas", func(_ protocol.Role, want, got outcome) bool { return want.failed && got.failed && got.code == 0 }},

	// The same: coder does not write any more once the transport has ended, and
	// that may be before it has looked at what is wrong.
	{"coder", func(_ protocol.Role, want, got outcome) bool { return want.failed && got.failed && got.code == 0 }},

	// 7.4.1: 1007 is for data that do not fit their type. Text in a close frame
	// is 1002 for those two.
	{"gorilla", utf8As1002},
	{"gobwas", utf8As1002},

	// 5.1: a client masks its frames. gobwas masks the payload of such a close
	// frame and says in its header that it is not masked: its code is garbage.
	{"gobwas", func(role protocol.Role, want, got outcome) bool {
		return role == protocol.Client && got.failed && (want.failed || isNew("gobwas", want))
	}},

	// 7.4.2: codes may be registered. IANA has 1012, 1013 and 1014; these two
	// do not know all of them and take them for wrong.
	{"gorilla", func(_ protocol.Role, want, got outcome) bool { return isNew("gorilla", want) && got.code == 1002 }},
	{"gobwas", func(_ protocol.Role, want, got outcome) bool { return isNew("gobwas", want) && got.code == 1002 }},
}

func utf8As1002(_ protocol.Role, want, got outcome) bool {
	return want.code == 1007 && got.failed && got.code == 1002
}

// isNew reports whether the peer has closed with a code that the other library
// does not know.
func isNew(who string, want outcome) bool {
	return want.closed && (want.code == 1014 || who == "gobwas" && (want.code == 1012 || want.code == 1013))
}

// unfinished reports that the other endpoint has handed out a message of which
// not all had arrived, as if it had ended with the transport (5.4: it ends with
// a frame that has FIN set). What comes of the connection is beside the point.
func unfinished(name string, want, got outcome) bool {
	n := len(want.messages)
	return name == "coder" && !want.failed && !want.closed && len(got.messages) == n+1 && slices.Equal(got.messages[:n], want.messages)
}

// FuzzServers compares what four servers make of the same bytes.
func FuzzServers(f *testing.F) { compare(f, protocol.Server) }

// FuzzClients compares what four clients make of the same bytes.
func FuzzClients(f *testing.F) { compare(f, protocol.Client) }

func compare(f *testing.F, role protocol.Role) {
	for seed := range uint64(400) {
		f.Add(frames(rand.New(rand.NewPCG(seed, 1)), role == protocol.Server))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		input = append(bytes.Clone(input), padding...)
		want := tandem(role, input)
		for name, read := range others {
			if got := read(role, input); !same(role, name, want, got) {
				t.Errorf("%s: %.300s\nTandem: %.300s\ninput %.200x", name, fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want), input)
			}
		}
	})
}

// padding follows the input, so that a frame that is wrong in its first bytes
// is complete: Tandem does not wait for the others.
var padding = make([]byte, 300)

// same reports whether another endpoint came to what Tandem came to, or why it
// did not is known.
func same(role protocol.Role, name string, want, got outcome) bool {
	for reason, others := range accepted {
		if strings.Contains(want.reason, reason) && slices.Contains(others, name) {
			return len(got.messages) >= len(want.messages) && slices.Equal(got.messages[:len(want.messages)], want.messages)
		}
	}
	if unfinished(name, want, got) {
		return true
	}
	if !slices.Equal(got.messages, want.messages) {
		return false
	}
	if got.closed == want.closed && got.failed == want.failed && got.code == want.code {
		return true
	}
	for _, known := range answered {
		if known.who == name && known.when(role, want, got) {
			return true
		}
	}
	return false
}

// frames returns a few frames of a peer, most of them right. A masking key of
// zeros changes nothing.
func frames(r *rand.Rand, masked bool) (b []byte) {
	ops := []byte{0, 1, 2, 1, 2, 8, 9, 10, 0, 3}
	for range 1 + r.IntN(6) {
		first := ops[r.IntN(len(ops))]
		if r.IntN(3) > 0 {
			first |= 0x80
		}
		if r.IntN(20) == 0 {
			first |= 0x40
		}
		n, mask := r.IntN(140), byte(0)
		if masked != (r.IntN(50) == 0) {
			mask = 0x80
		}
		b = append(b, first)
		switch {
		case n < 126:
			b = append(b, mask|byte(n))
		default:
			b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
		}
		if mask != 0 {
			b = append(b, 0, 0, 0, 0)
		}
		if first&0x0f == 8 && n >= 2 && r.IntN(4) > 0 {
			b = binary.BigEndian.AppendUint16(b, uint16(990+r.IntN(40)))
			n -= 2
		}
		for range n {
			b = append(b, byte('a'+r.IntN(26)))
		}
	}
	return b
}
