package keepalive

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Tick is called at the time given, then whenever it asked for, until it
// returns false.
func TestTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(func(now time.Duration) (time.Duration, bool) {
			return now*2 + sec, now < 10*sec
		})
		var timer Timer
		timer.Start(s, s.start.Add(2*sec))
		time.Sleep(time.Hour)
		s.wantCalls(t, 2*sec, 5*sec, 11*sec)
		timer.Wake() // it is over
		time.Sleep(time.Hour)
		s.wantCalls(t, 2*sec, 5*sec, 11*sec)
	})
}

// A Monitor on a Timer pings for a day, each ping exactly when it is due, and
// nothing stands in memory for it in between but the timer.
func TestTimerForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeConn(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 3 * sec})
		var timer Timer
		timer.Start(c, time.Now())
		for range 24 {
			time.Sleep(time.Hour)
			synctest.Wait()
			stacks := make([]byte, 1<<20)
			if n := runtime.Stack(stacks, true); strings.Contains(string(stacks[:n]), "keepalive.(*Timer)") {
				t.Fatal("there is a goroutine while nothing is due")
			}
		}
		timer.Stop()
		c.wantGrid(t, 3*sec, 20*sec, 24*time.Hour)
	})
}

// Wake has Tick called at once, also when it wants nothing else or is not to be
// called for long; and before the first call.
func TestTimerWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(func(now time.Duration) (time.Duration, bool) {
			if now < 2*time.Hour {
				return whenWoken, true
			}
			return now + time.Minute, now < 3*time.Hour
		})
		var timer Timer
		timer.Start(s, time.Time{})
		for range 2 {
			time.Sleep(time.Hour)
			timer.Wake()
		}
		time.Sleep(30 * sec)
		timer.Wake()
		time.Sleep(30 * sec)
		s.wantCalls(t, time.Hour, 2*time.Hour, 2*time.Hour+30*sec)
		time.Sleep(31 * sec)
		timer.Stop()
		s.wantCalls(t, time.Hour, 2*time.Hour, 2*time.Hour+30*sec, 2*time.Hour+90*sec)
	})
}

// When Wake is called within Tick, or meanwhile, Tick is called once more and
// what it asked for is forgotten: it may have been worked out from what has
// changed.
func TestTimerWakeWithinTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var timer Timer
		var s *scripted
		s = newScripted(func(now time.Duration) (time.Duration, bool) {
			if len(s.calls) == 1 {
				timer.Wake()
				timer.Wake()
				return now + time.Hour, true
			}
			return now + sec, now < 5*sec
		})
		timer.Start(s, s.start.Add(3*sec))
		time.Sleep(time.Minute)
		s.wantCalls(t, 3*sec, 3*sec, 4*sec, 5*sec)
	})
}

// Wake at the very moment at which the time has come may bring a second call,
// never two at once.
func TestTimerWakeWhenDue(t *testing.T) {
	for range 50 { // the order of what comes at the same moment is random
		synctest.Test(t, func(t *testing.T) {
			var under, calls atomic.Int32
			s := newScripted(func(now time.Duration) (time.Duration, bool) {
				if under.Add(1) > 1 {
					t.Error("two calls at once")
				}
				time.Sleep(10 * ms) // it should not, but then a second one would be seen
				under.Add(-1)
				calls.Add(1)
				return now + 2*sec, true
			})
			var timer Timer
			timer.Start(s, s.start.Add(sec))
			time.Sleep(sec)
			for range 3 {
				go timer.Wake()
			}
			time.Sleep(sec)
			if n := calls.Load(); n < 1 || n > 4 {
				t.Errorf("%d calls, want one, and as many more as it was woken at most", n)
			}
			timer.Stop()
		})
	}
}

// After Stop Tick is not called any more, whether it would have been due, is
// under way, or is due at this moment.
func TestTimerStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var unused Timer
		unused.Wake()
		unused.Stop()

		var timer Timer
		s := newScripted(func(now time.Duration) (time.Duration, bool) {
			if now == 3*sec {
				timer.Wake()
				timer.Stop()
				timer.Stop()
			}
			return now + sec, true
		})
		timer.Start(s, s.start.Add(sec))
		time.Sleep(time.Minute)
		timer.Wake()
		time.Sleep(time.Minute)
		s.wantCalls(t, sec, 2*sec, 3*sec)
	})
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			var stopped atomic.Bool
			s := newScripted(func(now time.Duration) (time.Duration, bool) {
				if stopped.Load() {
					t.Error("Tick was called after Stop")
				}
				return now + sec, true
			})
			var timer Timer
			timer.Start(s, s.start.Add(sec))
			time.Sleep(5 * sec)
			timer.Stop()
			synctest.Wait() // a call that was under way
			stopped.Store(true)
			time.Sleep(time.Minute)
		})
	}
}

// All methods at once: no race, no call after the end, and none that hangs.
func TestTimerConcurrently(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			var timer Timer
			var mu sync.Mutex // the target's: Wake is called with it held
			s := newScripted(func(now time.Duration) (time.Duration, bool) {
				mu.Lock()
				defer mu.Unlock()
				return now + 150*ms, true
			})
			timer.Start(s, s.start)
			var all sync.WaitGroup
			for i := range 10 {
				all.Go(func() {
					for range 20 {
						mu.Lock()
						timer.Wake()
						mu.Unlock()
						time.Sleep(time.Duration(i) * 50 * ms)
					}
				})
			}
			all.Wait()
			all.Go(timer.Stop)
			all.Go(timer.Wake)
			all.Wait()
			synctest.Wait()
			n := len(s.calls)
			time.Sleep(time.Minute)
			if len(s.calls) != n || n < 20 {
				t.Errorf("%d calls, and %d more after the end", n, len(s.calls)-n)
			}
		})
	}
}

// A Tick that ends its goroutine, as a test's Fatal does, leaves the lock free.
func TestTimerGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var timer Timer
		s := newScripted(func(time.Duration) (time.Duration, bool) {
			runtime.Goexit()
			return 0, false
		})
		timer.Start(s, s.start)
		time.Sleep(sec)
		timer.Wake()
		time.Sleep(sec)
		timer.Stop()
		s.wantCalls(t, 0, sec)
	})
}

// A time may be as far away as it can be, on either side: the slot that one is in has
// no end.
func TestTimerExtremeTimes(t *testing.T) {
	const farthest time.Duration = 1<<63 - 1
	synctest.Test(t, func(t *testing.T) {
		for _, next := range []time.Time{time.Now().Add(farthest), time.Now().Add(farthest - 1), time.Unix(1<<40, 0)} {
			s := newScripted(func(time.Duration) (time.Duration, bool) { return 0, false })
			var timer Timer
			timer.Start(s, next)
			time.Sleep(time.Hour)
			s.wantCalls(t)
			timer.Stop()
		}
		past := newScripted(func(time.Duration) (time.Duration, bool) { return 0, false })
		new(Timer).Start(past, time.Time{}.Add(1))
		past.wantCalls(t, 0)
	})
}

// Those that are due within the same slot of the wall clock are called
// together at its end, also if their targets began at odd moments.
func TestTimerSlack(t *testing.T) {
	for _, test := range []struct {
		slack time.Duration
		begin time.Duration // after a whole second
		asked []time.Duration
		want  []time.Duration // both from the whole second
	}{
		{0, 0, []time.Duration{sec, sec + 1, sec + 3*ms, sec + 5*ms, sec + 6*ms},
			[]time.Duration{sec, sec + 5*ms, sec + 5*ms, sec + 5*ms, sec + 10*ms}},
		{0, 777*ms + 7, []time.Duration{sec - 2*ms, sec, sec + 1}, []time.Duration{sec, sec, sec + 5*ms}},
		{time.Second, 200 * ms, []time.Duration{20 * sec, 21*sec + 1, 21*sec + 200*ms},
			[]time.Duration{20 * sec, 22 * sec, 22 * sec}},
		{-1, 0, []time.Duration{sec + 1, sec + 3*ms}, []time.Duration{sec + 1, sec + 3*ms}},
		// What is near comes on time, and what is past at once.
		{0, 3 * ms, []time.Duration{0, 4 * ms, 99 * ms, 103 * ms, 104 * ms},
			[]time.Duration{3 * ms, 4 * ms, 99 * ms, 105 * ms, 105 * ms}},
	} {
		synctest.Test(t, func(t *testing.T) {
			second := time.Now()
			time.Sleep(test.begin)
			for i, asked := range test.asked {
				s := newScripted(func(time.Duration) (time.Duration, bool) { return 0, false })
				s.start = second
				timer := &Timer{Slack: test.slack}
				timer.Start(s, second.Add(asked))
				defer func() {
					if !slices.Equal(s.calls, test.want[i:i+1]) {
						t.Errorf("slack %v, asked for %v: called at %v, want %v", test.slack, asked, s.calls, test.want[i])
					}
				}()
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		})
	}
}
