package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// An inbox is what an application has received: what it keeps stays as it was.
type inbox struct {
	kept    []keptMemory
	reused  []byte      // what RecvAppend is given again and again
	again   bool        // that is done most often
	answers bool        // messages are answered most often
	reader  *readingOne // nil: no message is being read in pieces
	err     error       // how receiving has ended
	within  bool        // the call that is under way may be left at its bound
	many    bool        // ... is for a number of messages
	limit   int64       // that was set; 0: none was
}

// keptMemory is memory that nobody but the application may change.
type keptMemory struct {
	now, then []byte
	message   bool // ... and that may be released
}

// readingOne is a message that is read in pieces.
type readingOne struct {
	io.Reader
	rest []byte // that was not read
	end  int    // as of an incoming
}

// certain reports whether a receive call is bound to return.
func (in *inbox) certain(s *stream) bool { return in.reader == nil && !in.many && s.arrived() }

// receive has the application receive in some way, if it is not about to.
func (p *play) receive() {
	if p.receiver.busy || p.inbox.err != nil {
		return
	}
	if p.inbox.reader != nil && p.rng.IntN(8) > 0 {
		p.readOn()
		return
	}
	p.inbox.within, p.inbox.reader = false, nil
	switch kind := p.rng.IntN(10); {
	case p.inbox.answers && p.rng.IntN(2) > 0:
		p.echoes()
	case p.inbox.again && p.rng.IntN(8) > 0:
		p.receiveAgain()
	case kind < 3:
		p.receiveMessage(0)
	case kind == 3:
		p.receiveMessage(p.aWhile())
	case kind == 4:
		p.receiveAppend(p.arena())
	case kind < 7:
		p.receiveAgain()
	case kind == 7:
		p.receiveJSON()
	case kind == 8:
		p.receiveReader()
	default:
		p.echoes()
	}
}

// aWhile returns how long a call may take.
func (p *play) aWhile() time.Duration {
	p.inbox.within = true
	return oneOf(p.rng, time.Microsecond, time.Millisecond, 70*time.Millisecond)
}

func (p *play) receiveMessage(timeout time.Duration) {
	p.note("Recv(%v)", timeout)
	p.receiver.call(func() func() {
		m, err := p.conn.Recv(timeout)
		return func() {
			if p.received(m.Type, m.Data, err) {
				p.expect(m.Data == nil, "the data of an empty message are nil")
				p.keep(m.Data, true)
			}
		}
	})
}

// keep keeps memory of the application's. What it kept before it releases now and then.
func (p *play) keep(data []byte, message bool) {
	p.inbox.kept = append(p.inbox.kept, keptMemory{data, bytes.Clone(data), message})
	if p.rng.IntN(3) == 0 {
		p.release(p.rng.IntN(len(p.inbox.kept)))
	}
}

func (p *play) release(i int) {
	k := p.inbox.kept[i]
	p.lookAtKept(&k)
	if k.message {
		p.note("Release of %d bytes", cap(k.now))
		release(protocol.BinaryMessage(k.now))
	}
	p.inbox.kept = append(p.inbox.kept[:i], p.inbox.kept[i+1:]...)
}

// lookAtAllKept looks whether all that was kept is as it was.
func (p *play) lookAtAllKept() {
	for i := range p.inbox.kept {
		p.lookAtKept(&p.inbox.kept[i])
	}
}

func (p *play) lookAtKept(k *keptMemory) {
	p.expect(!bytes.Equal(k.now, k.then), "memory of %d bytes that was the application's has changed", len(k.now))
}

// received compares what a receive call has returned with the next message, and reports
// whether it was one.
func (p *play) received(typ protocol.MessageType, data []byte, err error) (ok bool) {
	if err != nil {
		p.notReceived(err)
		return false
	}
	want, ok := p.nextIncoming()
	got := protocol.Message{Type: typ, Data: data}
	p.expect(!ok, "received %v, which nobody has sent", describe(got))
	p.expect(typ != want.Type || !bytes.Equal(data, want.Data), "received %v, want %v", describe(got), describe(want))
	return true
}

func (p *play) nextIncoming() (m protocol.Message, ok bool) {
	p.inbox.reader = nil
	s := p.stream
	if len(s.messages) == 0 {
		return m, false
	}
	m, s.messages = s.messages[0].Message, s.messages[1:]
	return m, true
}

// notReceived looks at the error of a receive call.
func (p *play) notReceived(err error) {
	p.awaitCut()
	if p.inbox.within && errors.Is(err, p.conn.TimeoutError()) && !errors.Is(err, protocol.ErrClosed) {
		p.note("not within that time")
		p.expect(p.virtual && p.keepsAll() && p.stream.arrived(), "the message has arrived, and the call has returned %v", err)
		return
	}
	p.note("%v", err)
	p.inbox.err = err
	p.lookAtEnd(err)
}

// An arena is memory of which a part is given to RecvAppend.
type arena struct {
	all, before []byte // now, and before the call
	begin, end  int    // of the part
	dst         []byte
}

// arena returns one with room for the next message, or nearly, or not at all.
func (p *play) arena() *arena {
	room := p.rng.IntN(200)
	if m := p.stream.messages; len(m) > 0 && p.rng.IntN(4) > 0 {
		room = max(0, len(m[0].Data)+oneOf(p.rng, -1, 0, 1, 3, 4, 8, 10, 14, 500, 526, 527, 1024, 80<<10))
	}
	begin, length := p.rng.IntN(20), p.rng.IntN(2)*p.rng.IntN(3000)
	end := begin + length + room
	all := cut(anyBytes, p.rng, end+p.rng.IntN(20))
	return &arena{all: all, before: bytes.Clone(all), begin: begin, end: end, dst: all[begin : begin+length : end]}
}

// isTouched reports whether anything has changed but what is behind the length of dst.
func (a *arena) isTouched() bool {
	behind := a.begin + len(a.dst)
	return !bytes.Equal(a.all[:behind], a.before[:behind]) || !bytes.Equal(a.all[a.end:], a.before[a.end:])
}

func (p *play) receiveAppend(a *arena) {
	p.note("RecvAppend to %d of %d bytes", len(a.dst), cap(a.dst))
	p.receiver.call(func() func() {
		typ, data, err := p.conn.RecvAppend(a.dst)
		return func() { p.receivedInto(a, typ, data, err) }
	})
}

// receivedInto looks at what RecvAppend has returned, and at what is around it.
func (p *play) receivedInto(a *arena, typ protocol.MessageType, data []byte, err error) {
	n := len(a.dst)
	p.expect(a.isTouched(), "what is around the room in dst has changed")
	p.expect(len(data) < n || !bytes.Equal(data[:n], a.dst), "what was in dst is not in front of the message")
	p.expect(err != nil && len(data) != n, "there was an error, and %d bytes more", len(data)-n)
	if !p.received(typ, data[n:], err) {
		return
	}
	p.expect(len(data) <= cap(a.dst) && len(data) > 0 && &data[0] != &a.dst[:1][0], "dst had room for %d bytes, and they are elsewhere", len(data))
	p.keep(data, false)
	p.keep(a.all, false)
}

// receiveAgain receives to the same memory as before, which grows with the messages.
func (p *play) receiveAgain() {
	switch p.rng.IntN(24) {
	case 0:
		p.inbox.reused = nil
	case 1:
		p.inbox.reused = make([]byte, 0, p.stream.near(thresholds))
	}
	dst := p.inbox.reused
	p.note("RecvAppend to 0 of %d bytes again", cap(dst))
	p.receiver.call(func() func() {
		typ, data, err := p.conn.RecvAppend(dst)
		return func() {
			if p.received(typ, data, err) {
				p.inbox.reused = data[:0]
				if cap(data) > cap(dst) {
					p.keep(dst[:cap(dst)], false)
				}
			}
		}
	})
}

func (p *play) receiveJSON() {
	timeout := time.Duration(0)
	if p.rng.IntN(3) == 0 {
		timeout = p.aWhile()
	}
	p.note("RecvJSON(%v)", timeout)
	p.receiver.call(func() func() {
		v, err := p.face.RecvJSON(p.conn, timeout)
		return func() { p.receivedJSON(v, err) }
	})
}

// receivedJSON looks at a value, or at the message that was none.
func (p *play) receivedJSON(v any, err error) {
	wrong := as[*wssync.JSONError](err)
	if err != nil && wrong == nil {
		p.notReceived(err)
		return
	}
	m, ok := p.nextIncoming()
	p.expect(!ok, "received %v, %v, which nobody has sent", v, err)
	var want any
	if json.Unmarshal(m.Data, &want) != nil {
		p.expect(wrong == nil || wrong.Message == nil || wrong.Message.Type != m.Type || !bytes.Equal(wrong.Message.Data, m.Data), "%v is no JSON, received %v, %v", describe(m), v, err)
		return
	}
	p.expect(wrong != nil || !reflect.DeepEqual(v, want), "received %v, %v, want %v", v, err, describe(m))
}

func (p *play) receiveReader() {
	p.note("RecvReader")
	p.receiver.call(func() func() {
		typ, r, err := p.conn.RecvReader()
		return func() { p.receivedReader(typ, r, err) }
	})
}

func (p *play) receivedReader(typ protocol.MessageType, r io.Reader, err error) {
	if err != nil {
		p.notReceived(err)
		return
	}
	reader := &readingOne{Reader: r, end: math.MaxInt}
	if len(p.stream.messages) > 0 {
		reader.end = p.stream.messages[0].end
		m, _ := p.nextIncoming()
		p.expect(typ != m.Type, "reading a %v message, want %v", typ, describe(m))
		reader.rest = m.Data
	} else {
		p.expect(p.stream.begun.Type != typ, "reading a %v message, which nobody has begun", typ)
		reader.rest = p.stream.begun.Data
	}
	p.inbox.reader = reader
}

// readOn reads more of the message that is read in pieces.
func (p *play) readOn() {
	size := oneOf(p.rng, 1, 100, 5000, 8<<10, 40<<10, 100<<10, max(1, len(p.inbox.reader.rest)-1))
	p.note("Read of %d bytes", size)
	behind := randomBytes(100)
	buf := append(make([]byte, size), behind...)
	reader := p.inbox.reader
	p.receiver.call(func() func() {
		n, err := reader.Read(buf[:size])
		return func() {
			p.expect(!bytes.Equal(buf[size:], behind), "something behind the memory of a Read has changed")
			p.read(reader, buf[:n], err)
		}
	})
}

func (p *play) read(r *readingOne, data []byte, err error) {
	p.expect(!bytes.HasPrefix(r.rest, data), "%d bytes were read that are not the next ones", len(data))
	p.expect(err == nil && len(data) == 0, "nothing was read")
	r.rest = r.rest[len(data):]
	switch {
	case err == io.EOF && r.end <= p.stream.sent():
		p.expect(len(r.rest) > 0, "the message has ended %d bytes before its end", len(r.rest))
		p.inbox.reader = nil
	case err != nil:
		p.expect(err == io.EOF, "a message has ended that did not")
		p.inbox.reader = nil
		p.notReceived(err)
	}
}

// echoes has messages answered one after the other, as servers do.
func (p *play) echoes() {
	n := min(len(p.stream.messages), 1+p.rng.IntN(20))
	if p.sender.busy || n == 0 {
		p.receiveAgain()
		return
	}
	p.answersWith(n, p.replies())
}

// replies returns those that answer all messages or, at random, some.
func (p *play) replies() *replies {
	r := &replies{conn: p.conn, into: p.rng.IntN(2) == 0, dst: p.inbox.reused}
	if p.rng.IntN(2) == 0 {
		r.silent = p.rng.Uint64()
	}
	return r
}

// answersWith has the next n messages received, and answered.
func (p *play) answersWith(n int, all *replies) {
	p.note("%d messages, to be answered but for %b", n, all.silent)
	p.sender.busy, p.outbox.within, p.outbox.writing, p.inbox.many = true, false, false, true
	p.receiver.call(func() func() {
		all.run(n)
		return func() { p.echoed(all) }
	})
}

// Replies are a number of messages that are received and sent back.
type replies struct {
	conn     Conn
	into     bool   // RecvAppend receives them, to the same place
	dst      []byte // ... that is here
	received []protocol.Message
	silent   uint64 // bits of those that are not answered
	sent     []protocol.Message
	err      error // of receiving
	sendErr  error
}

func (e *replies) run(n int) {
	for i := range n {
		m, err := e.receive()
		if err != nil {
			e.err = err
			return
		}
		e.received = append(e.received, protocol.Message{Type: m.Type, Data: bytes.Clone(m.Data)})
		if e.silent>>i&1 == 0 {
			e.sent = append(e.sent, e.received[i])
			if e.sendErr = e.conn.Send(m, 0); e.sendErr != nil {
				return
			}
		}
		if !e.into {
			release(m)
		}
	}
}

func (e *replies) receive() (m protocol.Message, err error) {
	if !e.into {
		return e.conn.Recv(0)
	}
	m.Type, m.Data, err = e.conn.RecvAppend(e.dst[:0])
	if err == nil {
		e.dst = m.Data
	}
	return m, err
}

func (p *play) echoed(e *replies) {
	p.sender.busy, p.inbox.many = false, false
	if e.into && e.dst != nil {
		p.inbox.reused = e.dst[:0]
	}
	for _, m := range e.received {
		p.received(m.Type, m.Data, nil)
	}
	for i, m := range e.sent {
		p.record.expected = append(p.record.expected, outgoing{Message: m, maybe: e.sendErr != nil && i == len(e.sent)-1})
	}
	if e.sendErr != nil {
		p.notSent(e.sendErr)
	}
	if e.err != nil {
		p.notReceived(e.err)
	}
}
