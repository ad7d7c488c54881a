package main

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A faultyLink is a TCP proxy on loopback that can be slow, and can go silent
// without closing anything, as a router does that has forgotten a connection.
type faultyLink struct {
	listener net.Listener
	target   string // what it leads to
	rate     int    // in bytes/s each way; 0: as fast as it goes
	silent   atomic.Bool
	pumps    sync.WaitGroup

	mu        sync.Mutex // guards the following
	conns     []net.Conn
	closed    bool
	delivered time.Time // when the client was last handed a byte
}

// newFaultyLink starts a link to target.
func newFaultyLink(target string, rate int) (*faultyLink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &faultyLink{listener: listener, target: target, rate: rate}
	l.pumps.Go(l.accept) // ends when the listener is closed
	return l, nil
}

// url returns the link's own URL of the path at its target.
func (l *faultyLink) url(path string) string {
	return "ws://" + l.listener.Addr().String() + path
}

// silence makes the link swallow everything from now on. It goes on reading,
// so TCP on both sides has no reason to complain.
func (l *faultyLink) silence() { l.silent.Store(true) }

// lastDelivery returns when the client was last handed a byte: an observer's
// word on the last byte, who is neither client nor server.
func (l *faultyLink) lastDelivery() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.delivered
}

// close closes the link and all that goes through it, and waits for its
// goroutines.
func (l *faultyLink) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.closed = true
	l.listener.Close()
	for _, conn := range l.conns {
		conn.Close()
	}
	l.mu.Unlock()
	l.pumps.Wait()
}

// accept connects each client to the target. One that the target does not take
// is closed, as a proxy does.
func (l *faultyLink) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.target)
		if err != nil {
			client.Close()
			continue
		}
		if l.adopt(client, server) {
			l.pumps.Go(func() { l.pump(server, client, func() {}) }) // both end with the link
			l.pumps.Go(func() { l.pump(client, server, l.noteDelivery) })
		}
	}
}

// adopt remembers connections, to close them; a link that is closed does so at
// once.
func (l *faultyLink) adopt(conns ...net.Conn) (ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		for _, conn := range conns {
			conn.Close()
		}
		return false
	}
	l.conns = append(l.conns, conns...)
	return true
}

// noteDelivery notes that the client is handed something.
func (l *faultyLink) noteDelivery() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delivered = time.Now()
}

// pump forwards from one side to the other, and its end too, until the link
// goes silent.
func (l *faultyLink) pump(dst, src net.Conn, note func()) {
	buf := make([]byte, l.chunk())
	pace := pace{rate: l.rate}
	for {
		n, err := src.Read(buf)
		switch {
		case l.silent.Load():
			n = 0 // swallowed
		case n > 0:
			note() // before, for the receiver may be quicker than we are
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			l.forwardEnd(dst)
			return
		}
		pace.wait(n)
	}
}

// chunk returns how much is read at a time: of a slow link, what it carries in
// a fiftieth of a second, so that it flows and does not come in gulps.
func (l *faultyLink) chunk() int {
	if l.rate == 0 {
		return 32 << 10
	}
	return max(l.rate/50, 1)
}

// forwardEnd ends the direction to dst, as its source has ended, unless the
// link is silent.
func (l *faultyLink) forwardEnd(dst net.Conn) {
	if tcp, ok := dst.(*net.TCPConn); ok && !l.silent.Load() {
		tcp.CloseWrite()
	}
}

// A pace keeps a direction at its rate.
type pace struct {
	rate int       // bytes/s; 0: no limit
	next time.Time // when the next bytes may be read
}

// wait waits as long as n bytes take. It counts from when they were due and not
// from now, so that oversleeping does not add up; time that the link had
// nothing to carry is not made up for.
func (p *pace) wait(n int) {
	if p.rate == 0 || n == 0 {
		return
	}
	const patience = 200 * time.Millisecond
	if now := time.Now(); p.next.Before(now.Add(-patience)) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(n) * time.Second / time.Duration(p.rate))
	time.Sleep(time.Until(p.next))
}
