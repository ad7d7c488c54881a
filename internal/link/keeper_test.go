package link

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
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

// TestPingAcked: the latest ping or heartbeat has arrived when no more is
// unacknowledged than was written after it, whatever is sent from then on.
func TestPingAcked(t *testing.T) {
	beats := &keepalive.Heartbeat{Message: func() []byte { return []byte("beat") }}
	for name, test := range map[string]struct{ now, then *keepalive.Heartbeat }{
		"ping": {nil, beats}, "heartbeat": {beats, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := open(t, Options{Keepalive: keepalive.Config{Heartbeat: test.now}})
				tr := &unacked{transport: c.tr()}
				setTransport(c, tr)
				message := protocol.BinaryMessage(make([]byte, 10))
				c.Send(nil, message)
				underLock(c, func() { c.keepalivePing(time.Now()) })
				go c.Receive(nil)
				time.Sleep(2 * gracePeriod) // the desk may be left now

				tr.acks(t, c, 0)
				c.Send(nil, message)
				tr.acks(t, c, 2+10)
				underLock(c, func() { c.setHeartbeat(test.then) })
				tr.acks(t, c, 2+10)
			})
		})
	}
}

// unacked is a transport of whose bytes some are unacknowledged.
type unacked struct {
	transport
	n int64
}

func (u *unacked) inspect() keepalive.Transport {
	return keepalive.Transport{Known: true, Unacked: u.n}
}

// acks fails the test unless the latest ping has arrived when so many bytes are
// unacknowledged, and has not with one more.
func (u *unacked) acks(t *testing.T, c *Conn, behind int64) {
	t.Helper()
	for more, want := range []bool{true, false} {
		u.n = behind + int64(more)
		underLock(c, func() {
			if c.inspect(time.Now()).PingAcked != want {
				t.Errorf("with %d bytes unacknowledged the ping has arrived: %t, want %t", u.n, !want, want)
			}
		})
	}
}

// underLock calls f with c.mu held.
func underLock(c *Conn, f func()) {
	c.lock()
	defer c.unlock()
	f()
}
