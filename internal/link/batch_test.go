package link

import (
	"bytes"
	"errors"
	"io"
	"os"
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

// TestBatchReceived receives a batch as the application may want it: in time, into memory
// that just suffices or does not, and with pauses in which nobody has to read for it.
func TestBatchReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := calmDown(t, protocol.Server)
		peer.Write(bytes.Repeat(clientFrame(protocol.OpBinary, []byte("hello")), 5))
		if _, _, err := c.ReceiveAppend(nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{5, 4, 6} {
			time.Sleep(gracePeriod * 3 / 4)
			synctest.Wait()
			c.mu.Lock() // and no more: it is to stay calm
			if c.reader != nobody || !c.hasMore() {
				t.Error("an attendant reads")
			}
			c.mu.Unlock()
			before := append(make([]byte, 0, 4+room), "was "...)
			typ, data, err := c.ReceiveAppend(nil, before)
			if typ != protocol.Binary || string(data) != "was hello" || err != nil || (&data[0] == &before[0]) != (room >= 5) {
				t.Errorf("%d bytes of room: %v, %q, %v", room, typ, data, err)
			}
			c.mu.Lock()
			if c.dst != nil {
				t.Error("the connection keeps the receiver's memory")
			}
			c.mu.Unlock()
		}
		if _, _, err := c.ReceiveAppend(After(-1), nil); err != os.ErrDeadlineExceeded {
			t.Errorf("late: %v", err)
		}
		if _, data, err := c.ReceiveAppend(nil, nil); string(data) != "hello" || err != nil {
			t.Errorf("after that: %q, %v", data, err)
		}
	})
}

// TestBatchOfBadText: the message that is no text ends the connection, after those before it.
func TestBatchOfBadText(t *testing.T) {
	for _, receive := range []func(c *Conn) error{
		func(c *Conn) error { _, err := c.Receive(nil); return err },
		func(c *Conn) error { _, _, err := c.ReceiveAppend(nil, nil); return err },
	} {
		synctest.Test(t, func(t *testing.T) {
			c, peer := calmDown(t, protocol.Server)
			go io.Copy(io.Discard, peer)
			var batch []byte
			for _, text := range []string{"good", "good", "b\xffd", "good"} {
				batch = append(batch, clientFrame(protocol.OpText, []byte(text))...)
			}
			peer.Write(batch)
			for range 2 {
				if err := receive(c); err != nil {
					t.Fatal(err)
				}
			}
			var ended *protocol.CloseError
			if err := receive(c); !errors.As(err, &ended) || ended.Sent == nil || ended.Sent.Code != protocol.InvalidPayloadData {
				t.Errorf("%v, want %v", err, protocol.InvalidPayloadData)
			}
		})
	}
}

// TestBatchReturnsMemory: what was lent for text that is none is there for the next message.
func TestBatchReturnsMemory(t *testing.T) {
	returned := false
	for try := 0; try < 100 && !returned; try++ { // a pool may lose what it is given
		synctest.Test(t, func(t *testing.T) {
			c, peer := calmDown(t, protocol.Server)
			go io.Copy(io.Discard, peer)
			bad := make([]byte, 3000)
			bad[0] = 0xff
			peer.Write(append(clientFrame(protocol.OpText, []byte("good")), clientFrame(protocol.OpText, bad)...))
			if _, err := c.Receive(nil); err != nil {
				t.Fatal(err)
			}
			class := classOf(len(bad))
			lent := make([]byte, sizeOf(class))
			released.Release(lent)
			if _, err := c.Receive(nil); err == nil {
				t.Fatal("bad text was received")
			}
			for first, ok := released.pools[class].Get().(*byte); ok && !returned; first, ok = released.pools[class].Get().(*byte) {
				returned = first == &lent[0]
			}
		})
	}
	if !returned {
		t.Error("the memory was not returned")
	}
}

func held(c *Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pend.buf)
}
