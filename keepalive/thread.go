package keepalive

import (
	"sync"
	"time"
)

// A Thread calls the Tick of any number of targets on time, from one goroutine
// that runs only while targets are registered. The zero value is ready for
// use; a Thread must not be copied. Its methods, and those of [Entry], may be
// called from everywhere: also from within Tick, and with locks held that Tick
// takes. They neither wait nor call Tick.
type Thread struct {
	// Now is the clock, by default time.Now. A test can be late with it. It
	// is set before the first Add.
	Now func() time.Time

	// Slack is how much later than it asked for a target may be called, so
	// that several are called together: to wake up, and to wake those who read
	// the answers, costs more than the calls. Use is made of it only where
	// more than a few are due within it. Where a [Monitor] has a Timeout of
	// less than four times this it may ping once more for it. 0 means
	// [DefaultSlack], negative none. It is set before the first Add.
	Slack time.Duration

	mu      sync.Mutex
	epoch   time.Time     // what the times of entries count from
	agenda  agenda        // the registered entries
	running bool          // the goroutine is
	setTo   time.Duration // when the goroutine wakes by itself; 0: it does not wait
	wake    chan struct{} // wakes it sooner; holds one value
}

// DefaultSlack is that of a [Thread]. With ten thousand connections that are
// pinged every second it saves a quarter of the CPU time and more.
const DefaultSlack = 5 * time.Millisecond

// An Entry is a target's place on a [Thread], always the same one. The zero
// value is not registered, and Wake and Stop do nothing. It must not be
// copied. The first Add comes before all other calls; those may be concurrent.
type Entry struct {
	thread  *Thread
	target  Target
	index   int32 // on the agenda, there
	where   where // ... and where that is
	ticking bool  // Tick is under way, and nothing was decided since
}

// Add registers target, to be called at first for the first time, or with a
// zero time when it is woken. An Entry that is registered is registered anew.
func (t *Thread) Add(e *Entry, target Target, first time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begin()
	if e.thread == nil {
		e.thread = t
	}
	if e.where != nowhere {
		t.agenda.remove(e)
	}
	e.target, e.ticking = target, false
	t.agenda.add(e, t.at(first))
	t.hurry()
}

// Len returns how many targets are registered.
func (t *Thread) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.agenda.len()
}

// Wake has the target's Tick called at once.
func (e *Entry) Wake() {
	t := e.thread
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.where != nowhere {
		e.ticking = false
		t.agenda.move(e, t.elapsed()) // and not before: others may be due longer
		if t.setTo != 0 {
			t.rouse()
		}
	}
}

// Stop ends the registration. Tick is not called any more; a call under way
// goes on.
func (e *Entry) Stop() {
	t := e.thread
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.where != nowhere {
		t.agenda.remove(e)
		t.hurry() // it may have been the last one
	}
}

// begin starts the goroutine unless it runs. It ends when nothing is
// registered any more.
func (t *Thread) begin() {
	if t.running {
		return
	}
	t.running = true
	if t.wake == nil {
		t.wake = make(chan struct{}, 1)
		t.epoch = t.now()
	}
	go t.loop()
}

// hurry wakes the goroutine if it would sleep for too long.
func (t *Thread) hurry() {
	if first := t.agenda.first(); first == nil || first.at < t.setTo {
		t.rouse()
	}
}

// rouse wakes the goroutine. If it does not wait, it looks at its agenda once
// too often.
func (t *Thread) rouse() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// loop is the goroutine, and begins another one if a Tick ends it: nobody else's
// keepalive is to end with that.
func (t *Thread) loop() {
	timer, over := time.NewTimer(never), false
	defer func() {
		timer.Stop()
		if !over {
			go t.loop()
		}
	}()
	for t.tickDue(timer) {
		select {
		case <-timer.C:
		case <-t.wake:
		}
	}
	over = true
}

// tickDue calls every Tick whose time has come, and sets the timer to the next
// one. It returns false when nothing is registered any more.
func (t *Thread) tickDue(timer *time.Timer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setTo = 0
	for first := t.agenda.first(); first != nil; first = t.agenda.first() {
		now := t.now()
		if wait := first.at - now.Sub(t.epoch); wait > 0 {
			if slack := t.slack(); t.agenda.crowded(first.at + slack) {
				wait += slack
			}
			t.setTo = first.at
			timer.Reset(wait)
			return true
		}
		t.tick(first.entry, now)
	}
	t.agenda = agenda{} // a hundred thousand may have been on it
	t.running = false
	return false
}

// tick calls one Tick. Meanwhile the entry keeps its place on the agenda, so that it
// can be stopped, woken and moved; whoever does that decides. Else it is the last one if
// it ends the goroutine.
func (t *Thread) tick(e *Entry, now time.Time) {
	var next time.Time
	var ok bool
	e.ticking = true
	defer func() { t.ticked(e, now, next, ok) }()
	next, ok = t.call(e.target, now)
}

// ticked puts the entry where its Tick wants it.
func (t *Thread) ticked(e *Entry, now, next time.Time, ok bool) {
	switch {
	case !e.ticking || e.where == nowhere:
	case ok:
		e.ticking = false
		// One that wants to be called at once waits for its turn.
		t.agenda.move(e, max(t.at(next), now.Sub(t.epoch)))
	default:
		t.agenda.remove(e)
	}
}

// call calls Tick without the lock, which is taken again also if Tick ends the
// goroutine.
func (t *Thread) call(target Target, now time.Time) (next time.Time, ok bool) {
	t.mu.Unlock()
	defer t.mu.Lock()
	return target.Tick(now)
}

// at returns a time as the agenda has it, a zero time being never. What was
// before the epoch is due at once.
func (t *Thread) at(when time.Time) time.Duration {
	if when.IsZero() {
		return never
	}
	return max(when.Sub(t.epoch), 0)
}

// slack is how long one that is due may wait for others.
func (t *Thread) slack() time.Duration { return max(resolve(t.Slack, DefaultSlack), 0) }

func (t *Thread) elapsed() time.Duration { return t.now().Sub(t.epoch) }

func (t *Thread) now() time.Time {
	if t.Now != nil {
		return t.Now()
	}
	return time.Now()
}
