package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestRoundTrip has a client and a server say random things to each other, with
// random extensions, over a transport that cuts them at random: what one says is
// what the other hears.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(100) {
		if roundTrip(t, seed, 60); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// FuzzRoundTrip looks for a conversation that goes wrong.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint64(1), byte(10))
	f.Fuzz(func(t *testing.T, seed uint64, steps byte) { roundTrip(t, seed, int(steps)) })
}

// A speaker is one end of the conversation.
type speaker struct {
	*driver
	rnd  *rand.Rand
	peer *speaker

	moved int // how much of output the transport has moved to the peer
	heard int // how many events were checked

	said  []string // what the peer must hear, in the order of the wire
	pings []string // of ours that were not answered yet
	sent  []time.Time
	ids   []PingID

	message []byte // the rest of a fragmented message
	whole   string
	typ     MessageType
	mode    int // how we receive
}

// The modes of receiving.
const (
	plainly = iota
	inChunks
	intoMemory
	modes
)

// roundTrip runs one conversation to its end.
func roundTrip(t *testing.T, seed uint64, steps int) {
	rnd := rand.New(rand.NewPCG(seed, 6455))
	ofClient, ofServer := extensionSets(rnd)
	if rnd.IntN(3) == 0 {
		ofClient, ofServer = nil, nil
	}
	client, server := newSpeaker(t, Client, rnd, ofClient), newSpeaker(t, Server, rnd, ofServer)
	client.peer, server.peer = server, client
	for range steps {
		s := client
		if rnd.IntN(2) == 0 {
			s = server
		}
		s.step()
		later := client.now.Add(time.Duration(rnd.IntN(1000)) * time.Millisecond)
		client.now, server.now = later, later
	}
	client.finish()
	server.finish()
	for client.move(1<<20) || server.move(1<<20) {
	}
	client.checkHeard()
	server.checkHeard()
	client.close(server)
}

func newSpeaker(t *testing.T, role Role, rnd *rand.Rand, extensions []Extension) *speaker {
	c := NewConn(Config{Role: role, MaxMessageSize: -1, MaskKeys: randomKeys{rnd}, Extensions: extensions})
	s := &speaker{driver: newDriver(t, c), rnd: rnd, mode: rnd.IntN(modes)}
	s.window = rnd.IntN(2) == 0
	return s
}

// randomKeys is a source of masking keys that a seed repeats.
type randomKeys struct{ *rand.Rand }

func (k randomKeys) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(k.Uint32())
	}
	return len(p), nil
}

// step says one thing, or has the transport move something on.
func (s *speaker) step() {
	switch s.rnd.IntN(8) {
	case 0:
		if s.whole == "" {
			s.sayMessage()
		}
	case 1, 2:
		s.sayFragment(s.rnd.IntN(3) == 0)
	case 3:
		s.sayPing()
	case 4:
		s.sayPong()
	default:
		s.chooseHow()
		s.move(1 + s.rnd.IntN(1<<s.rnd.IntN(18)))
		s.peer.checkHeard()
	}
}

func (s *speaker) sayMessage() {
	s.c.Compress(Compression(s.rnd.IntN(3)))
	typ, payload := s.randomMessage()
	s.output = s.must(s.c.AppendMessage(s.output, typ, payload))
	s.said = append(s.said, fmt.Sprintf("%v %s", typ, brief(string(payload))))
}

// sayFragment goes on with a message, or begins one; last ends it. Text is cut
// anywhere, inside characters too.
func (s *speaker) sayFragment(last bool) {
	if s.whole == "" {
		s.c.Compress(Compression(s.rnd.IntN(3)))
		s.typ, s.message = s.randomMessage()
		s.whole = fmt.Sprintf("%v %s", s.typ, brief(string(s.message)))
	}
	n := len(s.message)
	if !last {
		n = s.rnd.IntN(n + 1)
	}
	s.output = s.must(s.c.AppendFragment(s.output, s.typ, last, s.message[:n]))
	s.message = s.message[n:]
	if last {
		s.said = append(s.said, s.whole)
		s.whole = ""
	}
}

func (s *speaker) sayPing() {
	if len(s.pings) == maxPendingPings {
		return // the oldest would be forgotten
	}
	payload := fmt.Sprintf("p%d%s", s.c.pings.last, strings.Repeat(".", s.rnd.IntN(100)))
	s.pings = append(s.pings, payload)
	s.ids = append(s.ids, sendPing(s.t, s.c, payload))
	s.sent = append(s.sent, s.now)
	s.sendOwed()
	s.said = append(s.said, "ping "+brief(payload))
}

func (s *speaker) sayPong() {
	payload := "u" + strings.Repeat("!", s.rnd.IntN(MaxControlPayload))
	if err := s.c.SendPong([]byte(payload)); err != nil {
		s.t.Fatal(err)
	}
	s.sendOwed()
	s.said = append(s.said, fmt.Sprintf("pong %s settles []", brief(payload)))
}

// randomMessage has lengths at the boundaries of the encoding more often.
func (s *speaker) randomMessage() (MessageType, []byte) {
	lengths := []int{0, 1, 2, 125, 126, 127, 128, 1000, 5000, 65535, 65536, s.rnd.IntN(100), s.rnd.IntN(100), s.rnd.IntN(100), s.rnd.IntN(70000)}
	n := lengths[s.rnd.IntN(len(lengths))]
	payload := make([]byte, 0, n+8)
	if s.rnd.IntN(2) == 0 {
		for len(payload) < n {
			payload = binary.LittleEndian.AppendUint64(payload, s.rnd.Uint64())
		}
		return Binary, payload[:n]
	}
	alphabet := []rune("aé€𝄞\x00\u07ff\u0800\uffff\U00010000\U0010ffff")
	var piece []byte // repeated, for long text is slow to make
	for range 1 + s.rnd.IntN(50) {
		piece = utf8.AppendRune(piece, alphabet[s.rnd.IntN(len(alphabet))])
	}
	return Text, bytes.Repeat(piece, (n+len(piece)-1)/len(piece))
}

// chooseHow changes the way in which the peer receives, as its mode allows.
func (s *speaker) chooseHow() {
	p := s.peer
	switch {
	case p.mode == inChunks && (!p.c.in.streaming || !p.c.in.open): // off between messages only
		p.c.Streaming(s.rnd.IntN(2) == 0)
	case p.mode == intoMemory && p.prefix == "":
		p.prefix = "prefix"
		p.c.AssembleInto(append(make([]byte, 0, len(p.prefix)+s.rnd.IntN(2000)), p.prefix...))
	case p.mode == intoMemory && s.rnd.IntN(3) == 0:
		p.prefix = ""
		p.c.Detach()
	}
}

// move has the transport deliver up to n bytes, and reports whether there were
// any.
func (s *speaker) move(n int) bool {
	n = min(n, len(s.output)-s.moved)
	s.peer.feed(s.output[s.moved : s.moved+n])
	s.moved += n
	return n > 0
}

// checkHeard compares what was heard since the last time with what the peer
// said, and with the pings of ours that it had to answer.
func (s *speaker) checkHeard() {
	for ; s.heard < len(s.events); s.heard++ {
		got, want := s.events[s.heard], "nothing"
		switch {
		case isAnswer(got) && len(s.pings) > 0:
			want = fmt.Sprintf("pong %s settles [{%d %v}]", brief(s.pings[0]), s.ids[0], s.now.Sub(s.sent[0]))
			s.pings, s.ids, s.sent = s.pings[1:], s.ids[1:], s.sent[1:]
		case !isAnswer(got) && len(s.peer.said) > 0:
			want, s.peer.said = s.peer.said[0], s.peer.said[1:]
		}
		if got != want {
			s.t.Fatalf("%v heard %.200s, want %.200s", s.c.Role(), got, want)
		}
	}
}

// isAnswer tells a pong for a ping from an unsolicited one by its first letter.
func isAnswer(event string) bool {
	return strings.HasPrefix(event, "pong ") && strings.Contains(event, `"p`)
}

// finish ends a message that is under way.
func (s *speaker) finish() {
	if s.whole != "" {
		s.sayFragment(true)
	}
}

// close has one end close, or both at once, and looks at what is left.
func (s *speaker) close(peer *speaker) {
	for _, end := range []*speaker{s, peer} {
		if len(end.said) > 0 || len(end.pings) > 0 {
			end.t.Fatalf("%v was not heard: %.200q; not answered: %q", end.c.Role(), end.said, end.pings)
		}
	}
	closers := []*speaker{s, peer}[s.rnd.IntN(2):]
	for _, end := range closers {
		if err := end.c.SendClose(GoingAway, "bye"); err != nil {
			s.t.Fatal(err)
		}
		end.sendOwed()
	}
	for s.move(1+s.rnd.IntN(3)) || peer.move(1+s.rnd.IntN(3)) {
	}
	for _, end := range []*speaker{s, peer} {
		end.c.Disconnected(io.EOF)
		err := end.c.CloseError()
		if err.Err != nil || *err.Rcvd != (Close{GoingAway, "bye"}) || *err.Sent != *err.Rcvd || !err.isOK() {
			s.t.Errorf("%v ended with %v", end.c.Role(), err)
		}
	}
}

func (s *speaker) must(b []byte, err error) []byte {
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}
