package link

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Of very many connections most do nothing but keepalive, so its ping and the pong
// are to touch as little as messages do of a calm connection: no desk, neither for who
// sends the ping nor for who reads the pong. All that has to be known of such a ping
// follows from what the Conn has anyhow: it was sent at keeper.lastTook, its payload
// follows from that, the schedule knows when it was due, and it is the last that the
// transport has taken, for nothing is sent calmly until it is answered. Whoever stirs
// the connection has the desk told of it.

// A calmPing is what it takes to send one. What the schedule is shown and says is here
// because goroutines that do nothing else have small stacks.
type calmPing struct {
	once
	small  [protocol.MaxHeaderSize + protocol.PingSize]byte
	seen   keepalive.Evidence
	action keepalive.Action
}

var calmPings = newStock(newCalmPing)

func newCalmPing() *calmPing {
	p := new(calmPing)
	p.write = p.writing()
	return p
}

// tickCalmly is tick without a desk, unless the schedule wants more than a ping.
// c.mu is held.
func (c *Conn) tickCalmly(now time.Time) (next time.Time, ok bool) {
	p := calmPings.take()
	c.ask(p, now)
	if p.action.Kind == keepalive.Ping && c.pingCalmly(p) {
		c.ask(p, now)
	}
	if next, ok = p.action.At, true; p.action.Kind != keepalive.Wait {
		next, ok = c.followStirred(now, &p.action)
	}
	p.action = keepalive.Action{}
	calmPings.giveBack(p)
	return next, ok
}

// ask asks the schedule.
//
//go:noinline
func (c *Conn) ask(p *calmPing, now time.Time) {
	c.gatherCalm(&p.seen)
	p.action = c.keeper.monitor.Next(now, &p.seen)
}

// followStirred is follow for a connection that was calm. It is not inlined, for the
// sake of the stack.
//
//go:noinline
func (c *Conn) followStirred(now time.Time, action *keepalive.Action) (next time.Time, ok bool) {
	c.sitIfAway()
	c.stir()
	c.gather(now)
	return c.follow(now, action)
}

// pingsCalmly reports that a ping may be sent without the desk, and that somebody
// will read the pong.
func (c *Conn) pingsCalmly() bool {
	return c.reader != nobody && c.mood&(sendingCalmly|pinged) == 0 && c.restsCalmly() &&
		c.pinging == pingWritten && c.closing == notClosing && !c.aborted &&
		(c.rare == nil || c.rare.heart == nil && c.rare.audience == nil)
}

// restsCalmly reports that nothing is at the desk.
func (c *Conn) restsCalmly() bool { return c.desk == nil || c.isCalm() && !c.inBatch() }

// pingCalmly sends p. If the transport takes nothing at once left is false, and nothing
// was done.
func (c *Conn) pingCalmly(p *calmPing) (left bool) {
	at := time.Since(c.start())
	p.frame, p.n = c.appendCalmPing(p.small[:0], at), 0
	ok, err := c.tr().writeOnce(&p.once)
	if !ok || err == nil && p.n == 0 {
		return false
	}
	c.mood |= pinged
	c.keeper.lastTook = at
	c.taken += int64(p.n)
	c.countPing()
	if p.n < len(p.frame) {
		c.finishPing(p.frame[p.n:], err)
	}
	return true
}

// finishPing goes on when the transport has not taken the rest of a ping, because of
// err or because it is full.
func (c *Conn) finishPing(rest []byte, err error) {
	c.sitIfAway()
	c.stir()
	if err != nil {
		c.writeFailed(err)
		return
	}
	c.pend.buf = append(c.pend.borrow(), rest...)
	c.pinging = pingEncoded
	c.flush()
}

func (c *Conn) appendCalmPing(dst []byte, at time.Duration) []byte {
	payload := calmPayload(at)
	return c.appendPayload(c.essence().AppendPingHeader(dst, len(payload)), payload[:])
}

// calmPayload returns the payload of a ping that is sent at a time. Who has not seen it
// guesses it once in 2^32.
func calmPayload(at time.Duration) (payload [protocol.PingSize]byte) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(at))
	binary.LittleEndian.PutUint32(payload[:], uint32(maphash.Bytes(payloads, b[:])))
	return payload
}

var payloads = maphash.MakeSeed()

// tellPing tells the desk of the ping.
//
//go:noinline
func (c *Conn) tellPing() {
	c.mood &^= pinged
	payload := calmPayload(c.keeper.lastTook)
	id := c.proto.SentPing(payload[:], c.start().Add(c.keeper.lastTook))
	c.waiting.push(id, c.pingDue())
	c.waiting.left(c.taken)
}

// pingDue returns when the latest ping was due.
func (c *Conn) pingDue() time.Duration { return c.keeper.monitor.Pinged().Sub(c.start()) }

// takePong takes the n bytes that were read if they are the pong of the ping and nothing
// else. It is called within the system's read and does not wait for c.mu: who closes a
// socket waits for such reads, and may have c.mu. The pong does not count against the
// peer's allowance of control frames: there is one at most for each of our pings.
func (c *Conn) takePong(n int) (taken bool) {
	in := &c.in
	if in.direct != 0 || in.window != nil {
		return false
	}
	payload, ok := c.essence().LonePong(in.block[:n])
	if !ok || !c.mu.TryLock() {
		return false
	}
	if taken = c.mood&pinged != 0 && c.restsCalmly() && payload == calmPayload(c.keeper.lastTook); taken {
		c.mood &^= pinged
		c.stats.lastByte = time.Since(c.start())
		c.keeper.pongDue = c.pingDue()
		c.countPong(c.stats.lastByte - c.keeper.lastTook)
	}
	c.mu.Unlock()
	return taken
}
