package link

import (
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// An event is what one of the hooks is told.
type event struct {
	kind eventKind
	took time.Duration
	err  *keepalive.TimeoutError
}

type eventKind uint8

const (
	pingSent eventKind = iota
	pongReceived
	paused
	resumed
	timedOut
)

// An audience calls the hooks. Whoever notices something holds the lock, and
// may be the reader or a thread that many connections share, so it is only
// written down there; see keepalive.Hooks. Guarded by Conn.mu.
type audience struct {
	hooks   *keepalive.Hooks
	conn    keepalive.Conn // the face's
	events  []event        // not told yet
	telling bool           // a goroutine is at it
}

// SetHooks has the hooks of the options, if there are any, told what happens,
// as of conn. It is called before Init.
func (c *Conn) SetHooks(conn keepalive.Conn, hooks *keepalive.Hooks) {
	if hooks != nil {
		c.rarely().audience = &audience{hooks: hooks, conn: conn}
	}
}

// tell has the hooks told. c.mu is held.
func (c *Conn) tell(e event) {
	if c.rare == nil || c.rare.audience == nil {
		return
	}
	a := c.rare.audience
	if len(a.events) == keepalive.MaxHookEvents {
		a.events = a.events[:copy(a.events, a.events[1:])]
	}
	a.events = append(a.events, e)
	if !a.telling {
		a.telling = true
		go c.tellAll(a) // ends when all is told
	}
}

// tellAll calls the hooks until there is nothing more to tell. It needs the
// lock but no desk.
func (c *Conn) tellAll(a *audience) {
	for {
		c.mu.Lock()
		if len(a.events) == 0 {
			a.events, a.telling = nil, false
			c.mu.Unlock()
			return
		}
		e := a.events[0]
		a.events = a.events[1:]
		c.mu.Unlock()
		c.call(a, e)
	}
}

// call calls the hook, if there is one. A panic of the application's must not
// take other connections down, here no more than in a handler.
func (c *Conn) call(a *audience, e event) {
	defer func() {
		if v := recover(); v != nil {
			c.Logger().Error("websocket: keepalive hook panicked", "panic", v)
		}
	}()
	h := a.hooks
	switch {
	case e.kind == pingSent && h.PingSent != nil:
		h.PingSent(a.conn, e.took)
	case e.kind == pongReceived && h.PongReceived != nil:
		h.PongReceived(a.conn, e.took)
	case e.kind == paused && h.Paused != nil:
		h.Paused(a.conn)
	case e.kind == resumed && h.Resumed != nil:
		h.Resumed(a.conn, e.took)
	case e.kind == timedOut && h.TimedOut != nil:
		h.TimedOut(a.conn, e.err)
	}
}

// tellPingSent tells of the latest of keepalive's pings, which has just left.
// Before the first one there is none.
func (c *Conn) tellPingSent() {
	if n := len(c.waiting); n > 0 {
		c.tell(event{kind: pingSent, took: time.Since(c.start()) - c.waiting[n-1].due})
	}
}
