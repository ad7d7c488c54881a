package link

import "context"

// A watch has something done when a context ends. It keeps its registration
// for the next call with the same context, recognised by its Done channel:
// comparing contexts may panic.
type watch struct {
	done <-chan struct{}
	stop func() (stopped bool)
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
		c.mu.Lock()
		defer c.mu.Unlock()
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
