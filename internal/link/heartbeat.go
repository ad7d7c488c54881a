package link

import (
	"errors"
	"runtime/debug"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A heart sends heartbeats in place of pings. Guarded by Conn.mu, but for what
// the application has given.
type heart struct {
	*keepalive.Heartbeat
	due     time.Time // when the latest was due
	sentAt  time.Time // when it was sent; zero: it was answered
	sending bool      // a goroutine is at it
}

// setHeartbeat has heartbeats sent, or pings if there is none. c.mu is held, or
// nobody else has c yet.
func (c *Conn) setHeartbeat(b *keepalive.Heartbeat) {
	switch {
	case b == nil && c.rare != nil:
		c.rare.heart = nil
	case b != nil && (c.heart() == nil || c.heart().Heartbeat != b):
		c.rarely().heart = &heart{Heartbeat: b}
	}
}

// heart returns what sends heartbeats, nil if pings are sent.
func (c *Conn) heart() *heart {
	if c.rare == nil {
		return nil
	}
	return c.rare.heart
}

// asksHeart reports whether the application judges messages.
func (c *Conn) asksHeart() bool {
	h := c.heart()
	return h != nil && h.Answer != nil
}

// beat sends a heartbeat. Unlike a ping, a message may have to wait for another
// one, so a goroutine sends it, which ends when it has left or with the
// connection. If the one before waits yet, that is the one that is sent.
func (c *Conn) beat(h *heart, due time.Time) {
	h.due = due
	c.pinging = beatWaits
	if !h.sending {
		h.sending = true
		c.countPing()
		go c.sendBeat(h)
	}
	c.attendNow()
}

// errNoHeartbeat: the function that makes them did not return. Nothing is sent then,
// for the peer may not take what is no heartbeat of its kind.
var errNoHeartbeat = errors.New("websocket: the function that makes heartbeats did not return")

func (c *Conn) sendBeat(h *heart) {
	m := protocol.Message{Type: protocol.Text}
	if h.Binary {
		m.Type = protocol.Binary
	}
	err := errNoHeartbeat
	c.guarded(func() { m.Data, err = h.Message(), nil })
	sentAt := time.Now()
	if err == nil {
		err = c.Send(nil, m)
	}
	if err == nil {
		err = c.Flush(nil)
	}
	if err != nil && c.State() == protocol.Open {
		c.Logger().Error("websocket: heartbeat not sent", "error", err)
	}
	c.lock()
	defer c.unlock()
	h.sending = false
	if err == nil && c.pinging == beatWaits {
		c.pinging, c.rare.beatEnd = pingWritten, c.taken
		h.sentAt = sentAt
	}
}

// isAnswer reports whether c.event is a message and the answer to a heartbeat,
// and takes note of it. The application is asked without the lock, and with the
// reader token, so that the message stays where it is; a receiver may take what is
// in the queue meanwhile. The token is free or ours.
func (c *Conn) isAnswer() (yes bool) {
	if !c.asksHeart() || c.event.Kind != protocol.EventMessage {
		return false
	}
	h := c.heart()
	data, whose := c.event.Data, c.reader
	placed := c.assembling && c.event.Owned // behind what the receiver has
	if placed {
		data = data[len(c.dst):]
	}
	judged := c.event
	c.reader, c.judging = background, true
	c.unlock()
	yes = c.judge(h, data)
	c.lock()
	c.reader, c.judging, c.event = whose, false, judged
	c.waiters.wakeAll()
	if yes {
		c.assembling = c.assembling && !placed
		c.answered(h)
	}
	return yes
}

// judge asks the application. It is apart, for what it takes of the heap is not for each
// message of those that are not asked.
func (c *Conn) judge(h *heart, data []byte) (yes bool) {
	c.guarded(func() { yes = h.Answer(data) })
	return yes
}

// answered counts an answer as a pong. A second one for the same heartbeat has
// no round trip.
func (c *Conn) answered(h *heart) {
	c.keeper.pongDue = h.due.Sub(c.start())
	if !h.sentAt.IsZero() {
		c.countPong(c.lastByte().Sub(h.sentAt))
		h.sentAt = time.Time{}
	}
}

// guarded calls a function of the application's in a goroutine of its own, for it may
// panic, or end its goroutine: neither is to take the caller's along, which has more to
// do, or other connections.
func (c *Conn) guarded(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() {
			if !returned {
				c.Logger().Error("websocket: heartbeat function did not return", "panic", recover(), "stack", string(debug.Stack()))
			}
		}()
		f()
		returned = true
	}()
	<-done
}
