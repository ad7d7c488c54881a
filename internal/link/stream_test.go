package link

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/protocol"
)

// TestReadIntoTheReadersMemory: what comes of a large message is put where its reader
// wants it, and not through a block; but for what came with the header, what is small,
// and what may have something else behind it.
func TestReadIntoTheReadersMemory(t *testing.T) {
	const size, piece = 320_000, 64 << 10
	want := []reading{{0, true}, {piece, false}, {piece, false}, {piece, false}, {size + maxClientHeader - blockSize - 3*piece, true}}
	if reads := readFlood(t, size, piece); !slices.Equal(reads, want) {
		t.Errorf("reads %v, want %v", reads, want)
	}
}

// maxClientHeader is the length in bytes of that of a client's large message.
const maxClientHeader = 14

// TestReadSmallPieces: a reader with little memory gets all from a block, one with some
// more what is behind its memory.
func TestReadSmallPieces(t *testing.T) {
	for _, test := range []struct {
		piece int
		want  reading // the second one
	}{
		{minDirect - 1, reading{0, true}},
		{minDirect, reading{minDirect, true}},
		{minAlone - 1, reading{minAlone - 1, true}},
		{minAlone, reading{minAlone, false}},
	} {
		if second := readFlood(t, 200_000, test.piece)[1]; second != test.want {
			t.Errorf("pieces of %d: second read %v, want %v", test.piece, second, test.want)
		}
	}
}

// TestReadTouchesNothingBehind: what lies behind the length of a reader's memory is the
// caller's, whatever room there is.
func TestReadTouchesNothingBehind(t *testing.T) {
	const piece, behind = 40_000, 1000
	here, there := tcpPair(t)
	c := opened(here, Options{Role: protocol.Server})
	defer c.Abort(ErrAborted)
	message := pattern(500_000)
	go there.Write(maskedFrame(protocol.OpText, message))
	r := receiveReader(t, c)
	buf := append(make([]byte, piece), bytes.Repeat([]byte{0xee}, behind)...)
	readInto(t, r, buf[:piece], message)
	if !bytes.Equal(buf[piece:], bytes.Repeat([]byte{0xee}, behind)) {
		t.Error("something was put behind the memory")
	}
}

// A flood is a transport from which everything has come already.
type flood struct {
	mill
	rest  []byte
	reads []reading
}

// A reading is what a read was offered.
type reading struct {
	window int
	block  bool
}

func (f *flood) gathers() bool { return true }

func (f *flood) read(in *input) error {
	f.reads = append(f.reads, reading{len(in.to()), in.direct.wantsBlock()})
	n := copy(in.to(), f.rest)
	if in.direct.wantsBlock() {
		in.borrow()
		n += copy(in.block[:], f.rest[n:])
	}
	if f.rest, in.n = f.rest[n:], int32(n); n == 0 {
		return io.EOF
	}
	return nil
}

// readFlood has a message of so many bytes read in pieces, and returns what its transport
// was asked for. In a bubble, where no attendant comes however slow the machine is.
func readFlood(t *testing.T, size, piece int) (reads []reading) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		message := pattern(size)
		tr := &flood{rest: clientFrame(protocol.OpBinary, message)}
		c, _ := open(t, Options{})
		c.setTransport(tr)
		readInto(t, receiveReader(t, c), make([]byte, piece), message)
		reads = tr.reads
	})
	return reads
}

func receiveReader(t *testing.T, c *Conn) *Reader {
	t.Helper()
	_, r, err := c.ReceiveReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// readInto reads a message with this memory.
func readInto(t *testing.T, r *Reader, memory, message []byte) {
	t.Helper()
	for at := 0; ; {
		n, err := r.Read(memory)
		if err == io.EOF && at == len(message) {
			return
		} else if err != nil || !bytes.HasPrefix(message[at:], memory[:n]) {
			t.Fatalf("at %d: %d bytes, %v", at, n, err)
		}
		at += n
	}
}
