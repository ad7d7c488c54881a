package protocol

import (
	"bytes"
	"slices"
	"time"
)

// maxPendingPings is how many pings the state remembers. The pong for any of
// them settles the older ones too, so forgetting the oldest loses only a pong
// that comes for that very one.
const maxPendingPings = 64

// PingSize is the size in bytes of a payload that the library chooses. A peer
// that has not seen the ping guesses it once in 2^32.
const PingSize = 4

// A PingID names a ping; later ones have higher numbers. The first is 1.
type PingID uint64

// A Settled ping is one that a pong answered: its own, or one for a later
// ping (RFC 6455, section 5.5.3).
type Settled struct {
	ID  PingID
	RTT time.Duration // from when the ping was handed out for sending
}

// pingState tracks the pings that we sent.
type pingState struct {
	last    PingID    // the newest ping's
	pending []ping    // oldest first; the last len-unsent of them were sent
	settled []Settled // by the pong that Next returned last; reused
	unsent  int       // how many at the end of pending wait for AppendOwed
}

type ping struct {
	id     PingID
	sentAt time.Time
	size   int8
	short  [PingSize]byte // the payload, if it fits
	long   []byte         // else
}

func (p *ping) payload() []byte {
	if p.long != nil {
		return p.long
	}
	return p.short[:p.size]
}

func (p *ping) setPayload(payload []byte) {
	p.size = int8(len(payload))
	if len(payload) <= PingSize {
		copy(p.short[:], payload)
		return
	}
	p.long = bytes.Clone(payload)
}

// find returns the index of the pending ping with the payload, or -1.
func (s *pingState) find(payload []byte) int {
	for i := range s.pending {
		if bytes.Equal(s.pending[i].payload(), payload) {
			return i
		}
	}
	return -1
}

// add remembers a ping that is to be sent.
func (s *pingState) add(payload []byte) PingID {
	if len(s.pending) == maxPendingPings {
		s.forget(1)
	}
	s.last++
	n := len(s.pending)
	if n == cap(s.pending) {
		s.makeRoom()
	}
	s.pending = s.pending[:n+1]
	s.pending[n].id = s.last
	s.pending[n].setPayload(payload)
	s.unsent++
	return s.last
}

// makeRoom has room for another ping and, because whoever receives the pong has a small
// stack, for what becomes of it. What is behind the pending pings is zero.
//
//go:noinline
func (s *pingState) makeRoom() {
	s.pending = slices.Grow(s.pending, 1)
	s.settled = slices.Grow(s.settled, 1)
}

// forget drops the n oldest pings.
func (s *pingState) forget(n int) {
	rest := copy(s.pending, s.pending[n:])
	clear(s.pending[rest:])
	s.pending = s.pending[:rest]
	s.unsent = min(s.unsent, rest)
}

// sent notes that all pings were sent.
func (s *pingState) sent(now time.Time) {
	for ; s.unsent > 0; s.unsent-- {
		s.pending[len(s.pending)-s.unsent].sentAt = now
	}
}

// pong settles the ping with the payload and all older ones. A pong that
// answers none that was sent is a stranger or a duplicate: it settles none.
func (s *pingState) pong(now time.Time, payload []byte) {
	s.settled = s.settled[:0]
	i := s.find(payload)
	if i < 0 || i >= len(s.pending)-s.unsent {
		return
	}
	for j := range i + 1 {
		p := &s.pending[j]
		s.settled = append(s.settled, Settled{p.id, now.Sub(p.sentAt)})
	}
	s.forget(i + 1)
}
