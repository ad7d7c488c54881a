package keepalive

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A scripted target does what a test says at each call, and writes down when
// it was called. In a bubble times are durations since the start of the test.
type scripted struct {
	start time.Time
	mu    sync.Mutex // of calls: who looks at them need not be waited for by who calls
	calls []time.Duration
	tick  func(now time.Duration) (next time.Duration, ok bool)
}

func newScripted(tick func(now time.Duration) (time.Duration, bool)) *scripted {
	return &scripted{start: time.Now(), tick: tick}
}

// whenWoken, as the next time, means: when it is woken.
const whenWoken time.Duration = -1

func (s *scripted) Tick(now time.Time) (time.Time, bool) {
	s.mu.Lock()
	s.calls = append(s.calls, now.Sub(s.start))
	s.mu.Unlock()
	next, ok := s.tick(now.Sub(s.start))
	if next == whenWoken {
		return time.Time{}, ok
	}
	return s.start.Add(next), ok
}

// wantCalls is asked in the bubble of the target's runner.
func (s *scripted) wantCalls(t *testing.T, want ...time.Duration) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.calls, want) {
		t.Errorf("called at %v, want %v", s.calls, want)
	}
}

// started runs f in a goroutine and returns what is closed when it is over.
func started(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Run calls Tick at once, then whenever it asked for, until it returns false.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(func(now time.Duration) (time.Duration, bool) {
			return now*2 + sec, now < 10*sec
		})
		Run(t.Context(), s, nil)
		s.wantCalls(t, 0, sec, 3*sec, 7*sec, 15*sec)
	})
}

// A Monitor on Run pings for a day, each ping exactly when it is due.
func TestRunForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeConn(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 3 * sec})
		ctx, cancel := context.WithCancel(t.Context())
		done := started(func() { Run(ctx, c, nil) })
		time.Sleep(24 * time.Hour)
		cancel()
		<-done
		c.wantGrid(t, 3*sec, 20*sec, 24*time.Hour)
	})
}

// A value on wake has Tick called at once, also when it wants nothing else.
func TestRunWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(func(now time.Duration) (time.Duration, bool) {
			if now < 2*time.Hour {
				return whenWoken, true
			}
			return now + time.Minute, now < 3*time.Hour
		})
		wake := make(chan struct{}, 1)
		done := started(func() { Run(t.Context(), s, wake) })
		time.Sleep(time.Hour)
		wake <- struct{}{}
		time.Sleep(time.Hour)
		wake <- struct{}{}
		time.Sleep(30 * sec)
		wake <- struct{}{}
		time.Sleep(59 * time.Minute)
		if isDone(done) {
			t.Error("Run has returned")
		}
		<-done
		if want := []time.Duration{0, time.Hour, 2 * time.Hour, 2*time.Hour + 30*sec, 2*time.Hour + 90*sec}; !slices.Equal(s.calls[:5], want) {
			t.Errorf("called at %v, want %v", s.calls[:5], want)
		}
	})
}

// A context that has ended already: Tick is not called at all.
func TestRunWithoutContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := newScripted(func(time.Duration) (time.Duration, bool) { return 0, true })
		Run(ctx, s, nil)
		s.wantCalls(t)
	})
}

// When the context ends Run returns at once, and Tick is not called any more:
// not for a wake and a timer that come at the same moment either.
func TestRunEndsWithContext(t *testing.T) {
	for range 50 { // the order of what comes at the same moment is random
		synctest.Test(t, func(t *testing.T) {
			var ended atomic.Bool
			s := newScripted(func(now time.Duration) (time.Duration, bool) {
				if ended.Load() {
					t.Error("Tick was called after the context ended")
				}
				return now + sec, true
			})
			wake := make(chan struct{}, 1)
			ctx, cancel := context.WithCancel(t.Context())
			done := started(func() { Run(ctx, s, wake) })
			time.Sleep(5*sec + 500*ms)
			wake <- struct{}{}
			synctest.Wait()
			ended.Store(true)
			cancel()
			wake <- struct{}{}
			synctest.Wait()
			if !isDone(done) {
				t.Error("Run has not returned")
			}
			time.Sleep(time.Minute)
		})
	}
}

// A context that ends while Tick is under way: it was the last call.
func TestRunContextEndsWithinTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newScripted(func(now time.Duration) (time.Duration, bool) {
			if now == 2*sec {
				cancel()
			}
			return now + sec, true
		})
		Run(ctx, s, nil)
		s.wantCalls(t, 0, sec, 2*sec)
	})
}

// A Tick that takes long does not delay the next one, with a Timer neither.
func TestSlowTick(t *testing.T) {
	slow := func() *scripted {
		return newScripted(func(now time.Duration) (time.Duration, bool) {
			time.Sleep(3 * sec)
			return now + 5*sec, now < 10*sec
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := slow()
		Run(t.Context(), s, nil)
		s.wantCalls(t, 0, 5*sec, 10*sec)
	})
	synctest.Test(t, func(t *testing.T) {
		s := slow()
		new(Timer).Start(s, s.start)
		time.Sleep(time.Minute)
		s.wantCalls(t, 0, 5*sec, 10*sec)
	})
}

// A time in the past means at once.
func TestRunNextInThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := newScripted(func(now time.Duration) (time.Duration, bool) {
			n++
			return now - time.Hour, n < 4
		})
		Run(t.Context(), s, nil)
		s.wantCalls(t, 0, 0, 0, 0)
	})
}

// With a clock that is late the Monitor sees that it was stopped, and gives
// the peer another ping before it gives up.
func TestRunLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeConn(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
		c.dead = true
		start, late := time.Now(), time.Duration(0)
		clock := func() time.Time {
			if time.Since(start) >= 30*sec && late == 0 {
				late = 5 * sec // the machine stood still at the deadline
			}
			return time.Now().Add(late)
		}
		run(t.Context(), c, nil, clock)
		// The ping at 35s is the one after the stop; its time runs out
		// together with that of the one at 40s not yet sent: at 45s.
		if want := []time.Duration{20 * sec, 35 * sec, 40 * sec}; !slices.Equal(c.pings, want) {
			t.Errorf("pings at %v, want %v", c.pings, want)
		}
		if c.gaveUp != 45*sec {
			t.Errorf("gave up at %v, want 45s", c.gaveUp)
		}
	})
}
