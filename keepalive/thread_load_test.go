package keepalive

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// A punctual target is called exactly when it asked for, or says so.
type punctual struct {
	monitor  Monitor
	asked    time.Time // when the next call is wanted
	lastByte time.Time
	pings    atomic.Int64
	strayed  atomic.Int64 // by how many ns one call was off
}

func (p *punctual) Tick(now time.Time) (next time.Time, ok bool) {
	if off := int64(now.Sub(p.asked).Abs()); off > p.strayed.Load() {
		p.strayed.Store(off)
	}
	for {
		action := p.monitor.Next(now, &Evidence{LastByte: p.lastByte, PingSent: true})
		if action.Kind == Wait {
			p.asked = action.At
			return action.At, true
		}
		p.pings.Add(1)
		p.lastByte = now
	}
}

// register puts n connections on a Thread, with the phases that Start gives.
func register(thread *Thread, entries []Entry, conns []punctual) {
	now := time.Now()
	for i := range conns {
		conns[i].monitor.Start(Config{Interval: 20 * sec, Timeout: 10 * sec}, now)
		conns[i].asked = now
		thread.Add(&entries[i], &conns[i], now)
	}
}

// A hundred thousand connections on one Thread are all pinged on time, over
// five intervals, and their first pings are spread.
func TestThreadWithManyTargets(t *testing.T) {
	testManyTargets(t, &Thread{Slack: -1}, 0)
}

// With slack they are a little late, for several are called together.
func TestThreadWithManyTargetsAndSlack(t *testing.T) {
	testManyTargets(t, new(Thread), DefaultSlack)
}

// testManyTargets expects no call to be more than slack late.
func testManyTargets(t *testing.T, thread *Thread, slack time.Duration) {
	const n = many
	synctest.Test(t, func(t *testing.T) {
		entries, conns := make([]Entry, n), make([]punctual, n)
		register(thread, entries, conns)
		time.Sleep(10 * sec)
		synctest.Wait()
		if early := pinged(conns); early < n*4/10 || early > n*6/10 {
			t.Errorf("%d of %d were pinged in the first half of the interval", early, n)
		}
		time.Sleep(90*sec + slack)
		synctest.Wait()
		for i := range conns {
			pings, strayed := conns[i].pings.Load(), time.Duration(conns[i].strayed.Load())
			if strayed > slack || pings < 5 || pings > 5 && slack == 0 {
				t.Errorf("connection %d: %d pings, a call was off by %v", i, pings, strayed)
				break
			}
		}
		if thread.Len() != n {
			t.Errorf("%d are registered, want %d", thread.Len(), n)
		}
		for i := range entries {
			entries[i].Stop()
		}
		wantLoops(t, "when all were stopped", 0)
	})
}

// pinged returns how many were.
func pinged(conns []punctual) (n int) {
	for i := range conns {
		if conns[i].pings.Load() > 0 {
			n++
		}
	}
	return n
}

// One of 10,000 whose Tick takes a second, against the rules, makes the others
// late for that second. When it has been stopped, nobody is late any more.
func TestThreadWithOneThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10000
		thread := Thread{Slack: -1}
		var stuck Entry
		entries, conns := make([]Entry, n), make([]punctual, n)
		register(&thread, entries, conns)
		slow := target(func(now time.Time) (time.Time, bool) {
			time.Sleep(sec)
			return now.Add(5 * sec), true
		})
		thread.Add(&stuck, slow, after(sec))
		time.Sleep(40 * sec)
		stuck.Stop()
		time.Sleep(2 * sec)
		synctest.Wait()
		late := 0
		for i := range conns {
			strayed := time.Duration(conns[i].strayed.Swap(0))
			if strayed > sec {
				t.Fatalf("connection %d was called %v late", i, strayed)
			}
			if strayed > 0 {
				late++
			}
		}
		if late == 0 || late == n {
			t.Errorf("%d of %d were late once", late, n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for i := range conns {
			if strayed := conns[i].strayed.Load(); strayed != 0 {
				t.Fatalf("connection %d was called %d ns late", i, strayed)
			}
			entries[i].Stop()
		}
	})
}

// Whatever is called concurrently, a target that was stopped for good is not
// called any more, none is called twice at once, and in the end the goroutine
// is gone. There is real time here: this is about the lock.
func TestThreadConcurrently(t *testing.T) {
	const users, each, rounds = 4, 25, 500
	var thread Thread
	var wg sync.WaitGroup
	for user := range users {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(user), 6))
			targets := make([]rival, each)
			for range rounds {
				targets[rng.IntN(each)].disturb(t, &thread, rng)
			}
			for i := range targets {
				targets[i].entry.Stop()
			}
		})
	}
	wg.Wait()
	if n := thread.Len(); n != 0 {
		t.Errorf("%d targets are registered", n)
	}
	goleak.VerifyNone(t) // waits until the goroutine has seen that
}

// A rival is a target that others meddle with while it is called.
type rival struct {
	entry Entry
	added bool // by the user it belongs to
	calls atomic.Int32
	busy  atomic.Bool
	fail  func(string)
}

func (r *rival) Tick(now time.Time) (time.Time, bool) {
	if r.busy.Swap(true) {
		r.fail("two calls at once")
	}
	defer r.busy.Store(false)
	switch n := r.calls.Add(1); n % 8 {
	case 0:
		return time.Time{}, true
	case 1:
		r.entry.Wake()
	case 2:
		r.entry.Stop()
	case 3:
		return now, false
	}
	return now.Add(time.Duration(r.calls.Load()%50) * time.Microsecond), true
}

// disturb does one thing that a user of a Thread may do.
func (r *rival) disturb(t *testing.T, thread *Thread, rng *rand.Rand) {
	if !r.added {
		r.added, r.fail = true, func(what string) { t.Error(what) }
		thread.Add(&r.entry, r, time.Now())
		return
	}
	switch rng.IntN(4) {
	case 0:
		r.entry.Stop()
	case 1, 2:
		r.entry.Wake()
	default:
		thread.Add(&r.entry, r, time.Now().Add(time.Duration(rng.IntN(100))*time.Microsecond))
	}
}

// After Stop has returned, and a call under way has, there is no other call.
func TestThreadStopIsFinal(t *testing.T) {
	for range 200 {
		var thread Thread
		var e Entry
		var mu sync.Mutex
		stopped := false
		called := make(chan struct{}, 1)
		thread.Add(&e, target(func(now time.Time) (time.Time, bool) {
			mu.Lock() // the lock with which Stop is called too
			defer mu.Unlock()
			if stopped {
				return now, false // a call under way, no more than one
			}
			select {
			case called <- struct{}{}:
			default:
			}
			return now, true
		}), time.Now())
		<-called
		mu.Lock()
		e.Stop()
		stopped = true
		mu.Unlock()
		if n := thread.Len(); n != 0 {
			t.Fatalf("%d targets are registered", n)
		}
	}
	goleak.VerifyNone(t)
}
