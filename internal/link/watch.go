package link

import "context"

// A watch has something done when a context ends. It keeps its registration
// for the next call with the same context, recognised by its Done channel:
// comparing contexts may panic.
type watch struct {
	done <-chan struct{}
	stop func() (stopped bool)
}

// watchRead has a read interrupted when the Limit's context ends.
func (c *Conn) watchRead(l *Limit) {
	if c.rare != nil || l.done() != nil {
		c.rarely().readWatch.on(c, l, (*Conn).pokeReader)
	}
}

// watchWrite has a write interrupted when the Limit's context ends.
func (c *Conn) watchWrite(l *Limit) {
	if c.rare != nil || l.done() != nil {
		c.rarely().writeWatch.on(c, l, (*Conn).pokeWriter)
	}
}

// unwatch ends what was registered.
func (c *Conn) unwatch() {
	if c.rare != nil {
		c.rare.readWatch.off()
		c.rare.writeWatch.off()
	}
}

// on registers act for the Limit's context. c.mu is held; act is called with
// it held.
func (w *watch) on(c *Conn, l *Limit, act func(*Conn)) {
	done := l.done()
	if done == w.done {
		return
	}
	w.off()
	if done == nil {
		return
	}
	w.done = done
	w.stop = context.AfterFunc(l.Context, func() {
		c.lock()
		defer c.unlock()
		if w.done == done {
			act(c)
		}
	})
}

// off ends the registration.
func (w *watch) off() {
	if w.stop != nil {
		w.stop()
	}
	*w = watch{}
}
