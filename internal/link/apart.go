package link

import (
	"errors"
	"runtime/debug"
	"sync"

	"github.com/tandemws/tandem/protocol"
)

// A Helper does what takes more of the stack than a connection that waits in
// Recv is to keep; see receiver. Each errand is run by a goroutine of its own,
// with which its stack goes. The connections of a server share a Helper.
type Helper struct{ errands sync.Pool }

// An errand is what is being done for a connection.
type errand struct {
	conn *Conn
	do   func(*Conn)
	ok   bool

	run  func()        // start, made once, for making it allocates
	done chan struct{} // holds one value
}

// apart calls do, by the Helper if there is one. do is what extensions make of a
// message: ours compresses, with several times the stack that is there, and what
// others do nobody knows. If it panics the connection has failed, and ok is
// false. c.mu is held.
func (c *Conn) apart(do func(*Conn)) (ok bool) {
	h := c.opts.Helper
	if h == nil {
		return c.attempt(do)
	}
	e, ok := h.errands.Get().(*errand)
	if !ok {
		e = newErrand()
	}
	e.conn, e.do = c, do
	go e.run() // ends when it is done
	<-e.done
	ok = e.ok
	e.conn, e.do = nil, nil
	h.errands.Put(e)
	return ok
}

func newErrand() *errand {
	e := &errand{done: make(chan struct{}, 1)}
	e.run = e.start
	return e
}

// roomApart is how much of the stack in bytes is set aside at the beginning of an
// errand: to move a stack costs little as long as little is on it.
const roomApart = 4 << 10

func (e *errand) start() {
	var room [roomApart]byte
	setAside(&room)
	e.ok = false
	defer func() { e.done <- struct{}{} }()
	e.ok = e.conn.attempt(e.do)
}

// errExtension: an extension panicked, or ended the goroutine that called it. What
// it would make of another message nobody knows; and its panic must not keep
// c.mu from being let go of, on which other connections may wait.
var errExtension = errors.New("websocket: an extension panicked")

// attempt calls do, and fails the connection if that does not return.
func (c *Conn) attempt(do func(*Conn)) (ok bool) {
	defer func() {
		if !ok {
			go c.tellPanic(recover(), string(debug.Stack())) // for that takes c.mu
			c.failNow(protocol.InternalError, "", errExtension)
		}
	}()
	do(c)
	return true
}

//go:noinline
func setAside(*[roomApart]byte) {}

func (c *Conn) tellPanic(v any, stack string) {
	c.Logger().Error("websocket: extension panicked", "panic", v, "stack", stack)
}
