package link

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestReceiveDirectly has the same come behind a large message to a connection that
// reads it to where the receiver wants it, in front of that or not, and to one that may
// not; through the Pipe and through a socket.
func TestReceiveDirectly(t *testing.T) {
	const size = 9000
	for _, test := range []struct {
		name string
		role protocol.Role
		room int // of the receiver
	}{
		{"behind the header", protocol.Server, size + 1000},
		{"header apart", protocol.Server, size},
		{"header apart, not masked", protocol.Client, size},
		{"header apart, not masked, and more room", protocol.Client, size + 1000},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, pieces := range comesBehind(test.role, size, test.room) {
				way := directWay{test.role, test.room, frameFor(test.role, protocol.OpBinary, pattern(size)), pieces, nil}
				direct, long := way.received(t, (*Conn).receive, true), way.received(t, receiveLong, true)
				if direct != long {
					t.Errorf("%s: directly\n%sand else\n%s", name, direct, long)
				}
				if socket := way.received(t, (*Conn).receive, false); socket != long {
					t.Errorf("%s: through a socket\n%sand else\n%s", name, socket, long)
				}
			}
		})
	}
}

// comesBehind returns what may come behind a message of this size, in pieces.
func comesBehind(role protocol.Role, size, room int) map[string][][]byte {
	frame := func(op protocol.Opcode, payload []byte) []byte { return frameFor(role, op, payload) }
	large, text := frame(protocol.OpBinary, pattern(size)), frame(protocol.OpText, bytes.Repeat([]byte("größe "), 1200))
	other, ping := frame(protocol.OpBinary, pattern(2500)), frame(protocol.OpPing, pattern(4))
	header := len(large) - size
	return map[string][][]byte{
		"one like it":                      {large},
		"a small one":                      {frame(protocol.OpBinary, pattern(1))},
		"an empty one":                     {frame(protocol.OpBinary, nil)},
		"one that just fits":               {frame(protocol.OpBinary, pattern(room))},
		"one that just fits, with it":      {frame(protocol.OpBinary, pattern(room-header))},
		"one that does not, with it":       {frame(protocol.OpBinary, pattern(room-header+1))},
		"one that does not":                {frame(protocol.OpBinary, pattern(room+1))},
		"a large one":                      {frame(protocol.OpBinary, pattern(60_000))},
		"a very large one":                 {frame(protocol.OpBinary, pattern(200_000))},
		"one in pieces":                    {large[:3], large[3:6000], large[6000:]},
		"the header of one":                {large[:header], large[header:]},
		"and one byte":                     {large[:header+1], large[header+1:]},
		"all but one byte":                 {large[:len(large)-1], large[len(large)-1:]},
		"a piece, and another one with it": {large[:6000], slices.Concat(large[6000:], other)},
		"text":                             {text},
		"text in pieces":                   {text[:6000], text[6000:]},
		"no text":                          {frame(protocol.OpText, append(pattern(size), 0xff))},
		"no text in pieces":                {frame(protocol.OpText, append(pattern(size), 0xff))[:6000], frame(protocol.OpText, append(pattern(size), 0xff))[6000:]},
		"two":                              {slices.Concat(other, other)},
		"another one behind it":            {slices.Concat(large, other[:7]), other[7:]},
		"a ping behind it":                 {slices.Concat(large, ping)},
		"a ping before it":                 {slices.Concat(ping, large)},
		"fragments":                        {slices.Concat([]byte{large[0] & 0x7f}, large[1:], []byte{0x80}, large[1:])},
		"a reserved bit":                   {slices.Concat([]byte{large[0] | 0x40}, large[1:])},
		"a reserved bit in pieces":         {slices.Concat([]byte{large[0] | 0x40}, large[1:5000]), large[5000:]},
		"the closing handshake behind it":  {slices.Concat(large, frame(protocol.OpClose, nil))},
		"the closing handshake":            {frame(protocol.OpClose, nil)},
		"a part of one, and then the end":  {large[:8500]},
		"one like it, and one like that":   {large, large},
		"in pieces, and one like that":     {large[:4000], large[4000:], large},
		"a small one, and then a large":    {other[:0], ping, large},
		"one like it, text, one like that": {large, text, large},
	}
}

// TestOthersWhileReadingDirectly has something else happen while a receiver waits so, or
// has received a part: the connection goes on as it would if it had read to a block.
func TestOthersWhileReadingDirectly(t *testing.T) {
	const size = 9000
	for name, meanwhile := range map[string]func(c *Conn, there net.Conn){
		"a small message is sent": func(c *Conn, _ net.Conn) { c.Send(nil, protocol.TextMessage("small")) },
		"a large message is sent": func(c *Conn, _ net.Conn) { c.Send(nil, protocol.BinaryMessage(pattern(100_000))) },
		"a message is sent in parts": func(c *Conn, _ net.Conn) {
			if w, err := c.SendWriter(nil, protocol.Text, protocol.CompressAuto); err == nil {
				w.Write([]byte("a part"))
				w.Close()
			}
		},
		"a ping":           func(c *Conn, _ net.Conn) { c.Ping(nil, nil) },
		"keepalive's ping": func(c *Conn, _ net.Conn) { c.Tick(time.Now().Add(time.Hour)) },
		"keepalive's ping and its pong": func(c *Conn, there net.Conn) {
			c.Tick(time.Now().Add(time.Hour))
			var payload [protocol.PingSize]byte
			underLock(c, func() { payload = calmPayload(c.keeper.lastTook) })
			there.Write(frameFor(c.opts.Role, protocol.OpPong, payload[:]))
		},
		"another receive call": func(c *Conn, _ net.Conn) { c.Receive(After(time.Millisecond)) },
		"the reader is poked":  func(c *Conn, _ net.Conn) { underLock(c, c.pokeReader) },
		"room for more":        func(c *Conn, _ net.Conn) { c.SetMaxMessageSize(size) },
		"room for less":        func(c *Conn, _ net.Conn) { c.SetMaxMessageSize(size - 1) },
		"large messages are answers": func(c *Conn, _ net.Conn) {
			underLock(c, func() {
				c.setHeartbeat(&keepalive.Heartbeat{
					Message: func() []byte { return nil },
					Answer:  func(data []byte) bool { return len(data) == size },
				})
			})
		},
		"the peer is told":    func(c *Conn, _ net.Conn) { c.Close(After(0), protocol.NormalClosure, "") },
		"the connection ends": func(c *Conn, _ net.Conn) { c.Abort(ErrAborted) },
	} {
		inBothRoles(t, name, func(t *testing.T, role protocol.Role) {
			large := frameFor(role, protocol.OpBinary, pattern(size))
			for _, room := range []int{size, size + 1000} {
				for _, cut := range []int{0, 2, 5000} {
					pieces := [][]byte{large[:cut], large[cut:], frameFor(role, protocol.OpText, []byte("text")), large, large}
					way := directWay{role, room, large, pieces, meanwhile}
					direct, long := way.received(t, (*Conn).receive, true), way.received(t, receiveLong, true)
					if direct != long {
						t.Errorf("room for %d, cut at %d: directly\n%sand else\n%s", room, cut, direct, long)
					}
				}
			}
		})
	}
}

// TestReadDirectlyWithoutSpareBlock: who is told that there is something to read has no
// block at hand for the header, as when others have taken them all.
func TestReadDirectlyWithoutSpareBlock(t *testing.T) {
	takeAll := func(*Conn, net.Conn) {
		for i := range spares {
			spareBlock(&spares[i].Pointer)
		}
	}
	inBothRoles(t, "none", func(t *testing.T, role protocol.Role) {
		large := frameFor(role, protocol.OpBinary, pattern(9000))
		pieces := [][]byte{large, large[:5000], large[5000:], large, large, large, large, large}
		way := directWay{role, 9000, large, pieces, takeAll}
		socket, long := way.received(t, (*Conn).receive, false), way.received(t, receiveLong, true)
		if socket != long {
			t.Errorf("directly\n%sand else\n%s", socket, long)
		}
	})
}

// A directWay is what a connection receives: a large message, and what comes behind,
// before each piece of which something else may happen.
type directWay struct {
	role      protocol.Role
	room      int
	large     []byte
	pieces    [][]byte
	meanwhile func(c *Conn, there net.Conn)
}

// received tells what is received, through the Pipe or through a socket.
func (w *directWay) received(t *testing.T, receive receiveCall, pipe bool) (text string) {
	if !pipe {
		here, there := tcpPair(t)
		return w.receive(receive, here, there, func() {})
	}
	synctest.Test(t, func(t *testing.T) {
		here, there := NewPipe()
		text = w.receive(receive, here, there, synctest.Wait)
	})
	return text
}

func (w *directWay) receive(receive receiveCall, here, there net.Conn, wait func()) string {
	opts, c := Options{Role: w.role}, new(Conn)
	c.Init(here, nil, opts.WithDefaults())
	go io.Copy(io.Discard, there)
	var text strings.Builder
	more := func() bool {
		dst := append(make([]byte, 0, len("before ")+w.room), "before "...)
		typ, data, err := receive(c, nil, dst, receivingInto)
		fmt.Fprintf(&text, "%v, %d bytes, %08x: %v\n", typ, len(data), crc32.ChecksumIEEE(data), err)
		clear(dst[:cap(dst)]) // for that is the application's again
		return err == nil
	}
	there.Write(w.large)
	more()
	go func() {
		for _, piece := range w.pieces {
			wait()
			if w.meanwhile != nil {
				w.meanwhile(c, there)
				wait()
			}
			there.Write(piece)
		}
		wait()
		there.(interface{ CloseWrite() error }).CloseWrite()
	}()
	for more() {
	}
	there.Close()
	<-c.Done()
	return text.String()
}

// TestReadsDirectly is about the way that a message takes: to memory of the receiver's
// that has room for it, once it is known what comes.
func TestReadsDirectly(t *testing.T) {
	inBothRoles(t, "a large message, and others", func(t *testing.T, role protocol.Role) {
		synctest.Test(t, func(t *testing.T) {
			const fits = 9000
			frame := func(op protocol.Opcode, size int) []byte { return frameFor(role, op, pattern(size)) }
			large, small := frame(protocol.OpBinary, fits), frame(protocol.OpBinary, 1)
			text, pong := frame(protocol.OpText, fits), frame(protocol.OpPong, 0)
			fragments := slices.Concat(large, frame(protocol.OpContinuation, 0))
			fragments[0] &= 0x7f
			c, peer := open(t, Options{Role: role})
			for i, step := range []struct {
				frames   []byte
				size     int // of the message
				room     int
				directly bool
			}{
				{large, fits, fits, false}, // that such messages come is not known yet
				{large, fits, fits, true},
				{large, fits, fits/lonely*lonely - 1, false},
				{large, fits, fits, true},
				{slices.Concat(large, pong), fits, 2 * fits, true},
				{large, fits, fits, false}, // for the pong is still to be looked at
				{large, fits, fits, false}, // for the one before was not taken of what was read
				{large, fits, fits, true},
				{frame(protocol.OpBinary, minDirect-1), minDirect - 1, fits, true},
				{large, fits, fits, false}, // for the one before was smaller than minDirect
				{text, fits, fits, true},
				{small, 1, 1, false},
				{large, fits, fits, false},
				{text, fits, fits, true},
				{large, fits, fits, true},
				{fragments, fits, fits, true},
				{fragments, fits, fits, false},
				{fragments, fits, fits, false},
				{large, fits, fits, false},
				{slices.Concat(small, small), 1, fits, true},
				{nil, 1, fits, false},
				{large, fits, fits, false}, // for the one before was small, and not alone
			} {
				data, direct := receiveDirectly(t, c, peer, step.frames, step.room)
				if direct != 0 != step.directly || string(data) != string(pattern(step.size)) {
					t.Errorf("step %d: %d bytes, read directly: %#x", i, len(data), direct)
				}
			}
		})
	})
}

// receiveDirectly has these frames come when a receiver waits, who brings such room, and
// says how they are read.
func receiveDirectly(t *testing.T, c *Conn, peer io.Writer, frames []byte, room int) (data []byte, how direct) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error
		if _, data, err = c.ReceiveAppend(nil, make([]byte, 0, room)); err != nil {
			t.Error(err)
		}
	}()
	synctest.Wait()
	how = c.in.direct
	peer.Write(frames)
	<-done
	return data, how
}

// TestForeseesHeader: it is foreseen how long the header is, and where it goes.
func TestForeseesHeader(t *testing.T) {
	const more = lonely + protocol.MaxHeaderSize
	for _, test := range []struct {
		role       protocol.Role
		size, room int
		how        direct
	}{
		{protocol.Server, minDirect, minDirect, 8},
		{protocol.Server, minDirect, minDirect + more, 8 | front},
		{protocol.Server, 1<<16 - 1, 1 << 16, 8},
		{protocol.Server, 1<<16 - 1, 1<<16 + more, 8 | front},
		{protocol.Server, 1 << 16, 1 << 16, 14},
		{protocol.Server, 1 << 16, 1<<16 + more, 14 | front},
		{protocol.Server, blockSize, 1 << 20, 14},
		{protocol.Server, 1 << 18, 1 << 20, 14},
		{protocol.Client, minDirect, 1 << 20, 4},
		{protocol.Client, 1<<16 - 1, 1 << 20, 4},
		{protocol.Client, 1 << 16, 1 << 16, 10},
		{protocol.Client, 1 << 18, 1 << 18, 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, peer := open(t, Options{Role: test.role})
			frame := frameFor(test.role, protocol.OpBinary, pattern(test.size))
			receiveDirectly(t, c, peer, frame, test.room)
			data, how := receiveDirectly(t, c, peer, frame, test.room)
			if how != test.how || how.header() != len(frame)-test.size || string(data) != string(pattern(test.size)) {
				t.Errorf("%v, %d bytes, room for %d: %#x, %d bytes", test.role, test.size, test.room, how, len(data))
			}
		})
	}
}

// TestLeaveDirectRead: who leaves while a message is read directly has the memory back,
// and the next receive call gets the message.
func TestLeaveDirectRead(t *testing.T) {
	inBothRoles(t, "at a limit", func(t *testing.T, role protocol.Role) {
		synctest.Test(t, func(t *testing.T) {
			c, peer := open(t, Options{Role: role})
			frame := frameFor(role, protocol.OpBinary, pattern(9000))
			receiveDirectly(t, c, peer, frame, 9000)
			dst := make([]byte, 0, 9000)
			go func() {
				synctest.Wait()
				peer.Write(frame[:5000])
			}()
			if _, _, err := c.ReceiveAppend(After(time.Second), dst); !isTimeout(err) {
				t.Fatal(err)
			}
			clear(dst[:9000])
			peer.Write(frame[5000:])
			time.Sleep(2 * gracePeriod) // of virtual time, in which the attendant reads it
			_, data, err := c.ReceiveAppend(nil, nil)
			if err != nil || string(data) != string(pattern(9000)) || !bytes.Equal(dst[:9000], make([]byte, 9000)) {
				t.Errorf("%d bytes, %v; the memory was written to: %t", len(data), err, !bytes.Equal(dst[:9000], make([]byte, 9000)))
			}
		})
	})
}

// TestReceiveWhereItFits: a message is put into memory that has room for it, and for
// no more.
func TestReceiveWhereItFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		for _, size := range []int{1, 1000, minDirect, 9000, 60_000, 64 << 10, 9000, 9000} {
			dst := append(make([]byte, 0, len("before ")+size), "before "...)
			peer.Write(maskedFrame(protocol.OpBinary, pattern(size)))
			_, data, err := c.ReceiveAppend(nil, dst)
			if err != nil || string(data) != "before "+string(pattern(size)) {
				t.Fatalf("of %d bytes: %d bytes, %v", size, len(data), err)
			}
			if &data[0] != &dst[0] {
				t.Errorf("of %d bytes: is in memory of its own", size)
			}
		}
	})
}

// TestReceiveDirectlyInTime has such a message come when there is a deadline, by which
// it goes the long way.
func TestReceiveDirectlyInTime(t *testing.T) {
	inBothRoles(t, "a second", func(t *testing.T, role protocol.Role) {
		synctest.Test(t, func(t *testing.T) {
			c, peer := open(t, Options{Role: role})
			dst := append(make([]byte, 0, blockSize), "before "...)
			for _, limit := range []*Limit{nil, nil, After(time.Second), nil} {
				go func() {
					time.Sleep(time.Millisecond) // until the receiver waits, who has decided by then where to read
					peer.Write(frameTo(c, protocol.OpBinary, string(pattern(9000))))
				}()
				_, data, err := c.ReceiveAppend(limit, dst)
				if want := string(dst) + string(pattern(9000)); err != nil || string(data) != want {
					t.Errorf("%d bytes, not %d: %v", len(data), len(want), err)
				}
			}
		})
	})
}

// maskedFrame returns a frame as a client sends it.
func maskedFrame(op protocol.Opcode, payload []byte) []byte {
	h := protocol.Header{Fin: true, Opcode: op, Masked: true, Mask: [4]byte{1, 20, 30, 40}, Length: int64(len(payload))}
	return protocol.AppendMasked(protocol.AppendHeader(nil, h), payload, h.Mask, 0)
}

// frameFor returns a frame as its peer sends it to who has this role.
func frameFor(role protocol.Role, op protocol.Opcode, payload []byte) []byte {
	if role == protocol.Server {
		return maskedFrame(op, payload)
	}
	return frameOf(protocol.Server, op, payload)
}

// pattern returns a payload that is UTF-8, no part of which is like another.
func pattern(size int) []byte {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i^i>>7) & 0x7f
	}
	return payload
}
