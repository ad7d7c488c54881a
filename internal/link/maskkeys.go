package link

import (
	"crypto/rand"
	"sync"

	"github.com/tandemws/tandem/protocol"
)

// maskKeys reads from crypto/rand, many keys at a time. They stay
// unpredictable: no byte is used twice (RFC 6455, section 10.3).
type maskKeys struct{}

// A keyBuffer holds whole keys, so that none is read in part.
type keyBuffer struct {
	bytes [128 * 4]byte
	used  int
}

var keyBuffers = sync.Pool{New: func() any { return &keyBuffer{used: len(keyBuffer{}.bytes)} }}

func (maskKeys) Read(p []byte) (n int, err error) {
	buf := keyBuffers.Get().(*keyBuffer)
	if buf.used == len(buf.bytes) {
		rand.Read(buf.bytes[:]) // which never fails
		buf.used = 0
	}
	n = copy(p, buf.bytes[buf.used:])
	buf.used += n
	keyBuffers.Put(buf)
	return n, nil
}

// appendPayload appends a payload behind its header, by a client with the key that it
// is masked with (section 5.3).
func (c *Conn) appendPayload(dst, payload []byte) []byte {
	if c.opts.Role == protocol.Server {
		return append(dst, payload...)
	}
	return appendWithKey(dst, payload)
}

func appendWithKey(dst, payload []byte) []byte {
	var key [4]byte
	maskKeys{}.Read(key[:])
	return protocol.AppendMasked(append(dst, key[:]...), payload, key, 0)
}
