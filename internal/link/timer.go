package link

import "time"

// lazyTimer is a timer that costs nothing until it is first used.
type lazyTimer struct {
	timer *time.Timer // nil: it is not set, and nothing will be called
}

// start has f called, in a goroutine of its own and with c.mu held, after d,
// unless the timer is set already.
func (t *lazyTimer) start(c *Conn, d time.Duration, f func(*Conn)) {
	if t.timer != nil {
		return
	}
	t.timer = time.AfterFunc(d, func() {
		c.lock()
		defer c.unlock()
		t.timer = nil
		f(c)
	})
}

// stop has f not called, unless it is about to be.
func (t *lazyTimer) stop() {
	if t.timer != nil && t.timer.Stop() {
		t.timer = nil
	}
}
