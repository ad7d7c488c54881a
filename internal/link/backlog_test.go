package link

import (
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestWithdraw takes back a message that the deliverer waits with, and one that
// has got its place at the moment of giving up.
func TestWithdraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t, Options{})
		message, err := Prepare(protocol.Message{Type: protocol.Binary, Data: make([]byte, 1<<20)}, protocol.CompressAuto)
		if err != nil {
			t.Fatal(err)
		}
		posted := func(bounds Backlog) *delivery {
			d := &delivery{shipment: shipment{prepared: message}, bounds: bounds}
			if _, err := c.post(d, true); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return d
		}
		one := Backlog{Messages: 1, Bytes: -1}
		posted(one) // is being written
		waits := posted(one)
		if c.backlog.current != waits {
			t.Fatal("the deliverer does not wait with it")
		}
		if !c.withdraw(waits) || c.withdraw(waits) {
			t.Error("it was not taken back once")
		}
		if b := c.backlog; b.current != nil || b.patient != 0 || b.n != 1 {
			t.Errorf("left: %+v", b)
		}
		placed := posted(Backlog{Messages: 2, Bytes: -1})
		if c.withdraw(placed) || c.backlog.n != 2 {
			t.Error("one that has its place was taken back")
		}
		c.tooSlow()
		c.lock() // the deliverer has been woken
		defer c.unlock()
		if b := c.backlog; b != nil && b.n > 1 {
			t.Errorf("%d messages are kept for a connection that was dropped", b.n)
		}
	})
}

// TestLastingBetweenFragments leaves a message of which some fragments were
// written and no part of the next one: it is sent all the same.
func TestLastingBetweenFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const frame, frames = 4096, 3 * pipeBuffer / 4096 // the path takes two buffers, of whole frames
		c, peer := open(t, Options{MaxFragmentSize: frame - 4})
		message := protocol.Message{Type: protocol.Binary, Data: make([]byte, frames*(frame-4))}
		sent, err := c.sendLasting(After(time.Second), message)
		if !sent || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("sent: %t, %v", sent, err)
		}
		if n, err := io.CopyN(io.Discard, peer, frames*frame); err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		if err := c.Flush(nil); err != nil {
			t.Error(err)
		}
	})
}
