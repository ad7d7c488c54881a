package link

import (
	"context"
	"os"
	"time"
)

// A Limit bounds how long a call may wait. nil and the zero Limit do not. At
// the limit the call leaves and the connection goes on; the error is that of
// the context, or [os.ErrDeadlineExceeded].
type Limit struct {
	Context  context.Context // nil: none
	Deadline time.Time       // zero: none
}

// After returns a Limit of d from now.
func After(d time.Duration) *Limit { return &Limit{Deadline: time.Now().Add(d)} }

// within returns the Limit, at most d from now; d of 0 or less means no bound.
func (l *Limit) within(d time.Duration) *Limit {
	if d <= 0 {
		return l
	}
	at := time.Now().Add(d)
	switch {
	case l == nil:
		return &Limit{Deadline: at}
	case l.Deadline.IsZero() || at.Before(l.Deadline):
		return &Limit{Context: l.Context, Deadline: at}
	}
	return l
}

// Bounded returns a context that ends at the Limit.
func (l *Limit) Bounded() (context.Context, context.CancelFunc) {
	ctx := context.Background()
	if l != nil && l.Context != nil {
		ctx = l.Context
	}
	if deadline := l.deadline(); !deadline.IsZero() {
		return context.WithDeadline(ctx, deadline)
	}
	return context.WithCancel(ctx)
}

// none reports that there is no limit.
func (l *Limit) none() bool { return l == nil || l.Context == nil && l.Deadline.IsZero() }

// never reports whether the Limit can never be reached.
func (l *Limit) never() bool { return l == nil || l.done() == nil && l.Deadline.IsZero() }

func (l *Limit) done() <-chan struct{} {
	if l == nil || l.Context == nil {
		return nil
	}
	return l.Context.Done()
}

func (l *Limit) deadline() (at time.Time) {
	if l != nil {
		at = l.Deadline
	}
	return at
}

// Reached returns the error of a Limit that is reached, else nil.
func (l *Limit) Reached() error {
	if l == nil {
		return nil // as of most calls, without a call of this
	}
	return l.reached()
}

func (l *Limit) reached() error {
	if l.Context != nil && l.Context.Err() != nil {
		return l.Context.Err()
	}
	if !l.Deadline.IsZero() && !time.Now().Before(l.Deadline) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// wait waits for a value from ready.
func (l *Limit) wait(ready <-chan struct{}) error {
	if l.none() {
		<-ready // as most calls do, for it takes less of the stack
		return nil
	}
	return l.waitAtMost(ready)
}

func (l *Limit) waitAtMost(ready <-chan struct{}) error {
	var late <-chan time.Time
	if at := l.deadline(); !at.IsZero() {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-ready:
		return nil
	case <-l.done():
		return l.Reached()
	case <-late:
		return os.ErrDeadlineExceeded
	}
}

// A waiter waits for something under Conn.mu to change.
type waiter struct {
	next  *waiter
	ready chan struct{} // holds one value; sent to with Conn.mu held
}

func newWaiter() *waiter { return &waiter{ready: make(chan struct{}, 1)} }

func (w *waiter) wake() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// A waitList is a condition whose waiters can be cancelled. Each looks again
// at what it is waiting for when it is woken.
type waitList struct{ first *waiter }

func (list *waitList) wakeAll() {
	for w := list.first; w != nil; w = w.next {
		w.wake()
	}
}

func (list *waitList) add(w *waiter) {
	w.next = list.first
	list.first = w
}

func (list *waitList) remove(w *waiter) {
	for at := &list.first; *at != nil; at = &(*at).next {
		if *at == w {
			*at = w.next
			return
		}
	}
}

// waitChange waits for the connection to change in a way that readers and
// closers care about. c.mu is held, and let go of while waiting.
func (c *Conn) waitChange(l *Limit) error {
	w := newWaiter()
	c.waiters.add(w)
	c.unlock()
	err := l.wait(w.ready)
	c.lock()
	c.waiters.remove(w)
	return err
}
