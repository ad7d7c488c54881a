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

	"github.com/tandemws/tandem/protocol"
)

// TestReceiveDirectly has the same come behind a large message to a connection that
// reads it to where the receiver wants it, and to one that may not; through the Pipe
// and through a socket.
func TestReceiveDirectly(t *testing.T) {
	large, text := maskedFrame(protocol.OpBinary, pattern(9000)), maskedFrame(protocol.OpText, bytes.Repeat([]byte("größe "), 1200))
	other, ping := maskedFrame(protocol.OpBinary, pattern(2500)), maskedFrame(protocol.OpPing, pattern(4))
	for name, pieces := range map[string][][]byte{
		"one like it":                      {large},
		"a small one":                      {maskedFrame(protocol.OpBinary, pattern(1))},
		"an empty one":                     {maskedFrame(protocol.OpBinary, nil)},
		"one that just fits":               {maskedFrame(protocol.OpBinary, pattern(directRoom-8))},
		"one that does not":                {maskedFrame(protocol.OpBinary, pattern(directRoom-7))},
		"a large one":                      {maskedFrame(protocol.OpBinary, pattern(60_000))},
		"a very large one":                 {maskedFrame(protocol.OpBinary, pattern(200_000))},
		"one in pieces":                    {large[:3], large[3:6000], large[6000:]},
		"text":                             {text},
		"text in pieces":                   {text[:9000], text[9000:]},
		"no text":                          {maskedFrame(protocol.OpText, append(pattern(9000), 0xff))},
		"two":                              {slices.Concat(other, other)},
		"another one behind it":            {slices.Concat(large, other[:7]), other[7:]},
		"a ping behind it":                 {slices.Concat(large, ping)},
		"a ping before it":                 {slices.Concat(ping, large)},
		"fragments":                        {slices.Concat([]byte{large[0] & 0x7f}, large[1:], []byte{0x80}, large[1:])},
		"a reserved bit":                   {slices.Concat([]byte{large[0] | 0x40}, large[1:])},
		"the closing handshake behind it":  {slices.Concat(large, maskedFrame(protocol.OpClose, nil))},
		"the closing handshake":            {maskedFrame(protocol.OpClose, nil)},
		"a part of one, and then the end":  {large[:8500]},
		"one like it, and one like that":   {large, large},
		"a small one, and then a large":    {other[:0], ping, large},
		"one like it, text, one like that": {large, text, large},
	} {
		direct, long := receivedBehind(t, (*Conn).receive, pieces, true), receivedBehind(t, receiveLong, pieces, true)
		if direct != long {
			t.Errorf("%s: directly\n%sand else\n%s", name, direct, long)
		}
		if socket := receivedBehind(t, (*Conn).receive, pieces, false); socket != long {
			t.Errorf("%s: through a socket\n%sand else\n%s", name, socket, long)
		}
	}
}

// directRoom is how many bytes the receivers of these tests have room for.
const directRoom = 10_000

// receivedBehind tells what is received when the pieces, and then the end, come behind
// a large message.
func receivedBehind(t *testing.T, receive receiveCall, pieces [][]byte, through bool) (text string) {
	if !through {
		here, there := tcpPair(t)
		return receivePieces(t, receive, pieces, here, there, func() {})
	}
	synctest.Test(t, func(t *testing.T) {
		here, there := NewPipe()
		text = receivePieces(t, receive, pieces, here, there, synctest.Wait)
	})
	return text
}

func receivePieces(t *testing.T, receive receiveCall, pieces [][]byte, here, there net.Conn, wait func()) string {
	opts, c := Options{Role: protocol.Server}, new(Conn)
	c.Init(here, nil, opts.WithDefaults())
	go io.Copy(io.Discard, there)
	var text strings.Builder
	more := func() bool {
		dst := append(make([]byte, 0, len("before ")+directRoom), "before "...)
		typ, data, err := receive(c, nil, dst, receivingInto)
		fmt.Fprintf(&text, "%v, %d bytes, %08x: %v\n", typ, len(data), crc32.ChecksumIEEE(data), err)
		clear(dst[:cap(dst)]) // for that is the application's again
		return err == nil
	}
	there.Write(maskedFrame(protocol.OpBinary, pattern(9000)))
	more()
	go func() {
		for _, piece := range pieces {
			wait()
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
// that has room for it, without a block, once it is known what comes.
func TestReadsDirectly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		large := maskedFrame(protocol.OpBinary, pattern(9000))
		fits := (len(large) + lonely - 1) / lonely * lonely
		receive := func(frame []byte, room int) (directly bool) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				if _, _, err := c.ReceiveAppend(nil, make([]byte, 0, room)); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
			directly = c.in.direct
			peer.Write(frame)
			<-done
			return directly
		}
		for i, step := range []struct {
			frame    []byte
			room     int
			directly bool
		}{
			{large, fits, false}, // that such messages come is not known yet
			{large, fits, true},
			{large, fits - 1, false},
			{large, fits, true},
			{slices.Concat(large, maskedFrame(protocol.OpPong, nil)), 2 * fits, true},
			{large, fits, false}, // for the pong is still to be looked at
			{large, fits, false}, // and then nothing is known any more
			{maskedFrame(protocol.OpBinary, pattern(minDirect-9)), fits, true},
			{large, fits, false}, // for the one before was smaller than minDirect
			{maskedFrame(protocol.OpText, pattern(1)), fits, true},
			{large, fits, false}, // for the one before was text
			{slices.Repeat(maskedFrame(protocol.OpBinary, pattern(1)), 2), fits, true},
			{nil, fits, false},
			{large, fits, false}, // for the one before was small, and not alone
		} {
			if got := receive(step.frame, step.room); got != step.directly {
				t.Errorf("step %d: read directly: %t", i, got)
			}
		}
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

// pattern returns a payload that is UTF-8, no part of which is like another.
func pattern(size int) []byte {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i^i>>7) & 0x7f
	}
	return payload
}
