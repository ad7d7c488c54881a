package link

import (
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/protocol"
)

// readCounter is a transport that counts the reads that found something.
type readCounter struct {
	*pipeEnd
	reads int
}

func (r *readCounter) read(in *input) error {
	err := r.pipeEnd.read(in)
	if in.n > 0 {
		r.reads++
	}
	return err
}

// TestReadsOnce: a message is read at once, whether the receiver's memory has room
// for it and its header, or just for the payload.
func TestReadsOnce(t *testing.T) {
	for _, size := range []int{minDirect, 9000, 16 << 10, 32 << 10, 0xffff, 64 << 10} {
		for _, spare := range []int{0, 7, 8, protocol.MaxHeaderSize, 1 << 10} {
			if reads := readsOfThree(t, size, size+spare); reads != 3 {
				t.Errorf("%d bytes, and room for %d more: %d reads of 3 messages", size, spare, reads)
			}
		}
	}
}

// readsOfThree returns how many reads it takes to receive messages of this size.
func readsOfThree(t *testing.T, size, room int) (reads int) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		tr := &readCounter{pipeEnd: c.tr().(*pipeEnd)}
		setTransport(c, tr)
		for range 3 {
			peer.Write(maskedFrame(protocol.OpBinary, pattern(size)))
			if _, _, err := c.ReceiveAppend(nil, make([]byte, 0, room)); err != nil {
				t.Error(err)
			}
		}
		reads = tr.reads
	})
	return reads
}

// TestRoomBehind: no more is read to the receiver's memory than a block has room for,
// where it may have to be moved.
func TestRoomBehind(t *testing.T) {
	for _, room := range []int{minDirect, blockSize - 1, blockSize, blockSize + 1, 1 << 20} {
		memory := make([]byte, 7+room)
		for _, direct := range []direct{8, 8 | front} {
			c := Conn{dst: memory[:7]}
			c.in.borrow()
			c.in.window, c.in.direct = &c.dst, direct
			header, payload := c.in.pieces()
			inDst, want := payload, min(room, blockSize-8)
			if direct.inFront() {
				inDst, want = header, min(room, blockSize)-8
			}
			if len(header) != 8 || len(payload) != want || &inDst[0] != &memory[7] {
				t.Errorf("room for %d bytes: %d and %d are to be read, want %d of payload", room, len(header), len(payload), want)
			}
		}
	}
}

// TestReadsDirectlyAgain: memory that was made for one message has room to read the
// next one to it.
func TestReadsDirectlyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		for size := minDirect; size < 70_000; size += 677 {
			var data []byte
			for i := range 2 {
				var typ protocol.MessageType
				done := make(chan struct{})
				go func() {
					defer close(done)
					typ, data, _ = c.ReceiveAppend(nil, data[:0])
				}()
				synctest.Wait()
				if i == 1 && c.in.direct == 0 {
					t.Errorf("%d bytes: not read directly", size)
				}
				peer.Write(maskedFrame(protocol.OpBinary, pattern(size)))
				if <-done; typ != protocol.Binary || len(data) != size {
					t.Fatalf("%d bytes: %d", size, len(data))
				}
			}
		}
	})
}
