package suite

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"unicode/utf8"

	"github.com/tandemws/tandem/protocol"
)

// A stream is what the peer of a [play] sends: frames at random, made when they are
// needed, and what an application has to receive of them.
type stream struct {
	rng     *rand.Rand
	role    protocol.Role      // of who sends it
	deflate protocol.Extension // nil: nothing is compressed
	limit   int                // of a message, in bytes

	wire []byte // made and not sent
	made int    // bytes in all, with those that were sent
	ends []int  // where in all of it the frames end that are not sent, or not whole
	last int    // where the last one of them has ended

	messages []incoming       // that the application has not received
	pings    []incomingPing   // that were not answered
	numbered int              // of the pings
	pongs    uint64           // that were made in answer to pings
	pongEnd  int              // where the last of them ends, if it is in its turn
	ended    bool             // nothing may follow
	begun    protocol.Message // one that is never whole

	regime regime
	left   int // messages of it
}

// An incoming message is to be received when all of the stream up to its end was sent.
type incoming struct {
	protocol.Message
	end int
}

// An incomingPing is to be answered when all of the stream up to its end was sent.
type incomingPing struct {
	payload string
	end     int
}

// A regime is how a few messages that follow each other are alike.
type regime struct {
	sizes  []int
	binary bool // all are
	whole  bool // in one frame, with nothing between
	alone  bool // they are sent one by one
	size   int  // of all; 0: any of the sizes
}

// thresholds are sizes in bytes at which something in the code changes: how a header
// looks, whether a payload is copied, where it is read to, and in which pieces.
var thresholds = []int{
	1, 32, 64, 125, 126, 512, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 55 << 10, 64 << 10, 72 << 10,
	96 << 10, 128 << 10, 144 << 10, 200 << 10,
}

var regimes = []regime{
	{sizes: []int{0, 1, 5, 64, 125, 126, 512}},
	{sizes: []int{0, 1, 5, 64, 125, 126, 512}, whole: true},
	{sizes: []int{0, 1, 126, 1 << 10, 4 << 10}, whole: true},
	{sizes: thresholds},
	{sizes: thresholds, whole: true},
	{sizes: thresholds, whole: true, binary: true},
	{sizes: []int{8 << 10, 16 << 10, 64 << 10, 72 << 10, 128 << 10}, whole: true, binary: true, size: -1},
	{sizes: []int{8 << 10, 16 << 10, 64 << 10, 72 << 10, 128 << 10}, whole: true, binary: true, alone: true, size: -1},
	{sizes: thresholds, whole: true, binary: true, alone: true},
}

// next makes one more message, or a few frames of which nobody receives anything.
func (s *stream) next() {
	if s.left == 0 {
		s.left = 1 + s.rng.IntN(12)
		s.regime = regimes[s.rng.IntN(len(regimes))]
		if s.regime.size < 0 {
			s.regime.size = min(s.near(s.regime.sizes), s.limit)
		}
	}
	if s.left--; !s.regime.whole || s.rng.IntN(16) == 0 {
		s.control()
	}
	s.message(s.payload())
}

// control sends a ping or a pong, more often not.
func (s *stream) control() {
	switch s.rng.IntN(8) {
	case 0, 1:
		s.ping()
	case 2:
		s.frame(protocol.OpPong, true, 0, []byte("to no ping"))
	}
}

func (s *stream) ping() {
	s.numbered++
	payload := fmt.Sprintf("%04d", s.numbered)
	if s.rng.IntN(2) == 0 {
		payload += string(nonsense[:s.rng.IntN(protocol.MaxControlPayload-len(payload)+1)])
	}
	s.frame(protocol.OpPing, true, 0, []byte(payload))
	s.pings = append(s.pings, incomingPing{payload, s.made})
}

// near returns one of the sizes, or a few bytes more or less.
func (s *stream) near(sizes []int) int {
	n := sizes[s.rng.IntN(len(sizes))]
	switch s.rng.IntN(4) {
	case 0:
		n += s.rng.IntN(3) - 1
	case 1:
		n += s.rng.IntN(2*protocol.MaxHeaderSize+1) - protocol.MaxHeaderSize
	}
	return max(n, 0)
}

func (s *stream) payload() protocol.Message {
	n := s.regime.size
	if n == 0 {
		n = min(s.near(s.regime.sizes), s.limit)
	}
	switch kind := s.rng.IntN(5); {
	case s.regime.binary || kind < 2:
		return protocol.BinaryMessage(cut(anyBytes, s.rng, n))
	case kind < 4:
		return protocol.Message{Type: protocol.Text, Data: someText(s.rng, n)}
	}
	return protocol.TextMessage(`"` + string(cut(letters, s.rng, max(0, n-2))) + `"`)
}

// message makes the frames of a message.
func (s *stream) message(m protocol.Message) {
	compress := s.deflate != nil && s.rng.IntN(2) == 0
	if s.regime.whole || s.rng.IntN(3) > 0 {
		s.fragment(m, m.Data, true, true, compress)
	} else {
		s.fragments(m, compress)
	}
	s.messages = append(s.messages, incoming{m, s.made})
}

// fragments makes those of a message, with control frames between them.
func (s *stream) fragments(m protocol.Message, compress bool) {
	rest, first := m.Data, true
	for range s.rng.IntN(5) {
		n := s.rng.IntN(len(rest) + 1)
		compress = s.fragment(m, rest[:n], first, false, compress)
		rest, first = rest[n:], false
		s.control()
	}
	s.fragment(m, rest, first, true, compress)
}

// fragment makes one frame, and reports whether the message is compressed.
func (s *stream) fragment(m protocol.Message, piece []byte, first, last, compress bool) (compressed bool) {
	op, rsv := protocol.OpContinuation, protocol.RSV(0)
	if compress {
		encoded, used, err := s.deflate.Encode(nil, piece, protocol.Fragment{Type: m.Type, First: first, Last: last, Compression: protocol.CompressOn})
		if err != nil {
			panic(err)
		}
		if compress = used; used {
			piece = encoded
		}
	}
	if first {
		op = protocol.Opcode(m.Type)
		if compress {
			rsv = protocol.RSV1
		}
	}
	s.frame(op, last, rsv, piece)
	return compress
}

// frame makes a frame, with a key of its own if the peer masks.
func (s *stream) frame(op protocol.Opcode, fin bool, rsv protocol.RSV, payload []byte) {
	h := protocol.Header{Fin: fin, RSV: rsv, Opcode: op, Length: int64(len(payload))}
	if h.Masked = s.role == protocol.Client; h.Masked {
		binary.NativeEndian.PutUint32(h.Mask[:], s.rng.Uint32())
	}
	frame := protocol.AppendHeader(nil, h)
	if h.Masked {
		frame = protocol.AppendMasked(frame, payload, h.Mask, 0)
	} else {
		frame = append(frame, payload...)
	}
	s.raw(frame)
}

// raw makes what is a frame, or none.
func (s *stream) raw(frame []byte) {
	s.wire = append(s.wire, frame...)
	s.made += len(frame)
	s.ends = append(s.ends, s.made)
}

// sent is how many bytes of the stream were.
func (s *stream) sent() int { return s.made - len(s.wire) }

// cut takes the next bytes to be sent in one piece: up to the end of a frame or of some,
// or to anywhere.
func (s *stream) cut() (piece []byte) {
	for len(s.wire) == 0 && !s.ended {
		s.next()
	}
	for range s.rng.IntN(2) * s.rng.IntN(12) { // what comes together
		if !s.ended && !s.regime.alone && len(s.wire) < 150<<10 {
			s.next()
		}
	}
	if len(s.wire) == 0 {
		return nil
	}
	n := s.ends[s.rng.IntN(len(s.ends))] - s.sent()
	switch kind := s.rng.IntN(4); {
	case s.regime.alone && s.rng.IntN(8) > 0:
		n = s.ends[0] - s.sent()
	case s.rng.IntN(4) == 0:
		n = min(max(n+s.rng.IntN(7)-3, 1), len(s.wire))
	case kind == 0:
		n = 1 + s.rng.IntN(n)
	case kind == 1:
		n = min(1+s.rng.IntN(16), n)
	}
	return s.take(n)
}

// take takes the next n bytes.
func (s *stream) take(n int) (piece []byte) {
	piece, s.wire = s.wire[:n:n], s.wire[n:]
	for len(s.ends) > 0 && s.ends[0] <= s.sent() {
		s.last, s.ends = s.ends[0], s.ends[1:]
	}
	return piece
}

// between makes a control frame that is sent before all that is left, if that begins with
// a frame.
func (s *stream) between(op protocol.Opcode, payload []byte) (piece []byte, ok bool) {
	if s.last != s.sent() || s.pongEnd > s.sent() {
		return nil, false
	}
	before, behind := s.sent(), s.wire
	s.wire = nil
	s.frame(op, true, 0, payload)
	piece, s.wire = s.wire, behind
	s.last = s.sent()
	s.ends = s.ends[:len(s.ends)-1]
	for i := range s.ends {
		s.ends[i] += len(piece)
	}
	s.shift(before, len(piece))
	return piece, true
}

// shift has what ends behind a place end n bytes later.
func (s *stream) shift(behind, n int) {
	for i := range s.messages {
		if s.messages[i].end > behind {
			s.messages[i].end += n
		}
	}
	for i := range s.pings {
		if s.pings[i].end > behind {
			s.pings[i].end += n
		}
	}
}

// owed reports whether a ping was sent that was not answered.
func (s *stream) owed() bool { return len(s.pings) > 0 && s.pings[0].end <= s.sent() }

// arrived reports whether all of the next message was sent.
func (s *stream) arrived() bool { return len(s.messages) > 0 && s.messages[0].end <= s.sent() }

// answered takes the pings up to one that has this payload; ok is false if there is none,
// or if ones before it should have been answered.
func (s *stream) answered(payload string) (ok bool) {
	for i, ping := range s.pings {
		if ping.payload == payload {
			s.pings = s.pings[i+1:]
			return i == 0 || i >= mostPongs
		}
	}
	return false
}

// mostPongs is how many pings are answered each, whatever they carry.
const mostPongs = 60

// What payloads are cut from.
var (
	anyBytes = randomBytes(512 << 10)
	letters  = lettersOf(anyBytes)
	text     = textOf(anyBytes)
)

func randomBytes(n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(data)
	return data
}

func lettersOf(random []byte) []byte {
	data := make([]byte, len(random))
	for i, b := range random {
		data[i] = "abcdefghijklmnopqrstuvwxyz012345"[b&31]
	}
	return data
}

func textOf(random []byte) (data []byte) {
	for _, b := range random {
		data = utf8.AppendRune(data, []rune("abcdefghijklä€😀 ")[b&15])
	}
	return data
}

// cut returns n bytes of data, from anywhere, in memory of their own.
func cut(data []byte, rng *rand.Rand, n int) []byte {
	at := rng.IntN(len(data) - n)
	return append(make([]byte, 0, n), data[at:at+n]...)
}

// someText returns n bytes of text.
func someText(rng *rand.Rand, n int) []byte {
	b := cut(text, rng, n)
	for i := 0; i < len(b) && !utf8.RuneStart(b[i]); i++ {
		b[i] = '.'
	}
	for !utf8.Valid(b[max(0, len(b)-utf8.UTFMax):]) && !utf8.Valid(b) {
		end := len(b) - 1
		for !utf8.RuneStart(b[end]) {
			b[end] = '.'
			end--
		}
		b[end] = '.'
	}
	return b
}
