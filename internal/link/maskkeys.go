package link

import (
	"crypto/rand"
	"sync"
)

// maskKeys reads from crypto/rand, many keys at a time. They stay
// unpredictable: no byte is used twice (RFC 6455, section 10.3).
type maskKeys struct{}

type keyBuffer struct {
	bytes [512]byte
	used  int
}

var keyBuffers = sync.Pool{New: func() any { return &keyBuffer{used: len(keyBuffer{}.bytes)} }}

func (maskKeys) Read(p []byte) (n int, err error) {
	buf := keyBuffers.Get().(*keyBuffer)
	defer keyBuffers.Put(buf)
	if buf.used == len(buf.bytes) {
		if _, err := rand.Read(buf.bytes[:]); err != nil {
			return 0, err
		}
		buf.used = 0
	}
	n = copy(p, buf.bytes[buf.used:])
	buf.used += n
	return n, nil
}
