package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// load is clients that answer pings, and say something if they are to.
type load struct {
	plan    *plan
	clients []client
	closing atomic.Bool
	all     sync.WaitGroup
	done    chan struct{}
}

type client struct {
	conn  net.Conn
	pings atomic.Int64 // and pongs that were not asked for
	mu    sync.Mutex   // for writing
}

// dialers is how many clients connect at a time.
const dialers = 32

func newLoad(addr string, p *plan) *load {
	l := &load{plan: p, clients: make([]client, p.conns), done: make(chan struct{})}
	var next atomic.Int64
	var dialing sync.WaitGroup
	for range dialers {
		dialing.Go(func() {
			for i := next.Add(1) - 1; i < int64(p.conns); i = next.Add(1) - 1 {
				l.clients[i].dial(addr)
				l.all.Go(func() { l.clients[i].answer(&l.closing) })
			}
		})
	}
	dialing.Wait()
	if p.every > 0 {
		l.all.Go(l.talk)
	}
	return l
}

// settle waits until each connection has been pinged about twice, so that what
// the first ping needs is not measured.
func (l *load) settle() { time.Sleep(2*interval + interval/2) }

func (l *load) pings() (n int64) {
	for i := range l.clients {
		n += l.clients[i].pings.Load()
	}
	return n
}

func (l *load) close() {
	l.closing.Store(true)
	close(l.done)
	for i := range l.clients {
		l.clients[i].conn.Close()
	}
	l.all.Wait()
}

// dial connects. The opening handshake is read byte by byte, so that a ping
// that is right behind it stays where it is.
func (c *client) dial(addr string) {
	c.conn = must(net.Dial("tcp", addr))
	must(io.WriteString(c.conn, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
	head := make([]byte, 0, 512)
	for n := 0; n < 4 || string(head[n-4:n]) != "\r\n\r\n"; n = len(head) {
		must(io.ReadFull(c.conn, head[len(head):len(head)+1]))
		head = head[:len(head)+1]
	}
	resp := must(http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil))
	if resp.StatusCode != http.StatusSwitchingProtocols {
		check(fmt.Errorf("opening handshake: %s", resp.Status))
	}
}

// answer sends a pong for each ping, until the connection ends.
func (c *client) answer(closing *atomic.Bool) {
	buf, have := make([]byte, 256), 0
	for {
		n, err := c.conn.Read(buf[have:])
		if err != nil {
			if !closing.Load() {
				check(fmt.Errorf("a connection has ended: %w", err))
			}
			return
		}
		have += n
		used := c.frames(buf[:have])
		have = copy(buf, buf[used:have])
	}
}

// frames answers the frames in b and returns how many bytes they have. They are
// small, for nobody sends large ones here.
func (c *client) frames(b []byte) (used int) {
	for len(b)-used >= 2 {
		frame := b[used:]
		size := 2 + int(frame[1])
		if len(frame) < size {
			break
		}
		switch frame[0] {
		case 0x89:
			c.pings.Add(1)
			c.write(0x8a, frame[2:size])
		case 0x8a:
			c.pings.Add(1)
		default:
			check(fmt.Errorf("a client was sent %x", frame[:size]))
		}
		used += size
	}
	return used
}

// write writes a frame, masked with zeros, which leave the payload as it is: it
// is the server that is measured.
func (c *client) write(first byte, payload []byte) {
	var frame [64]byte
	b := append(frame[:0], first, 0x80|byte(len(payload)), 0, 0, 0, 0)
	b = append(b, payload...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn.Write(b) // whether that failed the reader finds out
}

// talk has each client send a message once in a while, all of them spread.
func (l *load) talk() {
	message := []byte("a message of 32 bytes, in a text")
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	begin, sent := time.Now(), 0
	for {
		select {
		case <-l.done:
			return
		case <-ticker.C:
		}
		due := int(float64(l.plan.conns) * float64(time.Since(begin)) / float64(l.plan.every))
		for ; sent < due; sent++ {
			l.clients[sent%len(l.clients)].write(0x81, message)
		}
	}
}
