package link

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestLimit reaches limits of all kinds.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for name, test := range map[string]struct {
			limit *Limit
			after time.Duration // 0: never
			err   error
		}{
			"none":                 {nil, 0, nil},
			"zero":                 {new(Limit), 0, nil},
			"background":           {&Limit{Context: context.Background()}, 0, nil},
			"deadline":             {After(time.Second), time.Second, os.ErrDeadlineExceeded},
			"earlier deadline":     {After(time.Hour).within(time.Second), time.Second, os.ErrDeadlineExceeded},
			"later deadline":       {After(time.Second).within(time.Hour), time.Second, os.ErrDeadlineExceeded},
			"no further deadline":  {After(time.Second).within(0), time.Second, os.ErrDeadlineExceeded},
			"deadline for nothing": {(*Limit)(nil).within(time.Second), time.Second, os.ErrDeadlineExceeded},
			"context":              {&Limit{Context: ctx}, 5 * time.Second, context.Canceled},
			"context and deadline": {(&Limit{Context: ctx}).within(time.Second), time.Second, os.ErrDeadlineExceeded},
		} {
			if never := name == "none" || name == "zero" || name == "background"; test.limit.never() != never {
				t.Errorf("%s: never is %v", name, !never)
			}
			if err := test.limit.Reached(); err != nil {
				t.Errorf("%s: reached at once: %v", name, err)
			}
			ready := make(chan struct{}, 1)
			ready <- struct{}{}
			if err := test.limit.wait(ready); err != nil {
				t.Errorf("%s: %v although it was ready", name, err)
			}
			if test.after == 0 {
				continue
			}
			go func() { // ends with the limit
				bounded, stop := test.limit.Bounded()
				defer stop()
				begun := time.Now()
				<-bounded.Done()
				if time.Since(begun) != test.after {
					t.Errorf("%s: the context ended after %v", name, time.Since(begun))
				}
			}()
			go func() { // ends with the limit
				begun := time.Now()
				err := test.limit.wait(ready)
				if !errors.Is(err, test.err) || !errors.Is(test.limit.Reached(), test.err) || time.Since(begun) != test.after {
					t.Errorf("%s: %v after %v", name, err, time.Since(begun))
				}
			}()
		}
		time.Sleep(5 * time.Second)
		cancel()
		synctest.Wait()
	})
}

// TestWatch acts when the context of the call that is under way ends, and not
// when that of an earlier one does.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t, Options{})
		var w watch
		acted := 0
		act := func(*Conn) { acted++ }
		on := func(l *Limit) {
			c.lock()
			w.on(c, l, act)
			c.unlock()
			synctest.Wait()
		}
		first, endFirst := context.WithCancel(t.Context())
		second, endSecond := context.WithCancel(t.Context())
		on(&Limit{Context: first})
		on(&Limit{Context: first}) // the same: it stays registered
		on(&Limit{Context: second})
		endFirst()
		synctest.Wait()
		if acted != 0 {
			t.Error("the context of an earlier call has interrupted a later one")
		}
		endSecond()
		synctest.Wait()
		if acted != 1 {
			t.Errorf("acted %d times", acted)
		}
		third, endThird := context.WithCancel(t.Context())
		on(&Limit{Context: third})
		on(nil)
		endThird()
		synctest.Wait()
		if acted != 1 {
			t.Error("a call without a context was interrupted")
		}
	})
}
