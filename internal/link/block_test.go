package link

import (
	"io"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// TestNoBlock sends a message behind something pending that is in no block: none is
// given back then, which somebody else would be lent.
func TestNoBlock(t *testing.T) {
	c, peer := open(t, Options{})
	for i := range spares {
		spares[i].CompareAndSwap(nil, new(block)) // what is given back now goes to the stock
	}
	c.lock()
	c.pend.buf = []byte("\x81\x05first")
	c.unlock()
	if err := c.Send(nil, protocol.TextMessage("second")); err != nil {
		t.Fatal(err)
	}
	const want = "\x81\x05first\x81\x06second"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != want {
		t.Errorf("the peer has received %q, %v", got, err)
	}
	for b, ok := blocks.pool.Get().(*block); ok; b, ok = blocks.pool.Get().(*block) {
		if b == nil {
			t.Fatal("the stock lends what is no block")
		}
	}
}
