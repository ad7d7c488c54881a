package keepalive

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// loops counts the goroutines of Threads, in all bubbles.
func loops() int {
	for buf := make([]byte, 1<<16); ; buf = make([]byte, 2*len(buf)) {
		if n := runtime.Stack(buf, true); n < len(buf) {
			return bytes.Count(buf[:n], []byte("created by github.com/tandemws/tandem/keepalive.(*Thread).begin"))
		}
	}
}

func wantLoops(t *testing.T, when string, want int) {
	t.Helper()
	synctest.Wait()
	if got := loops(); got != want {
		t.Errorf("%s: %d goroutines, want %d", when, got, want)
	}
}

// every returns a Tick that wants to be called at fixed intervals until end.
func every(interval, end time.Duration) func(time.Duration) (time.Duration, bool) {
	return func(now time.Duration) (time.Duration, bool) { return now + interval, now < end }
}

// after returns the moment d from now, for Add.
func after(d time.Duration) time.Time { return time.Now().Add(d) }

// Add has Tick called at first, then whenever it asked for, until it returns
// false.
func TestThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var a, b, c Entry
		sa, sb := newScripted(every(3*sec, 9*sec)), newScripted(every(2*sec, 5*sec))
		sc := newScripted(every(sec, 0))
		thread.Add(&a, sa, after(sec))
		thread.Add(&b, sb, after(4*sec))
		thread.Add(&c, sc, after(-time.Hour)) // at once
		time.Sleep(time.Minute)
		sa.wantCalls(t, sec, 4*sec, 7*sec, 10*sec)
		sb.wantCalls(t, 4*sec, 6*sec)
		sc.wantCalls(t, 0)
		if n := thread.Len(); n != 0 {
			t.Errorf("%d targets are registered", n)
		}
	})
}

// The goroutine exists only while targets are registered, and starts again.
func TestThreadGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var a, b Entry
		for range 3 {
			s := newScripted(every(sec, 5*sec))
			wantLoops(t, "with nobody", 0)
			thread.Add(&a, s, after(sec))
			wantLoops(t, "with one", 1)
			thread.Add(&b, newScripted(every(sec, time.Hour)), time.Time{})
			wantLoops(t, "with two", 1)
			a.Stop()
			wantLoops(t, "with one again", 1)
			b.Stop()
			wantLoops(t, "when all were stopped", 0)
			thread.Add(&a, s, after(sec))
			time.Sleep(10 * sec)
			wantLoops(t, "when Tick returned false", 0)
		}
	})
}

// Two Threads have nothing in common.
func TestTwoThreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var one, two Thread
		var a, b Entry
		slow := newScripted(func(now time.Duration) (time.Duration, bool) { time.Sleep(time.Minute); return 0, false })
		quick := newScripted(every(sec, 10*sec))
		one.Add(&a, slow, after(sec))
		two.Add(&b, quick, after(sec))
		wantLoops(t, "two Threads", 2)
		time.Sleep(20 * sec)
		synctest.Wait()
		if len(quick.calls) != 10 {
			t.Errorf("called at %v", quick.calls)
		}
		time.Sleep(time.Minute)
	})
}

// A Monitor on a Thread pings for a day, each ping exactly when it is due.
func TestThreadForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var e Entry
		c := newFakeConn(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 3 * sec})
		thread.Add(&e, c, time.Now())
		time.Sleep(24 * time.Hour)
		e.Stop()
		synctest.Wait()
		c.wantGrid(t, 3*sec, 20*sec, 24*time.Hour)
	})
}

// Whoever wants nothing is called when it is woken: at once, once, and not
// when it is not registered.
func TestThreadWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var e, never Entry
		never.Wake() // was never registered
		never.Stop()
		s := newScripted(func(time.Duration) (time.Duration, bool) { return whenWoken, true })
		thread.Add(&e, s, time.Time{})
		time.Sleep(time.Hour)
		e.Wake()
		e.Wake() // the same wake: it was not called since
		time.Sleep(time.Hour)
		e.Wake()
		synctest.Wait()
		e.Wake() // another one
		synctest.Wait()
		s.wantCalls(t, time.Hour, 2*time.Hour, 2*time.Hour)
		e.Stop()
		e.Wake()
		e.Stop()
		time.Sleep(time.Hour)
		s.wantCalls(t, time.Hour, 2*time.Hour, 2*time.Hour)
	})
}

// A wake comes before the time that was asked for, which is asked for anew.
func TestThreadWakeBeforeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var e Entry
		s := newScripted(every(10*sec, 30*sec))
		thread.Add(&e, s, after(10*sec))
		time.Sleep(13 * sec)
		e.Wake()
		time.Sleep(time.Hour)
		s.wantCalls(t, 10*sec, 13*sec, 23*sec, 33*sec)
	})
}

// An Entry that is registered is registered anew: another target, another
// time.
func TestThreadAddAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var e Entry
		old, young := newScripted(every(sec, time.Hour)), newScripted(every(sec, 7*sec))
		thread.Add(&e, old, after(sec))
		time.Sleep(2*sec + 500*ms)
		thread.Add(&e, young, after(3*sec+500*ms))
		if n := thread.Len(); n != 1 {
			t.Errorf("%d targets are registered, want 1", n)
		}
		time.Sleep(time.Minute)
		old.wantCalls(t, sec, 2*sec)
		young.wantCalls(t, 6*sec, 7*sec)
		thread.Add(&e, young, after(sec)) // after it has ended
		time.Sleep(time.Minute)
		young.wantCalls(t, 6*sec, 7*sec, 63*sec+500*ms)
	})
}

// A Tick that takes long delays the others for that long and no longer.
func TestThreadSlowTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var a, b Entry
		slow := newScripted(func(now time.Duration) (time.Duration, bool) {
			time.Sleep(5 * sec)
			return now + time.Minute, now < 30*sec
		})
		quick := newScripted(every(2*sec, 14*sec))
		thread.Add(&a, slow, after(3*sec))
		thread.Add(&b, quick, after(2*sec))
		time.Sleep(2 * time.Minute)
		slow.wantCalls(t, 3*sec, 63*sec)
		quick.wantCalls(t, 2*sec, 8*sec, 10*sec, 12*sec, 14*sec)
	})
}

// Stop while Tick is under way: it is not called any more, whatever it
// returns, and also when it was woken meanwhile.
func TestThreadStopDuringTick(t *testing.T) {
	for _, ok := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var thread Thread
			var e Entry
			s := newScripted(func(now time.Duration) (time.Duration, bool) {
				time.Sleep(5 * sec)
				return now + 6*sec, ok
			})
			thread.Add(&e, s, after(sec))
			time.Sleep(3 * sec)
			e.Wake()
			e.Stop()
			e.Wake()
			if n := thread.Len(); n != 0 {
				t.Errorf("%d targets are registered", n)
			}
			time.Sleep(time.Minute)
			s.wantCalls(t, sec)
			wantLoops(t, "stopped", 0)
		})
	}
}

// A wake while Tick is under way is not lost: it is called once more, even if
// that call returns false, for it did not know.
func TestThreadWakeDuringTick(t *testing.T) {
	for _, ok := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var thread Thread
			var e Entry
			s := newScripted(func(now time.Duration) (time.Duration, bool) {
				time.Sleep(5 * sec)
				return now + time.Minute, ok && now < 10*sec
			})
			thread.Add(&e, s, after(sec))
			time.Sleep(3 * sec)
			e.Wake()
			time.Sleep(10 * time.Minute)
			if ok {
				s.wantCalls(t, sec, 6*sec, 66*sec)
			} else {
				s.wantCalls(t, sec, 6*sec)
			}
			wantLoops(t, "ended", 0)
		})
	}
}

// Add while Tick is under way decides too: the new time stands, with or
// without a Stop before.
func TestThreadAddDuringTick(t *testing.T) {
	for _, stop := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var thread Thread
			var e Entry
			s := newScripted(func(now time.Duration) (time.Duration, bool) {
				time.Sleep(5 * sec)
				return 0, false
			})
			thread.Add(&e, s, after(sec))
			time.Sleep(3 * sec)
			if stop {
				e.Stop()
			}
			thread.Add(&e, s, after(7*sec))
			time.Sleep(time.Minute)
			s.wantCalls(t, sec, 10*sec)
			wantLoops(t, "ended", 0)
		})
	}
}

// From within Tick everything may be called, about itself and others.
func TestThreadFromWithinTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var self, other, third Entry
		late := newScripted(every(sec, 0))
		sleeper := newScripted(func(time.Duration) (time.Duration, bool) { return whenWoken, true })
		n := 0
		s := newScripted(nil)
		s.tick = func(now time.Duration) (time.Duration, bool) {
			n++
			switch n {
			case 1: // wakes itself: called again at once
				self.Wake()
				return now + time.Hour, true
			case 2: // wakes another, stops itself and comes back
				other.Wake()
				self.Stop()
				thread.Add(&self, s, after(10*sec))
				return now + time.Hour, true
			case 3: // adds one and stops another
				thread.Add(&third, late, after(sec))
				other.Stop()
				return now + 5*sec, true
			}
			self.Stop()
			return now + sec, true
		}
		thread.Add(&other, sleeper, time.Time{})
		thread.Add(&self, s, after(sec))
		time.Sleep(time.Hour)
		s.wantCalls(t, sec, sec, 11*sec, 16*sec)
		sleeper.wantCalls(t, sec)
		late.wantCalls(t, 12*sec)
		wantLoops(t, "ended", 0)
	})
}

// A target that always wants to be called at once, or at a time long past, or
// wakes itself all the time, does not keep the others from their turn.
func TestThreadIsFair(t *testing.T) {
	past := []func(now time.Time) time.Time{
		func(now time.Time) time.Time { return now },
		func(now time.Time) time.Time { return now.Add(-time.Hour) },
		func(time.Time) time.Time { return time.Unix(0, 0) },
		func(time.Time) time.Time { return time.Time{}.Add(1) },
		nil, // wakes itself
	}
	for i, next := range past {
		synctest.Test(t, func(t *testing.T) {
			var thread Thread
			var a, b Entry
			n := 0
			busy := target(func(now time.Time) (time.Time, bool) {
				n++
				time.Sleep(ms) // nothing is done in no time
				if next == nil {
					a.Wake()
					return time.Time{}, n < 10000
				}
				return next(now), n < 10000
			})
			other := newScripted(every(sec, 3*sec))
			thread.Add(&a, busy, time.Now())
			thread.Add(&b, other, after(sec))
			time.Sleep(5 * sec)
			a.Stop()
			time.Sleep(sec)
			synctest.Wait()
			// The busy one, or two calls of it, may be ahead each time.
			if k := len(other.calls); k != 3 || other.calls[2] > 3*sec+10*ms {
				t.Errorf("%d: the other one was called at %v", i, other.calls)
			}
			if n < 4990 {
				t.Errorf("%d: called %d times in 5000 ms", i, n)
			}
		})
	}
}

// A target is a function that is a Target.
type target func(now time.Time) (next time.Time, ok bool)

func (f target) Tick(now time.Time) (time.Time, bool) { return f(now) }

// The first time may be as far away as a time can be, on either side.
func TestThreadExtremeTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var a, b, c Entry
		past, future := newScripted(every(sec, 0)), newScripted(every(sec, 0))
		thread.Add(&c, newScripted(every(sec, 2*time.Hour)), after(sec))
		time.Sleep(time.Hour)
		thread.Add(&a, past, time.Time{}.Add(1))
		thread.Add(&b, future, time.Unix(1<<40, 0))
		time.Sleep(sec)
		past.wantCalls(t, time.Hour)
		future.wantCalls(t)
		b.Stop()
		c.Stop()
		synctest.Wait()
	})
}

// With a clock that is late the Monitor sees that it was stopped.
func TestThreadLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		thread := Thread{Now: func() time.Time {
			if now := time.Now(); now.Sub(start) < 30*sec {
				return now
			}
			return time.Now().Add(5 * sec)
		}}
		var e Entry
		c := newFakeConn(Config{Interval: 20 * sec, Timeout: 10 * sec, Phase: 20 * sec})
		c.dead = true
		thread.Add(&e, c, time.Now())
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := []time.Duration{20 * sec, 35 * sec, 40 * sec}; !slices.Equal(c.pings, want) || c.gaveUp != 45*sec {
			t.Errorf("pings at %v, gave up at %v", c.pings, c.gaveUp)
		}
	})
}

// A Tick that ends its goroutine, as a test does that fails within it, is its target's
// last one. It does not bring the process down with an error of its own, and others go on.
func TestThreadTickExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var thread Thread
		var exits, goesOn Entry
		begun, calls := time.Now(), 0
		thread.Add(&exits, target(func(time.Time) (time.Time, bool) { runtime.Goexit(); return time.Time{}, true }), begun)
		thread.Add(&goesOn, target(func(now time.Time) (time.Time, bool) { calls++; return now.Add(sec), calls < 3 }), begun.Add(sec))
		synctest.Wait()
		if n := thread.Len(); n != 1 {
			t.Errorf("%d targets are registered", n)
		}
		time.Sleep(time.Minute)
		if synctest.Wait(); calls != 3 {
			t.Errorf("the other one was called %d times", calls)
		}
		thread.Add(&exits, target(func(time.Time) (time.Time, bool) { calls++; return time.Time{}, false }), time.Now())
		if synctest.Wait(); calls != 4 {
			t.Error("nobody can be registered any more")
		}
	})
}

// A place on a Thread is part of each connection, so it has to be small.
func TestEntrySize(t *testing.T) {
	if size := unsafe.Sizeof(Entry{}); size > 48 {
		t.Errorf("an Entry has %d bytes", size)
	}
}

// Three that are due within the slack are each called on time; the first of four
// waits for the last.
func TestThreadSlack(t *testing.T) {
	for n, together := range map[int]bool{3: false, 4: true} {
		synctest.Test(t, func(t *testing.T) {
			var thread Thread
			begun := time.Now()
			entries, called := make([]Entry, n), make([]time.Duration, n)
			for i := range entries {
				one := target(func(now time.Time) (time.Time, bool) {
					called[i] = now.Sub(begun)
					return time.Time{}, false
				})
				thread.Add(&entries[i], one, begun.Add(sec+time.Duration(i)*ms))
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			for i, got := range called {
				want := sec + time.Duration(i)*ms
				if together {
					want = sec + DefaultSlack
				}
				if got != want {
					t.Errorf("%d targets: number %d was called at %v, want %v", n, i, got, want)
				}
			}
		})
	}
}
