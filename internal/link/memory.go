package link

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/tandemws/tandem/protocol"
)

// released is the memory of messages that applications have given back; see
// [protocol.Message.Release].
var released memory

func init() { protocol.KeepReleased(&released) }

// memory is kept in pools, one for each of the classes: sizes that the allocator
// has too, so that nothing is lost by rounding up to them, but for large memory; see
// aside. They are the powers of two and what lies in the middle between them.
type memory struct {
	used  atomic.Bool        // by anybody yet: until then, messages get no more than they need
	pools [classes]sync.Pool // of *byte, the first one of such memory: that is kept without allocating
}

// The sizes in bytes of the smallest and the largest class.
const (
	minKept = 32
	maxKept = 1 << 20
	classes = 2*(20-5) + 1
)

// Lend returns memory of length 0 with room for n bytes; or with none, which append
// will make, for a small message as long as nobody has released one.
func (m *memory) Lend(n int) []byte {
	if n > maxKept || !m.used.Load() {
		if n >= minDirect {
			return makeAside(n)
		}
		return []byte{}
	}
	class := classOf(n)
	if first, ok := m.pools[class].Get().(*byte); ok {
		return unsafe.Slice(first, sizeOf(class))[:0]
	}
	if n >= minDirect {
		return makeAside(sizeOf(class))
	}
	return make([]byte, 0, sizeOf(class))
}

// aside is how far behind the beginning of a page large memory begins, in bytes.
//
// What is written from there lies behind its header in the system's buffer, which
// begins with a page. There are processors that copy ten times as slowly (with rep
// movsb, AMD's Zen 3 among them) if the place within a page that they copy to is
// less than 32 bytes behind the one that they copy from, and all large memory of Go's
// begins with a page. The fragments of a message, each with its header, move towards
// that place by 10 bytes.
//
// It is paid for with the allocator's next size: 32 KiB take 40, 16 take 18, and what is
// larger takes 8 more.
const aside = 256

// makeAside returns memory of length 0 with room for n bytes, of a large message.
func makeAside(n int) []byte { return make([]byte, aside+n)[aside:aside] }

// growLarge returns dst with room for n bytes more, of a large message. It is inlined,
// and does not append, for the sake of the stack.
func growLarge(dst []byte, n int) []byte {
	grown := makeAside(max(len(dst)+n, cap(dst)+cap(dst)/4))[:len(dst)]
	copy(grown, dst)
	return grown
}

// Release keeps memory that an application has given back, and has memory lent from
// now on.
func (m *memory) Release(data []byte) {
	if !m.used.Load() { // for many processors read it
		m.used.Store(true)
	}
	m.Return(data)
}

// Return keeps memory if it is exactly that of a class. Other memory is a part of
// something larger, or was never lent.
func (m *memory) Return(data []byte) {
	n := cap(data)
	if n < minKept || n > maxKept || !m.used.Load() {
		return
	}
	if class := classOf(n); n == sizeOf(class) {
		m.pools[class].Put(unsafe.SliceData(data))
	}
}

// classOf returns the smallest class of at least n bytes, which are maxKept at most.
func classOf(n int) int {
	n = max(n, minKept)
	above := bits.Len(uint(n - 1)) // 2^above is the next power of two
	class := 2 * (above - 5)
	if n <= 3<<(above-2) {
		class--
	}
	return class
}

// sizeOf returns the size of a class in bytes.
func sizeOf(class int) int { return (2 + class&1) << (class/2 + 4) }
