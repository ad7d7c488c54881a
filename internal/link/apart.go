package link

import "sync"

// A Helper does what takes more of the stack than a connection that waits in
// Recv is to keep; see receiver. Each errand is run by a goroutine of its own,
// with which its stack goes. The connections of a server share a Helper.
type Helper struct{ errands sync.Pool }

// An errand is what is being done for a connection.
type errand struct {
	conn     *Conn
	do       func(*Conn)
	panicked any

	run  func()        // start, made once, for making it allocates
	done chan struct{} // holds one value
}

// apart calls do, by the Helper if there is one, and panics if do does. do is
// what extensions make of a message: ours compresses, with several times the
// stack that is there, and what others do nobody knows. c.mu is held.
func (c *Conn) apart(do func(*Conn)) {
	h := c.opts.Helper
	if h == nil {
		do(c)
		return
	}
	e, ok := h.errands.Get().(*errand)
	if !ok {
		e = newErrand()
	}
	e.conn, e.do = c, do
	go e.run() // ends when it is done
	<-e.done
	v := e.panicked
	e.conn, e.do, e.panicked = nil, nil, nil
	h.errands.Put(e)
	if v != nil {
		panic(v)
	}
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
	defer func() {
		e.panicked = recover()
		e.done <- struct{}{}
	}()
	e.do(e.conn)
}

//go:noinline
func setAside(*[roomApart]byte) {}
