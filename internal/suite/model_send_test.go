package suite

import (
	"errors"
	"fmt"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/protocol"
)

// An outbox is what an application sends, and waits for.
type outbox struct {
	within  bool // the call that is under way may be left at its bound
	writing bool // ... is for a message in pieces
	pings   int
	pongs   int
	waits   []Pong
}

// send has the application send something in some way, if it is not about to.
func (p *play) send() {
	if p.sender.busy {
		return
	}
	p.outbox.within, p.outbox.writing = false, false
	m := p.outgoing()
	switch p.rng.IntN(12) {
	case 0, 1, 2, 3, 4:
		p.sends("Send", m, func(m protocol.Message) error { return p.conn.Send(m, 0) })
	case 5:
		timeout := oneOf(p.rng, time.Microsecond, time.Millisecond, 70*time.Millisecond)
		p.outbox.within = true
		p.sends(fmt.Sprintf("Send within %v", timeout), m, func(m protocol.Message) error { return p.conn.Send(m, timeout) })
	case 6:
		on := p.rng.IntN(2) == 0
		p.sends(fmt.Sprintf("Send, compressed: %v", on), m, func(m protocol.Message) error { return p.conn.SendCompressed(m, on) })
	case 7:
		p.outbox.writing = true
		p.sends("SendWriter", m, p.inPieces(len(m.Data)))
	case 8, 9:
		p.broadcasts(m)
	case 10:
		p.sends("SendPrepared", m, p.prepared)
	case 11:
		p.flush()
	}
}

func (p *play) outgoing() protocol.Message {
	sizes := thresholds
	if p.rng.IntN(3) > 0 {
		sizes = []int{0, 1, 5, 125, 126, 1000, 4 << 10}
	}
	n := p.stream.near(sizes)
	if p.rng.IntN(2) == 0 {
		return protocol.BinaryMessage(cut(anyBytes, p.rng, n))
	}
	return protocol.Message{Type: protocol.Text, Data: someText(p.rng, n)}
}

// sends sends a message. When the call has returned the data are the application's, who
// spoils them, or releases them with the message.
func (p *play) sends(name string, m protocol.Message, send func(protocol.Message) error) {
	p.note("%s of %d bytes of %v", name, len(m.Data), m.Type)
	want := protocol.Message{Type: m.Type, Data: append([]byte(nil), m.Data...)}
	releases := p.rng.IntN(4) == 0
	p.sender.call(func() func() {
		err := send(m)
		if spoil(m.Data); releases {
			m.Release()
		}
		return func() { p.sent(want, err) }
	})
}

// sent has a message expected at the peer, if it may have left.
func (p *play) sent(m protocol.Message, err error) {
	if err != nil {
		p.notSent(err)
	}
	if !errors.Is(err, p.conn.TimeoutError()) || errors.Is(err, protocol.ErrClosed) {
		p.record.expected = append(p.record.expected, outgoing{Message: m, maybe: err != nil})
	}
}

// notSent looks at the error of a call that sends.
func (p *play) notSent(err error) {
	p.note("not sent: %v", err)
	switch leaves, ends := p.outbox.within && errors.Is(err, p.conn.TimeoutError()), errors.Is(err, protocol.ErrClosed); {
	case leaves && ends && p.finale == nil:
		p.stream.ended = true
		p.finale = &finale{name: "a message was cut short", missing: anyNumber, lost: true}
	case leaves:
	default:
		p.expect(p.finale == nil || !ends, "not sent: %v", err)
	}
}

// awaitCut waits for a call that may be about to end the connection.
func (p *play) awaitCut() {
	if p.outbox.within && p.sender.busy && p.conn.State() != protocol.Open {
		p.sender.settle(true)
	}
}

// inPieces returns what sends a message of n bytes with a writer.
func (p *play) inPieces(n int) func(protocol.Message) error {
	var cuts []int
	for range p.rng.IntN(4) {
		cuts = append(cuts, p.rng.IntN(n+1))
	}
	flushes := p.rng.IntN(2) == 0
	return func(m protocol.Message) error { return writePieces(p.conn, m, cuts, flushes) }
}

func writePieces(conn Conn, m protocol.Message, cuts []int, flushes bool) error {
	w, err := conn.SendWriter(m.Type)
	if err != nil {
		return err
	}
	rest := m.Data
	for _, n := range append(cuts, len(rest)) {
		piece := rest[:min(n, len(rest))]
		if _, err := w.Write(piece); err != nil {
			return err
		}
		if rest = rest[len(piece):]; flushes {
			if err := conn.Flush(); err != nil {
				return err
			}
		}
	}
	return w.Close()
}

// broadcasts sends a message as one of many, if the face has that.
func (p *play) broadcasts(m protocol.Message) {
	if p.role != protocol.Server {
		p.sends("Send", m, func(m protocol.Message) error { return p.conn.Send(m, 0) })
		return
	}
	p.note("Broadcast of %d bytes of %v", len(m.Data), m.Type)
	want := protocol.Message{Type: m.Type, Data: append([]byte(nil), m.Data...)}
	p.sender.call(func() func() {
		missed, err := p.face.Broadcast([]Conn{p.conn}, m, BroadcastOptions{})
		spoil(m.Data)
		return func() { p.broadcast(want, missed, err) }
	})
}

// broadcast has a message expected that was not missed.
func (p *play) broadcast(m protocol.Message, missed face.Missed, err error) {
	why := missed[p.conn]
	p.expect(err != nil && why == nil, "no broadcast: %v", err)
	switch {
	case why == nil:
		p.record.expected = append(p.record.expected, outgoing{Message: m, lossy: true})
	case errors.Is(why, errTooSlow):
		p.note("too slow")
	default:
		p.notSent(why)
		p.record.expected = append(p.record.expected, outgoing{Message: m, maybe: true})
	}
}

func (p *play) prepared(m protocol.Message) error {
	message, err := p.face.Prepare(m)
	if err != nil {
		return err
	}
	spoil(m.Data)
	return message.SendTo(p.conn, 0)
}

func (p *play) flush() {
	p.note("Flush")
	p.sender.call(func() func() {
		err := p.conn.Flush()
		return func() {
			if err != nil {
				p.notSent(err)
			}
		}
	})
}

// control has the application send a ping or a pong, or wait for one.
func (p *play) control() {
	if p.controller.busy {
		return
	}
	switch p.rng.IntN(3) {
	case 0:
		p.ping()
	case 1:
		p.pong()
	case 2:
		p.awaitPong()
	}
}

func (p *play) ping() {
	p.outbox.pings++
	payload := fmt.Sprintf("ping %d", p.outbox.pings)
	p.note("Ping %q", payload)
	p.record.pings.due = append(p.record.pings.due, payload)
	p.controller.call(func() func() {
		pong, err := p.conn.Ping([]byte(payload))
		return func() {
			if err != nil {
				p.notSent(err)
				p.record.pings.doubt(payload)
			} else {
				p.outbox.waits = append(p.outbox.waits, pong)
			}
		}
	})
}

func (p *play) pong() {
	p.outbox.pongs++
	payload := fmt.Sprintf("pong %d", p.outbox.pongs)
	p.note("Pong %q", payload)
	p.record.pongs.due = append(p.record.pongs.due, payload)
	p.controller.call(func() func() {
		err := p.conn.Pong([]byte(payload))
		return func() {
			if err != nil {
				p.notSent(err)
				p.record.pongs.doubt(payload)
			}
		}
	})
}

// awaitPong waits for one of the pongs, for a while.
func (p *play) awaitPong() {
	if len(p.outbox.waits) == 0 {
		return
	}
	pong := p.outbox.waits[p.rng.IntN(len(p.outbox.waits))]
	p.note("Wait")
	p.controller.call(func() func() {
		_, err := pong.Wait(10 * time.Millisecond)
		return func() {
			if err != nil && !errors.Is(err, p.conn.TimeoutError()) {
				p.notSent(err)
			}
		}
	})
}
