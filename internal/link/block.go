package link

import "sync"

// blockSize is the size in bytes of the buffers that connections borrow while
// they read or write.
const blockSize = 64 << 10

// A block is such a buffer. It is borrowed for as long as bytes are in it, so
// that an idle connection holds none.
type block [blockSize]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

func borrowBlock() *block { return blocks.Get().(*block) }

func (b *block) giveBack() { blocks.Put(b) }
