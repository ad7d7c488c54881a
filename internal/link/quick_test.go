package link

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/tandemws/tandem/protocol"
)

// sendLong is SendWith without the quick way.
func sendLong(c *Conn, l *Limit, m protocol.Message) error {
	if m.Type == protocol.Text && !utf8.Valid(m.Data) {
		return protocol.ErrInvalidText
	}
	c.lock()
	defer c.unlock()
	done, err := c.beginSend(l, m, protocol.CompressAuto)
	if !done && err == nil {
		err = c.sendMessage(m.Type, m.Data)
		c.endSend()
	}
	return err
}

// TestQuick has two connections do the same at random, with Sends that may go
// the quick way and with such that may not: each step has the same outcome, and
// the same bytes have arrived at the peer after it.
func TestQuick(t *testing.T) { sameTranscripts(t, (*Conn).Send, sendLong) }

// receiveLong is receive without the quick way.
func receiveLong(c *Conn, l *Limit, dst []byte, how receiveKind) (typ protocol.MessageType, data []byte, err error) {
	c.lock()
	defer c.unlock()
	if err = c.beginReceive(l, how); err != nil {
		return 0, dst, err
	}
	defer c.endReceive()
	c.leaveStream()
	c.dst = dst
	if err = c.nextMessage(); err != nil {
		return 0, dst, err
	}
	if how == receivingMessage && !c.event.Owned {
		c.makeMemory(len(c.event.Data))
	}
	return c.event.Type, c.place(), nil
}

// TestReceiveQuickly is TestQuick with messages that may be received the quick way,
// and with such that may not.
func TestReceiveQuickly(t *testing.T) {
	for seed := range uint64(200) {
		opening := func(receive receiveCall) func(*testing.T, *script) {
			return func(t *testing.T, s *script) {
				s.receive, s.talkative = receive, true
				opens((*Conn).Send)(t, s)
			}
		}
		expectSame(t, seed, transcript(t, seed, opening((*Conn).receive)), transcript(t, seed, opening(receiveLong)))
	}
}

// TestReceivedStays: a message is the receiver's, and stays as it is when the next ones
// come, whichever way it was received.
func TestReceivedStays(t *testing.T) {
	for name, limit := range map[string]*Limit{"quick": nil, "long": {Deadline: time.Unix(1<<40, 0)}} {
		inBothRoles(t, name, func(t *testing.T, role protocol.Role) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := open(t, Options{Role: role})
				var got []string
				var kept []protocol.Message
				for _, text := range []string{"first", "other", "third"} {
					peer.Write(frameTo(c, protocol.OpText, text))
					m, err := c.Receive(limit)
					if err != nil {
						t.Fatal(err)
					}
					got, kept = append(got, string(m.Data)), append(kept, m)
				}
				for i, m := range kept {
					if string(m.Data) != got[i] {
						t.Errorf("%q has become %q", got[i], m.Data)
					}
				}
			})
		})
	}
}

// TestBatch is TestQuick with requests that come together, and are received and answered
// one by one; now and then something else comes between.
func TestBatch(t *testing.T) {
	quick, long := sendOrPost((*Conn).Send, postQuickly), sendOrPost(sendLong, postLong)
	for seed := range uint64(120) {
		opening := func(send sendCall, receive receiveCall) func(*testing.T, *script) {
			return func(t *testing.T, s *script) {
				s.together = true
				opens(send)(t, s)
				s.receive = receive
			}
		}
		expectSame(t, seed, transcript(t, seed, opening(quick, (*Conn).receive)), transcript(t, seed, opening(long, receiveLong)))
	}
}

// sendOrPost sends most messages, and posts some.
func sendOrPost(send, post sendCall) sendCall {
	return func(c *Conn, l *Limit, m protocol.Message) error {
		if len(m.Data) == 126 {
			return post(c, l, m)
		}
		return send(c, l, m)
	}
}

// TestPostQuickly is TestQuick with messages that are posted.
func TestPostQuickly(t *testing.T) { sameTranscripts(t, postQuickly, postLong) }

func postQuickly(c *Conn, _ *Limit, m protocol.Message) error {
	return postAnyway(c, m, func(p *Prepared, d *delivery) (posted, error) {
		if done, err := c.postQuickly(newOneShot(p), d); done {
			return postedSent, err
		}
		return c.post(d, false)
	})
}

func postLong(c *Conn, _ *Limit, m protocol.Message) error {
	return postAnyway(c, m, func(_ *Prepared, d *delivery) (posted, error) { return c.post(d, false) })
}

func postAnyway(c *Conn, m protocol.Message, post func(*Prepared, *delivery) (posted, error)) error {
	if len(m.Data)%2 == 1 {
		m.Data = append(m.Data, "more than there is room for"...) // if it had just fitted
	}
	p, err := Prepare(m, protocol.CompressAuto)
	if err != nil {
		return err
	}
	what, err := post(p, &delivery{shipment: shipment{prepared: p}, bounds: Backlog{Messages: 2, Bytes: -1}})
	if err == nil && what == postedNoRoom {
		err = ErrTooSlow
	}
	return err
}

func sameTranscripts(t *testing.T, short, long func(*Conn, *Limit, protocol.Message) error) {
	for seed := range uint64(150) {
		expectSame(t, seed, transcript(t, seed, opens(short)), transcript(t, seed, opens(long)))
	}
}

func expectSame(t *testing.T, seed uint64, a, b []string) {
	t.Helper()
	for i := range b {
		if i >= len(a) || a[i] != b[i] {
			t.Fatalf("seed %d, step %d:\n%s\none way, and the other\n%s", seed, i, a[min(i, len(a)-1)], b[i])
		}
	}
}

// opens returns what opens the connection of a script that sends in this way.
func opens(send func(*Conn, *Limit, protocol.Message) error) func(*testing.T, *script) {
	return func(t *testing.T, s *script) {
		opts := Options{Role: s.role, MaxFragmentSize: []int{20000, 3000}[s.r.IntN(2)], MaxQueue: 4}
		if s.talkative {
			opts.MessageTimeout = []time.Duration{0, time.Second + 3*time.Microsecond}[s.r.IntN(2)]
			opts.FirstMessage = []time.Duration{0, 2*time.Second + 5*time.Microsecond}[s.r.IntN(2)]
			opts.MaxControlFrames = []int{0, 10}[s.r.IntN(2)]
		}
		if s.together {
			opts.Hold = []time.Duration{0, -1}[s.r.IntN(2)]
		}
		var extensions []protocol.Extension
		if s.r.IntN(2) == 0 {
			extensions = []protocol.Extension{deflates(t, []int{64, 6000}[s.r.IntN(2)])}
		}
		s.c, s.peer = open(t, opts, extensions...)
		s.send = send
	}
}

// transcript does what the seed says and tells what came of it.
func transcript(t *testing.T, seed uint64, opening func(*testing.T, *script)) (text []string) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := script{r: r, role: roleOf(seed), receive: (*Conn).receive}
		opening(t, &s)
		s.deaf = r.IntN(2) == 0
		for range 60 {
			if !s.together || s.crowded() || r.IntN(12) == 0 {
				s.step()
			} else {
				s.batch()
			}
		}
		s.deaf = false
		s.listen()
		text = s.text
	})
	return text
}

// roleOf has every other connection be a client's.
func roleOf(seed uint64) protocol.Role {
	return []protocol.Role{protocol.Server, protocol.Client}[seed%2]
}

// deflates returns a server's permessage-deflate with context takeover, which
// leaves messages below the threshold alone.
func deflates(t *testing.T, threshold int) protocol.Extension {
	d := (&protocol.Deflate{Threshold: threshold}).WithDefaults()
	_, ext, err := d.ProcessRequestParams(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ext
}

// sendCall is what (*Conn).Send is.
type sendCall = func(c *Conn, l *Limit, m protocol.Message) error

// receiveCall is what (*Conn).receive is.
type receiveCall func(c *Conn, l *Limit, dst []byte, how receiveKind) (protocol.MessageType, []byte, error)

// A script is one run of TestQuick.
type script struct {
	r    *rand.Rand
	role protocol.Role
	c    *Conn
	send func(*Conn, *Limit, protocol.Message) error
	peer net.Conn
	deaf bool // the peer reads now and then only

	closing bool // we are: whether a pong leaves if a violation follows the ping is chance

	receive   receiveCall
	talkative bool // the peer sends more, and we receive more
	together  bool // the peer's messages come together
	unread    int  // of those
	calls     int
	buf       [2 * pipeBuffer]byte
	came      []byte // of a frame that the peer has read in part

	mu      sync.Mutex // guards what follows
	waiting int        // calls
	ended   int        // in this step
	text    []string
	news    []string // of this step; calls that end in the same one do in any order
}

func (s *script) tell(waiting int, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting += waiting
	if waiting < 0 {
		s.ended++
	}
	s.news = append(s.news, fmt.Sprintf(format, args...))
}

// settle ends a step. When two calls have ended in it, what the later one leaves to
// be written may have been taken along by the other, or be held yet: it is not any
// more then.
func (s *script) settle() {
	synctest.Wait()
	if s.bothEnded() {
		time.Sleep(2 * DefaultHold)
		synctest.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = 0
	slices.Sort(s.news)
	s.text = append(s.text, fmt.Sprintf("%s\n%d bytes are written", strings.Join(s.news, "\n"), s.written()))
	s.news = nil
}

func (s *script) bothEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended == 2
}

// step does something at random. Nothing happens at the same time as anything
// else: what waits is waiting when the next step begins. No more than two calls
// wait, for of many it is chance which of them comes first.
func (s *script) step() {
	limit := After(time.Duration(s.r.IntN(4))*time.Second/2 + time.Duration(s.calls)*13*time.Microsecond) // no two at once
	if !s.deaf && s.r.IntN(2) == 0 {
		limit = nil
	}
	m := protocol.Message{Type: protocol.Binary, Data: bytes.Repeat([]byte{byte(s.calls)}, []int{0, 1, 100, 126, 5000, 16384, 16385, 20001, 50000}[s.r.IntN(9)])}
	if s.r.IntN(4) == 0 {
		m.Type = protocol.MessageType(s.r.IntN(4)) // not all of them are types, nor is all of it text
	}
	if size := s.room() - s.overhead(); s.deaf && size >= 126 && size <= copyLimit {
		m = protocol.Message{Type: protocol.Binary, Data: make([]byte, size)} // it fits, and nothing more does
	}
	kind := s.r.IntN(12)
	if s.talkative && s.r.IntN(2) == 0 {
		kind = 8 + s.r.IntN(2)
	}
	if s.crowded() && kind < 9 {
		kind = 10
	}
	if s.talkative && !s.crowded() && s.r.IntN(8) == 0 {
		s.seldom(limit)
		return
	}
	switch kind {
	case 0, 1, 2, 3, 4:
		s.call("send", func() error { return s.send(s.c, limit, m) })
	case 5:
		s.call("flush", func() error { return s.c.Flush(limit) })
	case 6:
		s.write(limit, m)
	case 7:
		s.call("pong", func() error { return s.c.Pong(limit, []byte("pong")) })
	case 8:
		s.receiveOne()
	case 9:
		frames := s.frames()
		s.call("peer", func() error { _, err := s.peer.Write(frames); return err })
	case 10:
		time.Sleep([]time.Duration{time.Millisecond, 60 * time.Millisecond, 2 * time.Second}[s.r.IntN(3)])
		s.settle()
	case 11:
		s.read(1 + s.r.IntN(len(s.buf)))
	}
	if !s.deaf {
		s.listen()
	}
}

// batch has simple messages come together, or takes one of them, or answers.
func (s *script) batch() {
	payload := func() []byte {
		return bytes.Repeat([]byte{byte('a' + s.r.IntN(20))}, []int{0, 1, 125, 126, 3000, 5000, 16384}[s.r.IntN(7)])
	}
	switch {
	case s.unread == 0:
		s.unread = 1 + s.r.IntN(5)
		var frames []byte
		for range s.unread {
			frames = append(frames, s.frame([]protocol.Opcode{protocol.OpText, protocol.OpBinary}[s.r.IntN(2)], payload())...)
		}
		s.call("peer", func() error { _, err := s.peer.Write(frames); return err })
	case s.r.IntN(2) == 0:
		s.unread--
		dst, how := []byte(nil), receivingMessage
		if s.r.IntN(2) == 0 {
			dst, how = make([]byte, 0, []int{0, 3000, blockSize}[s.r.IntN(3)]), receivingInto
		}
		s.call("receive", func() error {
			typ, data, err := s.receive(s.c, nil, dst, how)
			return fmt.Errorf("%v, %d bytes, %08x: %v", typ, len(data), crc32.ChecksumIEEE(data), err)
		})
	default:
		m := protocol.Message{Type: protocol.Binary, Data: payload()}
		s.call("send", func() error { return s.send(s.c, nil, m) })
	}
	if !s.deaf {
		s.listen()
	}
}

// write sends a message with a writer.
func (s *script) write(limit *Limit, m protocol.Message) {
	s.call("write", func() error {
		w, err := s.c.SendWriter(limit, protocol.Binary, protocol.CompressAuto)
		if err == nil {
			_, err = w.Write(m.Data)
		}
		if err == nil {
			err = w.Close()
		}
		return err
	})
}

// seldom does what changes how messages are received.
func (s *script) seldom(limit *Limit) {
	n := s.r.IntN(4000)
	switch s.r.IntN(20) {
	case 0:
		s.closing = true
		s.call("close", func() error { return s.c.Close(After(3*time.Second+7*time.Microsecond), protocol.NormalClosure, "bye") })
	case 1:
		s.call("peer", func() error { _, err := s.peer.Write(s.frame(protocol.OpClose, []byte{3, 0xe8})); return err })
	case 2, 3, 4, 5, 6, 7:
		s.call("bound", func() error { s.c.SetMaxMessageSize([]int64{100, 2000, 1 << 20, -1}[n%4]); return nil })
	case 8, 9, 10, 11, 12:
		s.call("ping", func() error { _, err := s.c.Ping(limit, fmt.Append(nil, n)); return err })
	default:
		s.call("receive in pieces", func() error {
			_, r, err := s.c.ReceiveReader(After(time.Second))
			if err == nil {
				var data []byte
				data, err = io.ReadAll(io.LimitReader(r, int64(n)))
				err = fmt.Errorf("%d bytes, %08x: %v", len(data), crc32.ChecksumIEEE(data), err)
			}
			return err
		})
	}
}

// receiveOne receives within a second, which a deadline or a context may bound, or
// without a bound.
func (s *script) receiveOne() {
	dst, how := []byte(nil), receivingMessage
	if s.r.IntN(2) == 0 {
		room := 0
		if s.talkative {
			room = []int{0, 3000, blockSize}[s.r.IntN(3)] // what is read directly is as much as else
		}
		dst, how = append(make([]byte, 0, len("before ")+room), "before "...), receivingInto
	}
	kind := 0
	if s.talkative {
		kind = s.r.IntN(4)
	}
	s.call("receive", func() error {
		limit := After(time.Second)
		switch kind {
		case 1, 2:
			limit = nil
		case 3:
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			limit = &Limit{Context: ctx}
		}
		typ, data, err := s.receive(s.c, limit, dst, how)
		return fmt.Errorf("%v, %d bytes, %08x, nil: %t: %v", typ, len(data), crc32.ChecksumIEEE(data), data == nil, err)
	})
}

// frames are some that the peer sends.
func (s *script) frames() (frames []byte) {
	sizes := []int{1}
	if s.talkative && s.r.IntN(4) == 0 {
		return s.frame(protocol.OpBinary, bytes.Repeat([]byte{byte('a' + s.r.IntN(20))}, 9000))
	}
	if s.talkative {
		sizes = []int{0, 1, 2, 125, 126, 3000}
	}
	for range 1 + s.r.IntN(5) {
		payload := bytes.Repeat([]byte{byte('a' + s.r.IntN(20))}, sizes[s.r.IntN(len(sizes))])
		op := []protocol.Opcode{protocol.OpText, protocol.OpBinary, protocol.OpPing}[s.r.IntN(3)]
		if s.closing && op == protocol.OpPing {
			op = protocol.OpBinary
		}
		if op == protocol.OpPing {
			payload = payload[:min(len(payload), protocol.MaxControlPayload)]
		} else if s.r.IntN(200) == 0 {
			payload = []byte("no text\xff")
		} else if s.talkative && s.r.IntN(6) == 0 && !s.closing {
			begun := s.frame(protocol.OpBinary, payload)
			begun[0] &^= 0x80 // and not ended
			frames = append(append(frames, begun...), s.frame(protocol.OpPing, []byte("between"))...)
			op = protocol.OpContinuation
		}
		frames = append(frames, s.frame(op, payload)...)
	}
	return frames[:max(0, len(frames)-s.r.IntN(2)*s.r.IntN(2)*s.r.IntN(len(sizes)))] // which breaks all that follows
}

// frame returns one as the peer sends it.
func (s *script) frame(op protocol.Opcode, payload []byte) []byte {
	return frameTo(s.c, op, string(payload))
}

// overhead is the size in bytes of the header of a message of 126 bytes to 64 KiB.
func (s *script) overhead() int {
	if s.role == protocol.Client {
		return 8
	}
	return 4
}

// written is what keepalive knows to be on its way. It does not give the connection
// a desk.
func (s *script) written() int64 {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.c.desk == nil {
		return s.c.taken
	}
	return s.c.written()
}

func (s *script) crowded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting == 2
}

// room is how many bytes the network takes now.
func (s *script) room() int {
	way := &s.peer.(*pipeEnd).in
	way.pipe.mu.Lock()
	defer way.pipe.mu.Unlock()
	return 2*pipeBuffer - len(way.sending) - len(way.received)
}

// call makes a call that may wait.
func (s *script) call(name string, f func() error) {
	s.calls++
	n := s.calls
	s.tell(1, "%s %d", name, n)
	go func() {
		err := f()
		s.tell(-1, "%s %d: %v", name, n, err)
	}()
	s.settle()
}

// listen has the peer read all that has arrived.
func (s *script) listen() {
	for s.read(len(s.buf)) {
	}
}

func (s *script) read(most int) (more bool) {
	s.peer.SetReadDeadline(time.Now().Add(1))
	n, err := s.peer.Read(s.buf[:most])
	s.came = append(s.came, s.buf[:n]...)
	plain, whole := unmasked(s.came)
	s.came = s.came[whole:]
	s.tell(0, "%d bytes %08x: %v", n, crc32.ChecksumIEEE(plain), err)
	s.settle()
	return err == nil
}
