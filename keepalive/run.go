package keepalive

import (
	"context"
	"time"
)

// A Target is a connection as its runner sees it: usually a [Monitor] behind
// a lock.
type Target interface {
	// Tick does what is to be done at now and returns when to call it again;
	// a zero time means when it is woken. With ok false it is not called any
	// more. It must not wait for anything, the peer least of all: a [Thread]
	// has other connections to see to.
	Tick(now time.Time) (next time.Time, ok bool)
}

// Run calls t.Tick at once, whenever the time that it asked for has come, and
// when a value arrives on wake, which may be nil. It returns when Tick returns
// false or ctx ends: it is the body of a goroutine that belongs to one
// connection.
func Run(ctx context.Context, t Target, wake <-chan struct{}) {
	run(ctx, t, wake, time.Now)
}

// run is Run with a clock, so that a test can be late.
func run(ctx context.Context, t Target, wake <-chan struct{}, clock func() time.Time) {
	timer := time.NewTimer(never)
	defer timer.Stop()
	for ctx.Err() == nil {
		next, ok := t.Tick(clock())
		if !ok {
			return
		}
		timer.Reset(until(next, clock())) // Tick may have taken its time
		select {
		case <-timer.C:
		case <-wake:
		case <-ctx.Done():
		}
	}
}

// never is how long to wait for nothing: it is woken before.
const never time.Duration = 1<<63 - 1

// until returns how long to wait for next, a zero time being never.
func until(next, now time.Time) time.Duration {
	if next.IsZero() {
		return never
	}
	return next.Sub(now)
}
