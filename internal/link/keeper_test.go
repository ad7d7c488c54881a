package link

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestPingBehindWrite: a message that is held takes an owed ping along to what
// is pending, while another one is being written. When that one has left, the
// ping has not.
func TestPingBehindWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		const size = 3 * pipeBuffer // more than both buffers on the way take
		go c.Send(nil, protocol.BinaryMessage(make([]byte, size)))
		synctest.Wait()

		c.lock()
		c.keepalivePing(time.Now())
		c.appendOwed() // as the held message does
		c.unlock()
		synctest.Wait() // for the attendant to have come too soon to write it
		header := len(protocol.AppendHeader(nil, protocol.Header{Fin: true, Opcode: protocol.OpBinary, Length: size}))
		if _, err := io.CopyN(io.Discard, peer, int64(header+size)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		pingSent := func() bool {
			c.lock()
			defer c.unlock()
			c.gather(time.Now())
			return c.seen.PingSent
		}
		if pingSent() {
			t.Error("the ping counts as sent while it is pending")
		}
		time.Sleep(DefaultHold) // the backstop writes it
		synctest.Wait()
		if !pingSent() {
			t.Error("the ping does not count as sent although it was")
		}
	})
}
