package link

import (
	"sync/atomic"
	"unsafe"
)

// blockSize is the size in bytes of the buffers that connections borrow while
// they read or write: enough for 64 KiB, which many an application cuts its
// messages to, and a few headers.
const blockSize = 72 << 10

// A block is such a buffer. It is borrowed for as long as bytes are in it, so
// that an idle connection holds none.
type block [blockSize]byte

var blocks = newStock(func() *block { return new(block) })

// spares are blocks that were given back last. Each waits for whoever comes to
// the same place next, and is probably in a processor's cache then. To take one
// is one exchange, with less work and above all less of the stack than a
// stock: a reader that is woken does it where no more is left. There are
// few enough of them to be kept for ever, 288 KiB; who finds none turns to the
// stock.
var spares [4]struct {
	atomic.Pointer[block]
	_ [56]byte // a cache line for each
}

// A place is where a borrower looks for a spare block: any will do, but the
// same borrower is to come to the same one.
type place *atomic.Pointer[block]

func placeOf(borrower unsafe.Pointer) place {
	return &spares[uintptr(borrower)/64%uintptr(len(spares))].Pointer
}

// spareBlock takes the spare block of a place, nil if there is none.
func spareBlock(at place) *block { return (*atomic.Pointer[block])(at).Swap(nil) }

func borrowBlock(at place) *block {
	if b := spareBlock(at); b != nil {
		return b
	}
	return blocks.borrow()
}

// giveBack gives a block back, or nothing if there is none.
func (b *block) giveBack(at place) {
	if b != nil && !(*atomic.Pointer[block])(at).CompareAndSwap(nil, b) {
		blocks.giveBack(b)
	}
}
