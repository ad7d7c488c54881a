package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// epoch is when tests happen; only differences matter.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// wireKey is the masking key of the examples of RFC 6455, section 5.7.
var wireKey = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// A wireFrame is a frame as a peer might send it, right or wrong. It is encoded
// here and not with AppendHeader, so that a mistake there cannot hide itself.
type wireFrame struct {
	more     bool // no FIN
	rsv      byte
	op       Opcode
	unmasked bool
	payload  string
}

func (f wireFrame) bytes() []byte {
	first, mask := byte(f.op)|f.rsv, byte(0x80)
	if !f.more {
		first |= 0x80
	}
	if f.unmasked {
		mask = 0
	}
	b := []byte{first}
	switch n := len(f.payload); {
	case n <= 125:
		b = append(b, mask|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
	}
	if f.unmasked {
		return append(b, f.payload...)
	}
	b = append(b, wireKey[:]...)
	for i := range len(f.payload) {
		b = append(b, f.payload[i]^wireKey[i%4])
	}
	return b
}

// stream encodes frames as the peer of role sends them.
func stream(role Role, frames ...wireFrame) []byte {
	var b []byte
	for _, f := range frames {
		f.unmasked = role == Client
		b = append(b, f.bytes()...)
	}
	return b
}

// zeroKeys is a source of masking keys that change nothing, so that what a
// client sends can be read and compared.
type zeroKeys struct{}

func (zeroKeys) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// newTestConn returns a Conn that sends the same bytes in each run.
func newTestConn(role Role) *Conn { return NewConn(Config{Role: role, MaskKeys: zeroKeys{}}) }

// A driver feeds a Conn the way packages do that own a socket, writes down
// what comes of it, and spoils all memory that the Conn must not rely on.
type driver struct {
	t      *testing.T
	c      *Conn
	now    time.Time
	window bool // read into Window first

	// before and after, if not nil, are called so with the index of each piece.
	before, after func(piece int)

	// prefix is what the data of the next message that comes in pieces must
	// begin with, for it was given to AssembleInto; it is not part of the
	// message.
	prefix string

	events []string // what happened, in words that do not depend on the cuts
	output []byte   // what the Conn had sent
	part   strings.Builder
	inPart bool
	frames int // of the message in chunks that have ended
}

func newDriver(t *testing.T, c *Conn) *driver { return &driver{t: t, c: c, now: epoch} }

// run feeds the pieces.
func (d *driver) run(pieces ...[]byte) *driver {
	d.t.Helper()
	for i, piece := range pieces {
		if d.before != nil {
			d.before(i)
		}
		d.feed(piece)
		if d.after != nil {
			d.after(i)
		}
	}
	return d
}

// feed gives one piece to the Conn. Without windows it goes in at once; with
// them as one vectored read after another would deliver it.
func (d *driver) feed(piece []byte) {
	for first := true; first || len(piece) > 0; first = false {
		n, rest := 0, piece
		if d.window {
			n = copy(d.c.Window(), piece)
			rest = piece[n:]
			if len(rest) > 1000 { // more than the driver's own buffer holds
				rest = rest[:1000]
			}
		}
		piece = piece[n+len(rest):]
		data := bytes.Clone(rest)
		d.c.Received(d.now, n, data)
		d.drain()
		spoil(data) // the driver reads something else into it
		d.sendOwed()
	}
}

// drain takes all events.
func (d *driver) drain() {
	for {
		ev := *d.c.Next()
		if ev.Kind == EventNone {
			return
		}
		d.note(ev)
		if !ev.Owned {
			spoil(ev.Data) // it is ours to change until the next call
		}
		d.sendOwed() // at once, or many pings in one piece would have one answer
	}
}

func (d *driver) note(ev Event) {
	switch ev.Kind {
	case EventMessage:
		data := string(ev.Data)
		if d.prefix != "" && ev.Owned {
			if !strings.HasPrefix(data, d.prefix) {
				d.t.Fatalf("message %q lies not behind %q as AssembleInto asked", data, d.prefix)
			}
			data, d.prefix = data[len(d.prefix):], ""
		}
		d.add("%v %s", ev.Type, brief(data))
	case EventChunk:
		d.noteChunk(ev)
	case EventPing:
		d.add("ping %s", brief(string(ev.Data)))
	case EventPong:
		d.add("pong %s settles %v", brief(string(ev.Data)), d.c.Settled())
	case EventClose:
		d.add("close %v", d.c.CloseReceived())
	case EventViolation:
		var v *ViolationError
		if !errors.As(d.c.Violation(), &v) {
			d.t.Fatalf("violation %v is no ViolationError", d.c.Violation())
		}
		d.add("violation %v", v)
		d.c.FailViolation()
	default:
		d.t.Fatalf("event of unknown kind %d", ev.Kind)
	}
}

// noteChunk puts chunks together; only whole messages are written down, so
// that chunks compare equal to messages.
func (d *driver) noteChunk(ev Event) {
	if ev.First == d.inPart {
		d.t.Fatalf("chunk %q with First %t inside a message: %t", ev.Data, ev.First, d.inPart)
	}
	if ev.Last && !ev.FrameEnd {
		d.t.Fatalf("chunk %q ends the message but not the frame", ev.Data)
	}
	d.inPart = !ev.Last
	d.part.Write(ev.Data)
	if ev.FrameEnd {
		d.frames++
	}
	if ev.Last {
		d.add("%v %s", ev.Type, brief(d.part.String()))
		d.part.Reset()
	}
}

// brief quotes data; of much it tells the size and a checksum, so that tests
// which run a stream thousands of times take no time over it.
func brief(data string) string {
	if len(data) <= 20 {
		return strconv.Quote(data)
	}
	return fmt.Sprintf("%d bytes %q... %08x", len(data), data[:8], crc32.ChecksumIEEE([]byte(data)))
}

func (d *driver) add(format string, args ...any) {
	d.events = append(d.events, fmt.Sprintf(format, args...))
}

func (d *driver) sendOwed() {
	var err error
	if d.output, err = d.c.AppendOwed(d.output, d.now); err != nil {
		d.t.Fatalf("AppendOwed: %v", err)
	}
}

// summary is all that must not depend on how the input was cut.
func (d *driver) summary() string {
	return fmt.Sprintf("%s\nsent %s\n%v, %v", strings.Join(d.events, "\n"), brief(string(d.output)), d.c.State(), d.c.CloseError())
}

func spoil(b []byte) {
	for len(b) > 0 {
		b = b[copy(b, spoilt):]
	}
}

// spoilt is copied, for the race detector looks at each byte that is set.
var spoilt = bytes.Repeat([]byte{0xee}, 1<<10)

// The ways of cutting an input.

func whole(b []byte) [][]byte { return [][]byte{b} }

func byteByByte(b []byte) [][]byte {
	return slices.Collect(slices.Chunk(b, 1))
}

func cutAt(b []byte, at int) [][]byte {
	at = min(at, len(b))
	return [][]byte{b[:at], b[at:]}
}

// wantEvents compares events one by one.
func (d *driver) wantEvents(want ...string) {
	d.t.Helper()
	for i := range max(len(want), len(d.events)) {
		switch {
		case i >= len(want):
			d.t.Errorf("event %d: got %.200s, want no more", i, d.events[i])
		case i >= len(d.events):
			d.t.Errorf("event %d: got no more, want %.200s", i, want[i])
		case d.events[i] != want[i]:
			d.t.Errorf("event %d: got %.200s\n\twant %.200s", i, d.events[i], want[i])
		}
	}
}
