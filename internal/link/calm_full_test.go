package link

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestCalmAndFull is TestQuick with Sends of connections that were calm, to peers that
// do not always read.
func TestCalmAndFull(t *testing.T) {
	for seed := range uint64(150) {
		expectSame(t, seed, deafTranscript(t, seed, (*Conn).receive, (*Conn).Send), deafTranscript(t, seed, receiveLong, sendLong))
	}
}

// deafTranscript is transcript with a peer that reads now and then only.
func deafTranscript(t *testing.T, seed uint64, receive receiveCall, send func(*Conn, *Limit, protocol.Message) error) (text []string) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{r: rand.New(rand.NewPCG(seed, 0)), role: roleOf(seed), receive: receive, deaf: true}
		opens(send)(t, s)
		for range 40 {
			s.calmStep()
		}
		s.deaf = false
		s.listen()
		text = s.text
	})
	return text
}

// calmStep has the connection calm, if it may be, and then does something at random.
func (s *script) calmStep() {
	if !s.crowded() {
		s.call("peer", func() error { _, err := s.peer.Write(s.frame(protocol.OpBinary, []byte("calm"))); return err })
		s.call("receive", func() error {
			typ, data, err := s.receive(s.c, nil, nil, receivingMessage)
			return fmt.Errorf("%v, %q: %v", typ, data, err)
		})
	}
	limit := After(time.Duration(s.r.IntN(4))*time.Second/2 + time.Duration(s.calls)*13*time.Microsecond)
	if s.r.IntN(3) == 0 {
		limit = nil
	}
	m := protocol.Message{Type: protocol.Binary, Data: bytes.Repeat([]byte{byte(s.calls)}, []int{0, 1, 100, 126, 5000, 16384, 16384, 16384}[s.r.IntN(8)])}
	if size := s.room() - s.overhead(); s.r.IntN(2) == 0 && size >= 126 && size <= copyLimit {
		m.Data = make([]byte, size-s.r.IntN(2))
	}
	switch kind := s.r.IntN(14); {
	case s.crowded() || kind == 0:
		s.read(1 + s.r.IntN(len(s.buf)))
	case kind == 1:
		time.Sleep([]time.Duration{time.Millisecond, 60 * time.Millisecond, 2 * time.Second}[s.r.IntN(3)])
		s.settle()
	case kind == 2:
		s.call("pong", func() error { return s.c.Pong(limit, []byte("pong")) })
	case kind == 3:
		s.write(limit, m)
	case kind == 4 && s.r.IntN(8) == 0:
		s.call("close", func() error { return s.c.Close(After(3*time.Second+7*time.Microsecond), protocol.NormalClosure, "bye") })
	default:
		s.call("send", func() error { return s.send(s.c, limit, m) })
	}
}
