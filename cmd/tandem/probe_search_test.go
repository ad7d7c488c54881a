package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A fakePath has connections that end as told, in virtual time.
type fakePath struct {
	timeout time.Duration // 0: none
	jitter  float64       // a part of the timeout by which it is longer or shorter
	end     fate
	seen    bool          // the end comes by itself; else a ping finds out
	speaks  time.Duration // the peer does after such a silence; 0: never
	refused int           // connections beyond so many at once are; 0: none is

	open, most, opened atomic.Int64
}

// try is a tester.
func (f *fakePath) try(ctx context.Context, silence time.Duration) (outcome, error) {
	defer f.open.Add(-1)
	n := f.open.Add(1)
	f.opened.Add(1)
	f.most.Store(max(n, f.most.Load()))
	if f.refused > 0 && n > int64(f.refused) {
		return outcome{Fate: noOutcome}, errors.New("refused")
	}
	o := f.fate(silence)
	wait := o.Idle
	if o.Fate == forgotten {
		wait += time.Second // for the pong that does not come
	}
	select {
	case <-time.After(wait):
		return o, nil
	case <-ctx.Done():
		return outcome{Fate: noOutcome}, nil
	}
}

// fate returns what becomes of a silence.
func (f *fakePath) fate(silence time.Duration) outcome {
	timeout := f.timeout + time.Duration(f.jitter*(2*rand.Float64()-1)*float64(f.timeout))
	switch {
	case f.speaks > 0 && f.speaks < silence && (timeout == 0 || f.speaks < timeout):
		return outcome{Idle: f.speaks, Fate: noisy}
	case timeout == 0 || silence < timeout:
		return outcome{Idle: silence, Fate: lived}
	case f.seen:
		return outcome{Idle: timeout, Fate: f.end, Seen: true}
	}
	return outcome{Idle: silence, Fate: f.end}
}

// probe searches and returns how long that took.
func (f *fakePath) probe(ctx context.Context, s *search) (took time.Duration, err error) {
	begun := time.Now()
	err = (&probing{search: s, try: f.try, report: func(outcome) {}}).run(ctx)
	return time.Since(begun), err
}

func newSearch() *search {
	return &search{longest: 2 * time.Minute, precision: 0.05, parallel: 8}
}

// Each timeout is found as exactly as was asked for, whoever ends the connection
// and however, with no more connections than allowed.
func TestSearchFinds(t *testing.T) {
	ends := []outcome{
		{Fate: fin, Seen: true}, {Fate: closeFrame, Seen: true}, {Fate: reset, Seen: true},
		{Fate: forgotten}, {Fate: reset},
	}
	timeouts := []time.Duration{100 * time.Millisecond, 3 * time.Second, 7 * time.Second, 60 * time.Second, 119 * time.Second, 0}
	for _, end := range ends {
		for _, timeout := range timeouts {
			for _, parallel := range []int{1, 3, 8, 64} {
				t.Run(fmt.Sprintf("%s seen=%v %v by %d", end.Fate, end.Seen, timeout, parallel), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						testFinds(t, &fakePath{end: end.Fate, seen: end.Seen, timeout: timeout}, parallel)
					})
				})
			}
		}
	}
}

func testFinds(t *testing.T, path *fakePath, parallel int) {
	s := newSearch()
	s.parallel = parallel
	took, err := path.probe(t.Context(), s)
	if err != nil || !s.complete() || s.unsteady {
		t.Errorf("%v; complete %v, unsteady %v", err, s.complete(), s.unsteady)
	}
	checkFound(t, s, path)
	if most := path.most.Load(); most > int64(parallel) {
		t.Errorf("%d connections at once, want %d at most", most, parallel)
	}
	// With few at once the growing silences are tried one after another, which
	// is as long as the greatest again.
	limit := 5*path.timeout + 15*time.Second
	if path.timeout == 0 || parallel < 8 {
		limit = 2*s.longest + 10*path.timeout + time.Minute
	}
	if path.timeout == 0 && parallel >= 8 {
		limit = s.longest
	}
	if took > limit {
		t.Errorf("took %v, want %v at most", took, limit)
	}
}

// checkFound checks what was found, what was survived and how it ended.
func checkFound(t *testing.T, s *search, path *fakePath) {
	t.Helper()
	if path.timeout == 0 {
		if s.found() != 0 || s.alive() != s.longest {
			t.Errorf("found %v and survived %v, want no timeout up to %v", s.found(), s.alive(), s.longest)
		}
		return
	}
	if off := (s.found() - path.timeout).Abs(); off > path.timeout/20 {
		t.Errorf("found %v, want %v within 5 %%", s.found(), path.timeout)
	}
	if s.alive() >= path.timeout || s.alive() < path.timeout*9/10 {
		t.Errorf("survived %v, want a little less than %v", s.alive(), path.timeout)
	}
	if s.ended.Fate != path.end || s.ended.Seen != path.seen {
		t.Errorf("ended by %v, seen %v; want %v, %v", s.ended.Fate, s.ended.Seen, path.end, path.seen)
	}
	if r := s.recommend(); r > path.timeout/2 || r < path.timeout/3 && r < 20*time.Second {
		t.Errorf("recommends %v for a timeout of %v", r, path.timeout)
	}
}

// A timeout that is not always the same is found at its lower end, which is the
// one that counts, after a bounded number of connections.
func TestSearchUnsteady(t *testing.T) {
	for _, seen := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			path := fakePath{timeout: 10 * time.Second, jitter: 0.2, end: fin, seen: seen}
			s := newSearch()
			if _, err := path.probe(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if found := s.found(); found < 7900*time.Millisecond || found > 12*time.Second {
				t.Errorf("found %v, want 8 s to 12 s", found)
			}
			if opened := path.opened.Load(); opened > maxTries {
				t.Errorf("%d connections opened, want %d at most", opened, maxTries)
			}
		})
	}
}

// A router that forgets behind a proxy that closes later: the shorter timeout
// counts, although the longer one is seen.
func TestSearchTwoTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := fakePath{timeout: 20 * time.Second, end: forgotten}
		proxy := fakePath{timeout: 30 * time.Second, end: fin, seen: true}
		s := newSearch()
		try := func(ctx context.Context, silence time.Duration) (outcome, error) {
			if silence < proxy.timeout {
				return router.try(ctx, silence)
			}
			return proxy.try(ctx, silence)
		}
		if err := (&probing{search: s, try: try, report: func(outcome) {}}).run(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkFound(t, s, &router)
	})
}

// A peer that speaks by itself bounds what can be found out.
func TestSearchNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := fakePath{speaks: 20 * time.Second}
		s := newSearch()
		took, err := path.probe(t.Context(), s)
		if err != nil || s.noise != path.speaks || s.found() != 0 || s.alive() != path.speaks || !s.complete() {
			t.Errorf("%v, noise %v, found %v, survived %v", err, s.noise, s.found(), s.alive())
		}
		if took > path.speaks {
			t.Errorf("took %v, want %v", took, path.speaks)
		}
		shorter := fakePath{speaks: 20 * time.Second, timeout: 7 * time.Second, end: fin, seen: true}
		s = newSearch()
		if _, err := shorter.probe(t.Context(), s); err != nil || s.noise != 0 {
			t.Errorf("%v, noise %v", err, s.noise)
		}
		checkFound(t, s, &shorter)
	})
}

// A server that takes few connections gets few; one that takes none is given up.
func TestSearchRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := fakePath{refused: 4, timeout: 7 * time.Second, end: fin, seen: true}
		s := newSearch()
		if _, err := path.probe(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		checkFound(t, s, &path)
		if s.parallel > path.refused {
			t.Errorf("%d connections at once still", s.parallel)
		}
		none := func(context.Context, time.Duration) (outcome, error) {
			return outcome{Fate: noOutcome}, errors.New("refused")
		}
		if err := (&probing{search: newSearch(), try: none, report: func(outcome) {}}).run(t.Context()); err == nil {
			t.Error("no error though nothing could be opened")
		}
	})
}

// When the user has enough, what is known stays known.
func TestSearchInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		path := fakePath{timeout: 50 * time.Second, end: fin, seen: true}
		s := newSearch()
		took, err := path.probe(ctx, s)
		if err != nil || s.complete() || s.alive() != 7500*time.Millisecond || took != 10*time.Second {
			t.Errorf("%v after %v, complete %v, survived %v; want nil after 10 s, false, 7.5 s", err, took, s.complete(), s.alive())
		}
	})
}

func TestLadder(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		longest time.Duration
		want    []time.Duration
	}{
		{s, []time.Duration{s}},
		{3 * s, []time.Duration{1500 * time.Millisecond, 3 * s}},
		{8 * s, []time.Duration{s, 2 * s, 4 * s, 8 * s}},
	} {
		if got := ladder(test.longest); !slices.Equal(got, test.want) {
			t.Errorf("up to %v: %v, want %v", test.longest, got, test.want)
		}
	}
}

func TestRoundDown(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		0: 0, 1499 * time.Millisecond: 1400 * time.Millisecond, 3499 * time.Millisecond: 3400 * time.Millisecond,
		17_700 * time.Millisecond: 17 * time.Second, 47_900 * time.Microsecond: 47 * time.Millisecond,
	} {
		if got := roundDown(d); got != want {
			t.Errorf("%v rounded is %v, want %v", d, got, want)
		}
	}
}
