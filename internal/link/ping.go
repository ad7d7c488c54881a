package link

import (
	"slices"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// maxPongs bounds the pings of the application that wait for their pongs.
const maxPongs = 1024

// A Pong is the answer that a ping waits for.
type Pong struct {
	c       *Conn
	id      protocol.PingID
	settled bool
	rtt     time.Duration
	err     error
}

// Ping sends a ping and returns what to wait for its pong with; nil stands for
// a payload that is chosen at random. At the limit the ping may be sent later,
// but nobody will know of its pong.
func (c *Conn) Ping(l *Limit, payload []byte) (*Pong, error) {
	c.lock()
	if err := l.Reached(); err != nil {
		err = c.left(err)
		c.unlock()
		return nil, err
	}
	if len(c.pongs) == maxPongs {
		c.unlock()
		return nil, ErrTooManyPings
	}
	id, err := c.proto.SendPing(payload)
	if err != nil {
		c.unlock()
		return nil, err
	}
	c.countPing()
	pong := &Pong{c: c, id: id}
	c.pongs = append(c.pongs, pong)
	c.unlock()
	if err := c.Flush(l); err != nil {
		pong.forget()
		return nil, err
	}
	return pong, nil
}

// Pong sends an unsolicited pong (RFC 6455, section 5.5.3).
func (c *Conn) Pong(l *Limit, payload []byte) error {
	c.lock()
	err := l.Reached()
	if err == nil {
		err = c.proto.SendPong(payload)
	} else {
		err = c.left(err)
	}
	c.unlock()
	if err != nil {
		return err
	}
	return c.Flush(l)
}

// Wait waits for the pong, or for that of a later ping, reading if nobody else
// does, and returns the round-trip time. At the limit it returns and can be
// called again.
func (p *Pong) Wait(l *Limit) (time.Duration, error) {
	c := p.c
	c.lock()
	defer c.unlock()
	if err := c.await(l, func() bool { return p.settled }); err != nil {
		return 0, err
	}
	if !p.settled {
		return 0, c.recvErr
	}
	return p.rtt, p.err
}

// countPing counts a ping that is about to leave.
func (c *Conn) countPing() {
	c.stats.pingsSent++
	c.opts.Counters.ping()
}

// countPong counts a pong that answered a ping.
func (c *Conn) countPong(rtt time.Duration) {
	c.stats.addRTT(rtt)
	c.opts.Counters.answered(rtt)
	c.tell(event{kind: pongReceived, took: rtt})
}

// forget takes the ping from those that wait.
func (p *Pong) forget() {
	c := p.c
	c.lock()
	defer c.unlock()
	if i := slices.Index(c.pongs, p); i >= 0 {
		c.pongs = slices.Delete(c.pongs, i, i+1) // which clears what is behind
	}
}

// settle tells of the pings that a pong has answered.
func (c *Conn) settle() {
	settled := c.proto.Settled()
	if len(settled) == 0 {
		return
	}
	newest := settled[len(settled)-1]
	c.countPong(newest.RTT)
	if due := c.waiting.settle(newest.ID); due != 0 {
		c.keeper.pongDue = due
	}
	for len(c.pongs) > 0 && c.pongs[0].id <= newest.ID {
		pong := c.pongs[0]
		pong.settled, pong.rtt = true, newest.RTT
		for _, s := range settled {
			if s.ID == pong.id {
				pong.rtt = s.RTT
			}
		}
		c.pongs[0] = nil
		c.pongs = c.pongs[1:]
	}
	c.waiters.wakeAll()
}

// Latency returns the round-trip time of the latest ping that was answered, 0
// as long as none was.
func (c *Conn) Latency() time.Duration {
	c.lock()
	defer c.unlock()
	return c.stats.lastRTT
}
