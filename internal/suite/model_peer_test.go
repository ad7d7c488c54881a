package suite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// A modelPeer is the peer of a [play]. It writes in its own time, and reads if it is not
// deaf; what it has read waits to be looked at.
type modelPeer struct {
	*Raw
	all sync.WaitGroup // its goroutines, which end when it is stopped

	mu      sync.Mutex
	changed sync.Cond
	writes  []func() // to come
	deaf    bool
	stopped bool
	frames  []modelFrame // that were read
	news    chan struct{}
}

// A modelFrame is one that was read.
type modelFrame struct {
	protocol.Header
	payload string
}

func newModelPeer(t *testing.T, raw *Raw) *modelPeer {
	p := &modelPeer{Raw: raw, news: make(chan struct{}, 1)}
	p.changed.L = &p.mu
	p.all.Go(p.write)
	p.all.Go(p.read)
	t.Cleanup(p.stop)
	return p
}

func (p *modelPeer) stop() {
	p.leave()
	p.all.Wait()
}

// leave ends the transport, and what it does.
func (p *modelPeer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped, p.deaf = true, false
	p.changed.Broadcast()
	p.Close()
}

// later has something done behind what is to be written.
func (p *modelPeer) later(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes = append(p.writes, f)
	p.changed.Broadcast()
}

// send writes a piece of the stream, as a peer does whose connection may be over.
func (p *modelPeer) send(piece []byte) { p.later(func() { p.Write(piece) }) }

// closeWrite ends the peer's direction.
func (p *modelPeer) closeWrite() {
	p.later(func() { p.Conn.(interface{ CloseWrite() error }).CloseWrite() })
}

func (p *modelPeer) write() {
	for {
		f := p.nextWrite()
		if f == nil {
			return
		}
		f()
	}
}

func (p *modelPeer) nextWrite() (f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.writes) == 0 && !p.stopped {
		p.changed.Wait()
	}
	if p.stopped {
		return nil
	}
	f, p.writes = p.writes[0], p.writes[1:]
	return f
}

// setDeaf has the peer read no more, or again.
func (p *modelPeer) setDeaf(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = deaf
	p.changed.Broadcast()
}

func (p *modelPeer) read() {
	for {
		p.awaitHearing()
		h, payload, err := p.Next()
		if p.heard(modelFrame{h, payload}, err); err != nil {
			p.leave()
			return
		}
	}
}

func (p *modelPeer) awaitHearing() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.deaf {
		p.changed.Wait()
	}
}

func (p *modelPeer) heard(frame modelFrame, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.frames = append(p.frames, frame)
	}
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// takeFrames returns what was read since the last call.
func (p *modelPeer) takeFrames() (frames []modelFrame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	frames, p.frames = p.frames, nil
	return frames
}

// A record is what the peer has been told, and what it was to be told.
type record struct {
	role    protocol.Role      // of who told it
	deflate protocol.Extension // nil: nothing is compressed
	opts    *Options

	expected []outgoing         // of calls that have returned, and did not come yet
	came     []protocol.Message // that were not expected yet
	open     bool               // a message has begun
	changed  bool               // ... and is compressed
	message  protocol.Message   // ... as far as it has come
	pings    controls           // of the application's
	pongs    controls           // that the application sends of itself
	close    *protocol.Close
	pinged   uint64 // pings that have come
}

// An outgoing message is to come, or may come.
type outgoing struct {
	protocol.Message
	maybe bool // its call has failed
	lossy bool // the end may overtake it
}

// look looks at a frame that has come. It is no pong that answers one of the peer's pings.
func (r *record) look(f *modelFrame) error {
	switch {
	case r.close != nil:
		return errors.New("a frame behind the close frame")
	case f.Masked != (r.role == protocol.Client):
		return fmt.Errorf("masked: %v", f.Masked)
	case f.Opcode == protocol.OpPing:
		r.pinged++
		return r.lookAtControl(&r.pings, "ping ", f)
	case f.Opcode == protocol.OpPong:
		return r.lookAtControl(&r.pongs, "pong ", f)
	case f.Opcode == protocol.OpClose:
		return r.lookAtClose(f)
	}
	return r.lookAtData(f)
}

// lookAtControl looks at a control frame, which is the next one of the application's if it
// begins like those.
func (r *record) lookAtControl(expected *controls, prefix string, f *modelFrame) error {
	switch {
	case len(f.payload) < len(prefix) || f.payload[:len(prefix)] != prefix:
		if f.Opcode == protocol.OpPong && len(f.payload) > 0 || r.opts.Keepalive.Interval == noPings {
			return fmt.Errorf("a strange %v %q", f.Opcode, f.payload)
		}
	case !expected.take(f.payload):
		return fmt.Errorf("%v %q, expected were %q", f.Opcode, f.payload, expected.due)
	}
	return nil
}

// controls are pings or pongs that did not come yet.
type controls struct {
	due      []string
	doubtful string // the last one, if its call has failed
}

// take takes the first one, which has this payload; or one that is the first but for a
// doubtful one.
func (c *controls) take(payload string) (ok bool) {
	if len(c.due) > 0 && c.due[0] == c.doubtful && payload != c.doubtful {
		c.due = c.due[1:]
	}
	if ok = len(c.due) > 0 && c.due[0] == payload; ok {
		c.due = c.due[1:]
	}
	return ok
}

// doubt has the last one not missed if it does not come.
func (c *controls) doubt(payload string) { c.doubtful = payload }

// missing reports that one did not come.
func (c *controls) missing() bool { return len(c.due) > 0 && c.due[0] != c.doubtful }

func (r *record) lookAtClose(f *modelFrame) error {
	r.close = &protocol.Close{Code: protocol.NoStatusReceived}
	if len(f.payload) >= 2 {
		r.close.Code = protocol.CloseCode(binary.BigEndian.Uint16([]byte(f.payload)))
		r.close.Reason = f.payload[2:]
	}
	return nil
}

func (r *record) lookAtData(f *modelFrame) error {
	switch {
	case (f.Opcode == protocol.OpContinuation) != r.open:
		return fmt.Errorf("%v frame, and a message has begun: %v", f.Opcode, r.open)
	case f.RSV&^protocol.RSV1 != 0 || f.RSV != 0 && (r.open || r.deflate == nil):
		return fmt.Errorf("reserved bits %v", f.RSV)
	case !r.open:
		r.message = protocol.Message{Type: protocol.MessageType(f.Opcode)}
		r.open, r.changed = true, f.RSV != 0
	}
	if err := r.lookAtPayload(f); err != nil || !f.Fin {
		return err
	}
	r.open = false
	r.came = append(r.came, r.message)
	return nil
}

func (r *record) lookAtPayload(f *modelFrame) (err error) {
	if r.changed {
		r.message.Data, err = r.deflate.Decode(r.message.Data, []byte(f.payload), f.Fin, math.MaxInt32)
		return err
	}
	r.message.Data = append(r.message.Data, f.payload...)
	return nil
}

// compare compares what has come with what was to come. Only when nothing more is under
// way is it told what had to come and what had not.
func (r *record) compare(over, lost bool) error {
	for len(r.expected) > 0 && len(r.came) > 0 {
		want, got := &r.expected[0], &r.came[0]
		switch same := want.Type == got.Type && string(want.Data) == string(got.Data); {
		case same:
			r.came = r.came[1:]
		case !want.maybe && !(want.lossy && over):
			return fmt.Errorf("the peer got %v, expected was %v", describe(*got), describe(want.Message))
		}
		r.expected = r.expected[1:]
	}
	switch {
	case !over:
		return nil
	case len(r.came) > 0:
		return fmt.Errorf("the peer got %v, which nobody has sent", describe(r.came[0]))
	}
	for _, want := range r.expected {
		if !lost && !want.maybe && !want.lossy {
			return fmt.Errorf("the peer did not get %v", describe(want.Message))
		}
	}
	return nil
}

func describe(m protocol.Message) string {
	return fmt.Sprintf("%v of %d bytes, %.16q", m.Type, len(m.Data), m.Data)
}

// socketPair returns both ends of a connection of the system's.
func socketPair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	ours, err = net.Dial("tcp", l.Addr().String())
	ok(t, err)
	theirs, err = l.Accept()
	ok(t, err)
	return ours, theirs
}
