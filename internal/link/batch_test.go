package link

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestHeldBound answers requests that came together with more than is ever held.
func TestHeldBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := calmDown(t, protocol.Server)
		go io.Copy(io.Discard, peer)
		const requests = 40
		peer.Write(bytes.Repeat(clientFrame(protocol.OpText, []byte("hello")), requests))
		most := 0
		for range requests {
			if _, err := c.Receive(nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Send(nil, protocol.BinaryMessage(pattern(8000))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // the peer has read all that was written
			most = max(most, held(c))
			if !isCalm(c) {
				t.Fatal("it is not calm")
			}
		}
		if most < holdLimit-8010 || most > holdLimit+10 {
			t.Errorf("%d bytes were held, of at most %d", most, holdLimit)
		}
	})
}

// TestHoldOff answers at once although more is here, for nothing is to be held.
func TestHoldOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := calmDownWith(t, Options{Hold: -1})
		peer.Write(bytes.Repeat(frameTo(c, protocol.OpText, "hello"), 2))
		if _, err := c.Receive(nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Send(nil, protocol.TextMessage("answer")); err != nil || held(c) > 0 || !isCalm(c) {
			t.Errorf("%v, %d bytes are held, calm: %t", err, held(c), isCalm(c))
		}
	})
}

// TestHeldSince: what is held leaves in time after the first of it was, whatever follows.
func TestHeldSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := calmDown(t, protocol.Server)
		peer.Write(bytes.Repeat(frameTo(c, protocol.OpText, "hello"), 4))
		for range 3 {
			if _, err := c.Receive(nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Send(nil, protocol.TextMessage("answer")); err != nil || held(c) == 0 {
				t.Errorf("%v, %d bytes are held", err, held(c))
			}
			time.Sleep(DefaultHold * 2 / 5)
		}
		if held(c) != 0 {
			t.Errorf("%d bytes are held", held(c))
		}
	})
}

// TestBatchRetained receives a batch: its desk does not refer to the block any more when
// it is for somebody else.
func TestBatchRetained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := calmDown(t, protocol.Server)
		peer.Write(bytes.Repeat(clientFrame(protocol.OpText, []byte("hello")), 2))
		for range 2 {
			if _, err := c.Receive(nil); err != nil {
				t.Fatal(err)
			}
		}
		d := c.desk
		go c.Receive(nil) // ends with the connection
		time.Sleep(3 * gracePeriod)
		if holdsDesk(c) || d.more != nil {
			t.Errorf("it holds its desk: %t, which refers to %p", holdsDesk(c), d.more)
		}
	})
}

func held(c *Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pend.buf)
}
