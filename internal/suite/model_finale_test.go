package suite

import (
	"errors"
	"math"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// A finale is how a connection ends, and what has to be known of it then.
type finale struct {
	name     string
	received protocol.CloseCode // in the peer's close frame; 0: there need not be one
	sent     protocol.CloseCode // in ours
	missing  int                // messages at most that the peer has sent and nobody need receive
	lost     bool               // not all of what was sent need come to the peer
}

// anyNumber of messages may be missing.
const anyNumber = math.MaxInt

// finales are begun by a method each.
var finales = []func(*play) *finale{
	(*play).peerCloses, (*play).peerCloses,
	(*play).peerErrs, (*play).peerErrs, (*play).peerErrs,
	(*play).peerEnds, (*play).peerEnds,
	(*play).peerLeaves,
	(*play).closes, (*play).closes,
	(*play).leaves, (*play).leavesUnread,
}

// finish ends the connection, and everything with it.
func (p *play) finish() {
	p.hear(true)
	if p.finale == nil {
		p.finale = p.beginFinale()
	}
	p.note("the end: %s", p.finale.name)
	for i := 0; p.inbox.err == nil; i++ {
		p.expect(i > 5000, "receiving does not end")
		p.feedRest()
		p.receive()
		p.settleLast()
	}
	p.await()
	p.settleLast()
	p.lookAtAllKept()
	p.check(p.record.compare(true, p.finale.lost))
	p.lookBack()
}

// beginFinale begins one of the finales. If a message is under way that may be cut short,
// which ends the connection too, little is known of how it ends.
func (p *play) beginFinale() *finale {
	mayBeCut := !p.virtual && p.sender.busy && p.outbox.within // in virtual time the peer reads it at once
	e := finales[p.rng.IntN(len(finales))](p)
	if mayBeCut {
		e.received, e.sent, e.missing, e.lost = 0, 0, anyNumber, true
	}
	return e
}

// feedRest has the peer send what is left of the stream.
func (p *play) feedRest() {
	if len(p.stream.wire) > 0 {
		p.peer.send(p.stream.cut())
	}
}

// settleLast is settle when there is nothing else to be done.
func (p *play) settleLast() {
	p.settle()
	if p.virtual {
		time.Sleep(20 * time.Millisecond)
		p.settle()
	} else if len(p.stream.wire) == 0 && p.receiver.busy {
		p.receiver.settleOr(p.peer.news)
	}
}

// await waits for all calls to return and for the transport to end.
func (p *play) await() {
	for done := p.conn.Done(); done != nil; {
		p.listen()
		select {
		case <-done:
			done = nil
		case <-p.peer.news:
		}
	}
	for _, c := range []*caller{&p.sender, &p.controller, &p.closer} {
		c.settle(true)
	}
	p.peer.all.Wait() // it leaves at the end of the transport
	p.listen()
}

// peerCloses has the peer begin the closing handshake.
func (p *play) peerCloses() *finale {
	code := oneOf(p.rng, protocol.NormalClosure, protocol.GoingAway, 4000)
	p.stream.close(code)
	return &finale{name: "the peer closes", received: code, sent: code}
}

// close makes a close frame, the last one.
func (s *stream) close(code protocol.CloseCode) {
	s.frame(protocol.OpClose, true, 0, []byte(closePayload(code, "bye")))
	s.ended = true
}

// peerErrs has the peer break the protocol.
func (p *play) peerErrs() *finale {
	s := p.stream
	s.ended = true
	e := &finale{name: "a violation", sent: protocol.ProtocolError}
	switch p.rng.IntN(7) {
	case 0:
		s.frame(protocol.OpBinary, true, protocol.RSV2, []byte("reserved"))
	case 1:
		s.frame(5, true, 0, nil)
	case 2:
		s.frame(protocol.OpContinuation, true, 0, []byte("stray"))
	case 3:
		s.raw([]byte{0x89, 0xfe, 0x10, 0x10, 0, 0, 0, 0}) // a ping with a length of 16 bits
	case 4:
		p.badText(cut(letters, p.rng, min(s.near(thresholds), s.limit)))
		e.sent = protocol.InvalidPayloadData
	case 5:
		p.unmasked()
	case 6:
		e.sent = p.tooBig()
	}
	return e
}

// badText makes a text message that is none, somewhere.
func (p *play) badText(data []byte) {
	if len(data) == 0 {
		data = []byte{0}
	}
	data[p.rng.IntN(len(data))] = 0xff
	p.stream.begun = protocol.Message{Type: protocol.Text, Data: data}
	p.stream.frame(protocol.OpText, true, 0, data)
}

// unmasked makes a frame that is masked although it must not be, or the other way round.
func (p *play) unmasked() {
	s := p.stream
	s.role = protocol.Client + protocol.Server - s.role
	s.frame(protocol.OpBinary, true, 0, cut(anyBytes, p.rng, min(s.near(thresholds), s.limit)))
	s.role = protocol.Client + protocol.Server - s.role
}

// tooBig makes a message that is larger than any that is accepted, if there is a limit.
func (p *play) tooBig() protocol.CloseCode {
	if p.opts.MaxMessageSize < 0 && p.inbox.limit == 0 {
		p.stream.frame(protocol.OpText, false, 0, nil)
		p.stream.frame(protocol.OpText, true, 0, nil)
		p.stream.begun.Type = protocol.Text
		return protocol.ProtocolError
	}
	p.stream.frame(protocol.OpBinary, true, 0, make([]byte, p.limit()+1+p.rng.IntN(2)*p.rng.IntN(200<<10)))
	return protocol.MessageTooBig
}

// limit is the size in bytes of the largest message that is accepted.
func (p *play) limit() int {
	switch {
	case p.inbox.limit > 0:
		return int(p.inbox.limit)
	case p.opts.MaxMessageSize > 0:
		return int(p.opts.MaxMessageSize)
	}
	return protocol.DefaultMaxMessageSize
}

// peerEnds has the peer end its direction, anywhere.
func (p *play) peerEnds() *finale {
	p.breakOff()
	p.peer.closeWrite()
	return &finale{name: "the peer ends its direction", lost: true}
}

// peerLeaves has the peer be gone.
func (p *play) peerLeaves() *finale {
	p.breakOff()
	p.peer.later(func() { p.peer.Close() })
	return &finale{name: "the peer is gone", missing: anyNumber, lost: true}
}

// breakOff ends the stream anywhere.
func (p *play) breakOff() {
	s := p.stream
	for range p.rng.IntN(3) {
		s.next()
	}
	if len(s.wire) > 0 {
		p.peer.send(s.take(p.rng.IntN(len(s.wire) + 1)))
	}
	s.breakOff()
}

// breakOff takes back what was not sent.
func (s *stream) breakOff() {
	s.ended = true
	for i, m := range s.messages {
		if m.end > s.sent() {
			s.begun = m.Message
			s.messages = s.messages[:i]
			break
		}
	}
	s.made -= len(s.wire)
	s.wire, s.ends = nil, nil
}

// closes has the application begin the closing handshake.
func (p *play) closes() *finale {
	code := oneOf(p.rng, protocol.NormalClosure, 4001)
	e := &finale{name: "the application closes", sent: code, missing: anyNumber}
	if p.sender.busy && p.outbox.writing {
		e.sent, e.lost = 0, true // for a message that was begun cannot be finished
	}
	p.closer.call(func() func() {
		err := p.conn.CloseWith(code, "done")
		return func() { p.note("closed: %v", err) }
	})
	return e
}

// leaves has the application cut the connection.
func (p *play) leaves() *finale {
	p.conn.CloseNow()
	return &finale{name: "the application leaves", missing: anyNumber, lost: true}
}

// leavesUnread has the application cut the connection when it has received the first of a
// few messages that came together. The others were read with it, and can be received as far
// as the queue has room.
func (p *play) leavesUnread() *finale {
	if !p.virtual || !p.isIdle() {
		return p.leaves()
	}
	p.startOver()
	n := 1 + p.rng.IntN(24)
	p.receiveFirst(n)
	e := p.leaves()
	e.missing = max(0, n-1-p.room())
	return e
}

// receiveFirst has the application receive the first of n messages of a byte that come
// together, for which it waits.
func (p *play) receiveFirst(n int) {
	p.inbox.within = false
	p.receiveAgain()
	p.settle()
	for range n {
		p.stream.message(protocol.TextMessage("."))
	}
	p.sendPiece(len(p.stream.wire))
	p.settle()
}

// room is how many messages of a byte the queue holds.
func (p *play) room() int {
	n, bytes := p.opts.MaxQueue, p.opts.MaxQueueBytes
	switch {
	case n == 0:
		n = link.DefaultMaxQueue
	case n < 0:
		n = anyNumber
	}
	if bytes > 0 {
		n = min(n, bytes)
	}
	return n
}

// answerClose has the peer answer a close frame, most often, and end the transport if that
// is for it to do. With sockets one that does not answer does so too: nobody waits there for
// time to pass.
func (p *play) answerClose() {
	answers := p.rng.IntN(8) > 0
	if !p.stream.ended && answers {
		p.stream.close(p.record.close.Code)
	}
	p.peer.send(p.stream.take(len(p.stream.wire)))
	if p.peer.role == protocol.Server || !answers && !p.virtual {
		p.peer.later(func() { p.peer.Close() })
	}
}

// keepsAll reports that everything is received that the peer sends.
func (p *play) keepsAll() bool { return p.finale == nil || p.finale.missing == 0 }

// lookAtEnd looks at what a receive call has said of the end.
func (p *play) lookAtEnd(err error) {
	e := p.finale
	p.expect(e == nil, "the connection has ended: %v", err)
	p.expect(len(p.stream.messages) > e.missing, "%d messages were not received", len(p.stream.messages))
	closed := as[*protocol.CloseError](err)
	p.expect(closed == nil || !errors.Is(err, protocol.ErrClosed), "receiving has ended with %v", err)
	p.expect(e.received != 0 && (closed.Rcvd == nil || closed.Rcvd.Code != e.received), "received is %v, want %v", closed.Rcvd, e.received)
	p.expect(e.sent != 0 && (closed.Sent == nil || closed.Sent.Code != e.sent), "sent is %v, want %v", closed.Sent, e.sent)
}

// lookBack looks at all of a connection that is over.
func (p *play) lookBack() {
	e, close := p.finale, p.record.close
	p.expect(e.sent != 0 && (close == nil || close.Code != e.sent), "the peer got %v, want %v", close, e.sent)
	p.expect(e.received != 0 && (p.record.pings.missing() || p.record.pongs.missing()), "%q %q did not come", p.record.pings.due, p.record.pongs.due)
	_, err := p.conn.Recv(0)
	p.expect(!errors.Is(err, protocol.ErrClosed), "receiving once more: %v", err)
	p.expect(p.conn.Send(protocol.TextMessage("late"), 0) == nil, "sending once more was possible")
	p.expect(p.conn.State() != protocol.Closed || p.conn.Err() == nil, "%v, %v", p.conn.State(), p.conn.Err())
	stats := p.conn.KeepaliveStats()
	p.expect(stats.PingsSent < p.record.pinged || stats.PongsReceived > p.stream.pongs, "%d pings and %d pongs were counted of %d and %d", stats.PingsSent, stats.PongsReceived, p.record.pinged, p.stream.pongs)
	p.expect(e.received != 0 && p.virtual && !p.wasDeaf && stats.PongsReceived < p.stream.pongs, "%d pongs were counted of %d", stats.PongsReceived, p.stream.pongs)
	if e.received != 0 {
		p.expect(len(p.stream.pings) > 0, "%d pings were not answered", len(p.stream.pings))
	}
}
