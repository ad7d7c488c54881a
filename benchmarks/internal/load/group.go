//go:build linux

package load

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A Group is a number of connections that one thread serves.
type Group struct {
	epoll  int
	conns  []*conn
	buf    []byte
	busy   int // connections that wait for an answer
	over   bool
	result Result
}

// conn is a connection and where in its script it is.
type conn struct {
	fd     int
	script *Script
	turn   int
	out    []byte // what is still to be written of the batch
	want   int    // what is still to come of the answer
	scan   scanner
	began  time.Time // when the batch was
}

// A Result is what came of a run.
type Result struct {
	Messages int64
	times    []time.Duration // of exchanges
}

// Quantile returns the time that a part q of all exchanges, batch and answer,
// took at most.
func (r *Result) Quantile(q float64) time.Duration {
	slices.Sort(r.times)
	return r.times[min(int(q*float64(len(r.times))), len(r.times)-1)]
}

// NewGroup returns a group without connections.
func NewGroup() (*Group, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return &Group{epoll: fd, buf: make([]byte, 256<<10)}, err
}

// Add takes the connection over, on which nothing has been said yet.
func (g *Group) Add(nc net.Conn, script *Script) error {
	defer nc.Close()
	file, err := nc.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	c := &conn{fd: fd, script: script}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff, Fd: int32(len(g.conns))}
	g.conns = append(g.conns, c)
	return unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, fd, &event)
}

// Close closes all connections.
func (g *Group) Close() {
	for _, c := range g.conns {
		unix.Close(c.fd)
	}
	unix.Close(g.epoll)
}

// Run exchanges batches on all connections for a time and then waits for the
// answers that are under way. With a time of 0 each connection exchanges one.
func (g *Group) Run(d time.Duration) (*Result, error) {
	g.result = Result{times: make([]time.Duration, 0, 1<<16)}
	end := time.Now().Add(d)
	g.over, g.busy = d == 0, len(g.conns)
	for _, c := range g.conns {
		if err := c.begin(); err != nil {
			return nil, err
		}
	}
	events := make([]unix.EpollEvent, 256)
	for g.busy > 0 {
		n, err := unix.EpollWait(g.epoll, events, 10_000)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("epoll_wait", err)
		}
		if n == 0 {
			return nil, fmt.Errorf("%d connections got no answer within 10 s", g.busy)
		}
		g.over = g.over || !time.Now().Before(end)
		for _, event := range events[:n] {
			if err := g.serve(g.conns[event.Fd]); err != nil {
				return nil, err
			}
		}
	}
	return &g.result, nil
}

// serve does what a connection is ready for. Its events come once for each
// change: what can be done has to be done now.
func (g *Group) serve(c *conn) error {
	if err := c.write(); err != nil {
		return err
	}
	for c.want > 0 {
		n, err := unix.Read(c.fd, g.buf)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			return nil
		}
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return os.NewSyscallError("read", err)
		}
		if err := c.received(g.buf[:n]); err != nil {
			return err
		}
		if c.want > 0 {
			continue
		}
		if err := g.answered(c); err != nil {
			return err
		}
	}
	return nil
}

// answered goes on with the next batch, unless the time is over.
func (g *Group) answered(c *conn) error {
	g.result.Messages += int64(c.script.Messages)
	g.result.times = append(g.result.times, time.Since(c.began))
	if g.over {
		g.busy--
		return nil
	}
	return c.begin()
}

func (c *conn) begin() error {
	c.out, c.want = c.script.batch(c.turn), c.script.Answer
	c.turn++
	c.began = time.Now()
	return c.write()
}

// write writes as much of the batch as the socket takes.
func (c *conn) write() error {
	for len(c.out) > 0 {
		n, err := unix.Write(c.fd, c.out)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("write", err)
		}
		c.out = c.out[max(n, 0):]
	}
	return nil
}

func (c *conn) received(b []byte) error {
	n, err := len(b), error(nil)
	if c.script.Framed {
		n, err = c.scan.scan(b)
	}
	if c.want -= n; c.want < 0 {
		return fmt.Errorf("more came back than was sent")
	}
	return err
}
