package link

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestClock: connections that share a clock each get what they wait for, one of
// them late in the period of another, and the clock is still when they have.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := NewClock(&Options{Hold: time.Millisecond})
		for _, after := range []time.Duration{0, gracePeriod / 10, gracePeriod / 2, gracePeriod} {
			time.Sleep(after)
			_, peer := open(t, Options{Clock: clock})
			began := time.Now()
			peer.Write(clientFrame(protocol.OpPing, []byte("ping"))) // for the attendant
			io.ReadFull(peer, make([]byte, 6))
			if took := time.Since(began); took < gracePeriod*7/8 || took > gracePeriod {
				t.Errorf("the attendant came after %v", took)
			}
		}
		synctest.Wait()
		if !clock.still() {
			t.Error("the clock goes on although nobody waits")
		}
	})
}

// TestClockStop: who has ended leaves the line, wherever it stands.
func TestClockStop(t *testing.T) {
	for gone := range 3 {
		synctest.Test(t, func(t *testing.T) {
			clock := NewClock(&Options{})
			conns := make([]*Conn, 3)
			peers := make([]io.ReadWriter, 3)
			for i := range conns {
				conns[i], peers[i] = open(t, Options{Clock: clock})
			}
			conns[gone].Abort(nil)
			<-conns[gone].Done()
			for i, peer := range peers {
				if i != gone {
					peer.Write(clientFrame(protocol.OpPing, []byte("ping")))
					io.ReadFull(peer, make([]byte, 6))
				}
			}
			for _, c := range conns {
				c.Abort(nil)
				<-c.Done()
			}
			if !clock.still() {
				t.Error("the clock goes on although all have ended")
			}
		})
	}
}

func (c *Clock) still() bool {
	for _, l := range []*line{&c.grace, &c.hold} {
		l.mu.Lock()
		still := l.first == nil && l.last == nil && l.timer == nil
		l.mu.Unlock()
		if !still {
			return false
		}
	}
	return true
}
