package link

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestWaitAfterReceive has Wait leave the reading to a receive call that then
// returns without having read: Wait reads again, and not only when the grace
// period is over.
func TestWaitAfterReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := open(t, Options{})
		pong, err := c.Ping(nil, []byte("ping"))
		if err != nil {
			t.Fatal(err)
		}
		waited := make(chan error)
		begun := time.Now()
		go func() {
			_, err := pong.Wait(nil)
			waited <- err
		}()
		synctest.Wait()
		c.lock() // a receive call whose bound is reached at the moment at which Wait makes room
		c.receiving = receivingMessage
		c.pokeReader()
		c.unlock()
		synctest.Wait()
		c.lock()
		c.endReceive()
		c.unlock()
		if _, err := peer.Write(clientFrame(protocol.OpPong, []byte("ping"))); err != nil {
			t.Fatal(err)
		}
		if err := <-waited; err != nil || time.Since(begun) > 0 {
			t.Errorf("%v, after %v", err, time.Since(begun))
		}
	})
}
