package keepalive

import (
	"sync"
	"time"
)

// A Timer calls the Tick of one target on time. Between two calls it has no
// goroutine, only a timer of the runtime's, which starts one for each call; it
// ends with the call. The zero value is ready for use; a Timer must not be
// copied. Its methods may be called from everywhere: also from within Tick, and
// with locks held that Tick takes. They neither wait nor call Tick.
type Timer struct {
	// Slack is how much later than it asked for the target may be called: at
	// the next multiple of this by the wall clock, which is the same for all
	// Timers of a process, so that several wake it up together. A call that is
	// to come within twenty times this comes on time. 0 means [DefaultSlack],
	// negative none. It is set before Start.
	Slack time.Duration

	mu      sync.Mutex
	target  Target // nil before Start and after Stop
	timer   *time.Timer
	ticking bool // Tick is under way
	again   bool // ... and is to be called once more
}

// Start has the target called at first for the first time, or with a zero time
// when it is woken. It is called once.
func (t *Timer) Start(target Target, first time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.target = target
	t.timer = time.AfterFunc(t.wait(first, time.Now()), t.fire)
}

// Wake has the target's Tick called at once. Before Start and after Stop it
// does nothing.
func (t *Timer) Wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.target == nil:
	case t.ticking:
		t.again = true
	default:
		t.timer.Reset(0)
	}
}

// Stop ends it: Tick is not called any more. A call under way goes on.
func (t *Timer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop()
}

func (t *Timer) stop() {
	if t.target != nil {
		t.target = nil
		t.timer.Stop()
	}
}

// fire is the goroutine. There may be two of them: Wake may have been called
// when the time had just come.
func (t *Timer) fire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.again = true
	for t.again && !t.ticking && t.target != nil {
		t.tick()
	}
}

// tick calls Tick, and sets the timer unless there is to be another call.
func (t *Timer) tick() {
	t.again = false
	next, ok := t.call(time.Now())
	switch {
	case !ok:
		t.stop()
	case !t.again && t.target != nil:
		t.timer.Reset(t.wait(next, time.Now())) // Tick may have taken its time
	}
}

// call calls Tick without the lock, which is taken again also if Tick ends the
// goroutine.
func (t *Timer) call(now time.Time) (next time.Time, ok bool) {
	target := t.target
	t.ticking = true
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		t.ticking = false
	}()
	return target.Tick(now)
}

// worthRounding is how many times the slack a wait must be to be made longer by it:
// a deadline that is near is not to be missed by much of the time that is left.
const worthRounding = 20

// wait returns how long to wait for next: up to the end of the slot of the wall
// clock that it is in, if that can be said. Each of a process's Timers has read the
// same clock just now, so they agree where slots end, whatever has become of the clock
// since their targets began.
func (t *Timer) wait(next, now time.Time) time.Duration {
	d, slot := until(next, now), resolve(t.Slack, DefaultSlack)
	if slot <= 0 || d < worthRounding*slot || d > never-slot {
		return d
	}
	into := (now.UnixNano()%int64(slot) + int64(d%slot)) % int64(slot)
	return d + (slot-time.Duration(into))%slot
}
