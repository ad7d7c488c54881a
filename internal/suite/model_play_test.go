package suite

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// A play is one run of [TestModel]: what one connection does, its peer, and an application
// that calls whatever there is to be called. It knows what has to come of all that.
//
// One goroutine plays. It begins calls, which callers make, feeds the peer, and looks at
// what has come of it.
type play struct {
	t       *testing.T
	rng     *rand.Rand
	virtual bool      // in virtual time: after each step everything rests
	deaf    bool      // the peer does not read
	wrote   time.Time // when somebody was writing last, who did not end within the step
	wasDeaf bool      // ... or did not, and pings may be forgotten that were not answered for long

	face   Face
	role   protocol.Role
	opts   *Options
	conn   Conn
	peer   *modelPeer
	stream *stream
	record *record
	trace  []string // of the steps

	receiver, sender, controller, closer caller

	inbox  inbox
	outbox outbox
	finale *finale // nil: there is none yet
}

// A caller makes calls that may wait, one at a time.
type caller struct {
	outcomes chan func() // what is to be looked at when the call has returned
	busy     bool
}

func (c *caller) call(f func() (look func())) {
	c.busy = true
	go func() { c.outcomes <- f() }() // ends when the call returns, with the connection at the latest
}

// settle looks at a call that has returned, and may wait for that.
func (c *caller) settle(wait bool) {
	if !c.busy || !wait && len(c.outcomes) == 0 {
		return
	}
	c.settleOr(nil)
}

// settleOr waits until a call has returned, or for something else.
func (c *caller) settleOr(other <-chan struct{}) {
	select {
	case look := <-c.outcomes:
		c.busy = false
		look()
	case <-other:
	}
}

// newPlay opens the connection as the source wants it.
func newPlay(t *testing.T, e End, source rand.Source, virtual bool) *play {
	p := &play{t: t, rng: rand.New(source), virtual: virtual, face: e.Face, role: e.Role}
	for _, c := range []*caller{&p.receiver, &p.sender, &p.controller, &p.closer} {
		c.outcomes = make(chan func(), 1)
	}
	p.choose(&e)
	p.inbox.again, p.inbox.answers = p.rng.IntN(3) == 0, p.rng.IntN(3) == 0
	conn, raw := p.open(e)
	p.conn, p.peer, p.opts = conn, newModelPeer(t, raw), &e.Options
	p.stream = &stream{rng: p.rng, role: raw.role, limit: 256 << 10}
	if n := int(e.Options.MaxMessageSize); n > 0 {
		p.stream.limit = n
	}
	p.record = &record{role: p.role, opts: p.opts}
	if len(raw.agreed) > 0 {
		p.stream.deflate, p.record.deflate = raw.agreed[0], raw.agreed[0]
	}
	p.note("%s %v, virtual %v: %+v", p.face.Name(), p.role, virtual, modelOptions(p.opts))
	return p
}

func (p *play) open(e End) (Conn, *Raw) {
	if !p.virtual {
		ours, theirs := socketPair(p.t)
		return e.AgainstOver(p.t, ours, theirs)
	}
	ours, theirs := link.NewPipe()
	if p.rng.IntN(8) == 0 {
		return e.AgainstOver(p.t, plain{ours}, theirs)
	}
	return e.AgainstOver(p.t, ours, theirs)
}

// choose chooses the options.
func (p *play) choose(e *End) {
	o := &e.Options
	o.MaxControlFrames, o.CloseTimeout = -1, p.closeTimeout()
	o.Hold = oneOf(p.rng, 0, -1, maxHold)
	o.MaxQueue = oneOf(p.rng, 0, 1, 4, -1)
	o.MaxQueueBytes = oneOf(p.rng, 0, 1, 100<<10)
	o.MaxFragmentSize = oneOf(p.rng, 0, 0, 20000, 4<<10, 1000, -1)
	o.MessageTimeout = oneOf(p.rng, 0, time.Hour)
	o.MaxMessageSize = oneOf[int64](p.rng, 0, 256<<10, -1, 2000, 60<<10)
	o.Compression.Disabled = true
	if p.rng.IntN(3) == 0 {
		o.Compression = oneOf(p.rng, compressions["defaults"], compressions["smallest"], compressions["no takeover"])
		e.Peer = []face.Extension{&o.Compression}
	}
	if p.rng.IntN(2) == 0 {
		o.Keepalive.Interval, o.Keepalive.Timeout = p.interval(), -1
	}
}

// enough is as long as a busy machine takes, with sockets, for all of a play.
const enough = time.Minute

// closeTimeout returns how long closing may take.
func (p *play) closeTimeout() time.Duration {
	if !p.virtual {
		return enough
	}
	return 300 * time.Millisecond
}

// interval returns how often there is to be a ping.
func (p *play) interval() time.Duration {
	if !p.virtual {
		return time.Millisecond
	}
	return oneOf(p.rng, 300*time.Millisecond, 20*time.Millisecond)
}

func oneOf[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

// modelOptions tells what was chosen.
func modelOptions(o *Options) string {
	return fmt.Sprintf("hold %v, queue %d %d, fragments %d, message %d %v, deflate %+v, keepalive %v",
		o.Hold, o.MaxQueue, o.MaxQueueBytes, o.MaxFragmentSize, o.MaxMessageSize, o.MessageTimeout, o.Compression, o.Keepalive.Interval)
}

// run does so many steps, and ends the connection.
func (p *play) run(steps int) {
	if !p.virtual {
		hang := time.AfterFunc(enough, p.peer.leave) // for what hangs to end
		defer func() { p.expect(!hang.Stop(), "it hung") }()
	}
	for range steps {
		p.step()
	}
	p.finish()
}

// step does something at random.
func (p *play) step() {
	switch n := p.rng.IntN(32); {
	case n < 10:
		p.feed()
	case n < 20:
		p.receive()
	case n < 26:
		p.send()
	case n < 28:
		p.control()
	case n < 29:
		p.change()
	case n < 31:
		p.scene()
	default:
		p.pause()
	}
	p.settle()
}

// feed has the peer send a piece of the stream.
func (p *play) feed() {
	if piece := p.stream.cut(); len(piece) > 0 {
		p.note("the peer sends %d bytes, up to %d", len(piece), p.stream.sent())
		p.peer.send(piece)
	}
}

// change changes what may be changed at any time.
func (p *play) change() {
	switch p.rng.IntN(8) {
	case 0: // seldom: the short ways are for what the options say
		limit := int64(256<<10 + p.rng.IntN(2)*p.rng.IntN(1<<20))
		p.note("messages may have %d bytes", limit)
		p.conn.SetMaxMessageSize(limit)
		p.inbox.limit = limit
	case 1:
		if config := p.opts.Keepalive; config.Interval != noPings {
			config.Interval = p.interval()
			p.note("pings every %v", config.Interval)
			p.conn.SetKeepalive(config)
		}
	case 2, 3, 4:
		p.hear(!p.virtual || p.rng.IntN(2) == 0)
	}
}

// hear has the peer read, or not.
func (p *play) hear(on bool) {
	if p.deaf == !on {
		return
	}
	p.deaf, p.wasDeaf = !on, true
	p.note("the peer is deaf: %v", p.deaf)
	p.peer.setDeaf(p.deaf)
}

// pause lets time pass; or, where it is the system's, has something come or not.
func (p *play) pause() {
	if p.virtual {
		d := oneOf(p.rng, time.Millisecond, 10*time.Millisecond, 60*time.Millisecond, 400*time.Millisecond)
		p.note("pause of %v", d)
		time.Sleep(d)
		return
	}
	p.note("pause")
	for range 1 + p.rng.IntN(4) {
		select {
		case <-p.peer.news:
		case <-time.After(2 * time.Millisecond):
		}
		p.listen()
	}
}

// settle looks at what has happened. In virtual time that is all that can happen.
func (p *play) settle() {
	if p.virtual {
		synctest.Wait()
	}
	patient := !p.virtual && p.rng.IntN(4) > 0
	p.sender.settle(patient && !p.receiver.busy)
	certain := p.keepsAll() && p.inbox.certain(p.stream)
	p.receiver.settle(patient && certain)
	p.controller.settle(patient)
	p.closer.settle(false)
	p.expect(p.virtual && p.receiver.busy && certain, "a message that has arrived was not received")
	if p.deaf || p.sender.busy || p.controller.busy {
		p.wrote = time.Now() // what is owed meanwhile may be written a little later
	}
	before := p.stream.sent()
	p.listen()
	if p.stream.sent() == before { // else more is under way
		p.lookAtRest()
	}
}

// listen looks at what the peer has read, and has it answer.
func (p *play) listen() {
	frames := p.peer.takeFrames()
	for i := range frames {
		f := &frames[i]
		p.note("the peer gets %v %v of %d bytes", f.Opcode, f.Fin, len(f.payload))
		if f.Opcode == protocol.OpPong && p.stream.answered(f.payload) {
			continue
		}
		p.check(p.record.look(f))
		switch f.Opcode {
		case protocol.OpPing:
			p.answer(f.payload)
		case protocol.OpClose:
			p.answerClose()
		}
	}
	p.check(p.record.compare(false, false))
}

// maxHold is how long at most anything is held.
const maxHold = 5 * time.Millisecond

// lookAtRest looks at a connection whose application waits for a message, and has nothing
// else to do: then nothing is held any more, or owed.
func (p *play) lookAtRest() {
	if !p.virtual || p.finale != nil || !p.receiver.busy || p.inbox.many || time.Since(p.wrote) <= maxHold {
		return
	}
	p.expect(len(p.record.expected) > 0, "%d messages are held, and the application waits", len(p.record.expected))
	p.expect(p.stream.owed(), "a ping was not answered, and the application waits")
}

// answer has the peer send a pong for most pings, now and then by itself.
func (p *play) answer(ping string) {
	if p.stream.ended || p.rng.IntN(8) == 0 {
		return
	}
	p.stream.pongs++
	if pong, ok := p.stream.between(protocol.OpPong, []byte(ping)); ok {
		p.note("... and answers at once")
		p.peer.send(pong)
		return
	}
	p.stream.frame(protocol.OpPong, true, 0, []byte(ping))
	p.stream.pongEnd = p.stream.made
}

func (p *play) note(format string, args ...any) {
	p.trace = append(p.trace, fmt.Sprintf(format, args...))
}

// expect fails the test if something is wrong.
func (p *play) expect(wrong bool, format string, args ...any) {
	p.t.Helper()
	if wrong {
		p.fail(format, args...)
	}
}

func (p *play) check(err error) {
	p.t.Helper()
	if err != nil {
		p.fail("%v", err)
	}
}

// fail fails the test and tells how it came to that.
func (p *play) fail(format string, args ...any) {
	p.t.Helper()
	first := p.trace[0]
	p.t.Fatalf("%s\n%s\n...\n%s", fmt.Sprintf(format, args...), first, strings.Join(p.trace[max(1, len(p.trace)-40):], "\n"))
}
