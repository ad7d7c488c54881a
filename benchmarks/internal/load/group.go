//go:build linux

package load

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Group is a number of connections that one thread serves.
type Group struct {
	epoll  int
	conns  []*conn
	events [256]unix.EpollEvent
	buf    []byte
	busy   int // connections that wait for an answer
	over   bool
	echo   bool // the peer begins
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
	Bytes    int64           // that came back
	Times    []time.Duration // that exchanges took, batch and answer
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
	g.result = Result{Times: make([]time.Duration, 0, 1<<16)}
	end := time.Now().Add(d)
	g.over, g.busy = d == 0, len(g.conns)
	for _, c := range g.conns {
		if err := c.begin(); err != nil {
			return nil, err
		}
	}
	for g.busy > 0 {
		n, err := g.wait(10_000)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, fmt.Errorf("%d connections got no answer within 10 s", g.busy)
		}
		g.over = g.over || !time.Now().Before(end)
	}
	return &g.result, nil
}

// RunTogether has each connection exchange one batch, and again when all of them
// got their answers, for a time. The time of such a round is an exchange's.
func (g *Group) RunTogether(d time.Duration) (*Result, error) {
	var all Result
	for end := time.Now().Add(d); len(all.Times) == 0 || time.Now().Before(end); {
		began := time.Now()
		r, err := g.Run(0)
		if err != nil {
			return nil, err
		}
		all.Messages += r.Messages
		all.Bytes += r.Bytes
		all.Times = append(all.Times, time.Since(began))
	}
	return &all, nil
}

// Answer says a batch on a connection whenever what the script calls the answer
// has come: the group is the server. It ends when stop is set.
func (g *Group) Answer(stop *atomic.Bool) error {
	g.echo = true
	for _, c := range g.conns {
		c.want = c.script.Answer
	}
	for !stop.Load() {
		if _, err := g.wait(20); err != nil {
			return err
		}
	}
	return nil
}

// Attend answers the pings on connections on which nothing else is said, until
// one of them ends.
func (g *Group) Attend() error {
	for _, c := range g.conns {
		c.want = math.MaxInt
		if err := g.serve(c); err != nil { // what came before does not come up again
			return err
		}
	}
	for {
		if _, err := g.wait(-1); err != nil {
			return err
		}
	}
}

// wait serves what is ready within so many milliseconds, or if it is
// negative at any time, and returns on how many
// connections something was.
func (g *Group) wait(timeout int) (int, error) {
	n, err := unix.EpollWait(g.epoll, g.events[:], timeout)
	if errors.Is(err, unix.EINTR) {
		return 1, nil
	}
	if err != nil {
		return 0, os.NewSyscallError("epoll_wait", err)
	}
	for _, event := range g.events[:n] {
		if err := g.serve(g.conns[event.Fd]); err != nil {
			return 0, err
		}
	}
	return n, nil
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
		g.result.Bytes += int64(n)
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
	if g.echo {
		return c.begin()
	}
	g.result.Times = append(g.result.Times, time.Since(c.began))
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
	if err == nil && len(c.scan.pongs) > 0 {
		c.out = append(slices.Clip(c.out), c.scan.pongs...)
		c.scan.pongs = nil
		err = c.write()
	}
	return err
}
