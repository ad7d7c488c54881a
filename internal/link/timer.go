package link

import "time"

// lazyTimer is a timer that costs nothing until it is first used.
type lazyTimer struct {
	timer *time.Timer
	set   bool
}

// start has f called, in a goroutine of its own and with c.mu held, after d,
// unless the timer is set already.
func (t *lazyTimer) start(c *Conn, d time.Duration, f func(*Conn)) {
	switch {
	case t.set:
		return
	case t.timer == nil:
		t.timer = time.AfterFunc(d, func() {
			c.lock()
			defer c.unlock()
			t.set = false
			f(c)
		})
	default:
		t.timer.Reset(d)
	}
	t.set = true
}

func (t *lazyTimer) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
	t.set = false
}
