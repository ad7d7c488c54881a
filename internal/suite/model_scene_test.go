package suite

import (
	"time"

	"github.com/tandemws/tandem/protocol"
)

// A scene is a few steps that belong together, as busy connections take them: what the short
// ways are for, and what seldom comes about when each step is at random.

// scene plays one, if nothing else is under way.
func (p *play) scene() {
	if !p.isIdle() {
		return
	}
	p.startOver()
	for range 1 + p.rng.IntN(4) {
		if p.rng.IntN(2) == 0 {
			p.requests()
		} else {
			p.large()
		}
	}
	p.stream.left = 0 // of the regime
}

// isIdle reports whether the application neither receives nor sends, and may do both.
func (p *play) isIdle() bool {
	return !p.receiver.busy && !p.sender.busy && p.inbox.err == nil && p.finale == nil
}

// startOver has nothing left of what came before.
func (p *play) startOver() {
	p.inbox.reader = nil
	p.hear(true)
	p.catchUp()
}

// catchUp has the application receive all that the peer has begun to send.
func (p *play) catchUp() {
	p.sendPiece(len(p.stream.wire))
	for p.stream.arrived() && p.finale == nil && p.inbox.err == nil {
		p.inbox.within = false
		p.receiveAgain()
		p.finishCall()
	}
}

// finishCall waits for a receive call that is certain to return, unless the end comes
// between.
func (p *play) finishCall() {
	for i := 0; p.receiver.busy && p.finale == nil && p.inbox.err == nil && (p.stream.arrived() || p.inbox.many); i++ {
		p.expect(i > 1000, "receiving does not end")
		if p.virtual {
			time.Sleep(time.Millisecond)
		} else {
			p.receiver.settle(true)
		}
		p.settle()
	}
}

// sendPiece has the peer send the next n bytes.
func (p *play) sendPiece(n int) {
	if n = min(n, len(p.stream.wire)); n <= 0 {
		return
	}
	p.note("the peer sends %d bytes", n)
	p.peer.send(p.stream.take(n))
}

// requests come together, and most of them are answered.
func (p *play) requests() {
	s := p.stream
	s.regime, s.left = oneOf(p.rng, regimes[1], regimes[1], regimes[2]), 100
	n := 1 + p.rng.IntN(12)
	for range n {
		s.message(s.payload())
		if p.rng.IntN(40) == 0 {
			s.ping()
		}
	}
	p.sendPiece(len(s.wire) - p.rng.IntN(2)*p.rng.IntN(2)*p.rng.IntN(4))
	p.answersWith(n, p.replies())
	p.settle()
	p.sendPiece(len(s.wire))
	p.finishCall()
	if p.rng.IntN(3) == 0 && p.finale == nil {
		p.receiveMore()
	}
}

// receiveMore has the application wait when it has received all.
func (p *play) receiveMore() {
	if p.receiver.busy || p.inbox.err != nil {
		return
	}
	p.inbox.within = false
	p.receiveAgain()
	p.settle()
	p.stream.message(protocol.BinaryMessage(cut(anyBytes, p.rng, min(p.stream.limit, p.rng.IntN(6)))))
	p.sendPiece(len(p.stream.wire))
	p.finishCall()
}

// large has messages of one size come one by one, each to a receiver that waits; and now and
// then not quite.
func (p *play) large() {
	s := p.stream
	size := min(s.near([]int{8 << 10, 9000, 16 << 10, 64 << 10, 72 << 10}), s.limit)
	for range 2 + p.rng.IntN(5) {
		if p.receiver.busy || p.finale != nil || p.inbox.err != nil {
			return
		}
		p.inbox.within = false
		p.receiveAgain()
		p.settle()
		p.largeOne(size)
		p.settle()
		p.sendPiece(len(s.wire))
		p.finishCall()
		p.catchUp()
	}
}

// largeOne sends a message, most often of this size, and most often all of it and nothing
// else.
func (p *play) largeOne(size int) {
	s := p.stream
	s.regime, s.left = oneOf(p.rng, regimes[1], regimes[2], regimes[4]), 100
	switch p.rng.IntN(12) {
	case 0:
		s.message(s.payload())
	case 1:
		s.message(protocol.Message{Type: protocol.Text, Data: someText(p.rng, size)})
	case 2:
		s.ping()
		fallthrough
	default:
		s.message(protocol.BinaryMessage(cut(anyBytes, p.rng, size)))
	}
	n := len(s.wire)
	s.message(protocol.BinaryMessage(cut(anyBytes, p.rng, p.rng.IntN(5))))
	switch p.rng.IntN(4) {
	case 0:
		n += oneOf(p.rng, -2, -1, -1, 1, 1, 2, 3)
	case 1:
		n = 1 + p.rng.IntN(n)
	case 2:
		n = 1 + p.rng.IntN(16)
	}
	p.sendPiece(n)
}
