package reconnect

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/tandemws/tandem/protocol"
)

var errNetwork = errors.New("no network today")

// seconds is what most of these tests compare.
func seconds(list ...float64) (durations []time.Duration) {
	for _, s := range list {
		durations = append(durations, time.Duration(s*float64(time.Second)))
	}
	return durations
}

// limits has so many attempts fail, and returns the limits of the delays.
func limits(cfg Config, count int) (limits []time.Duration) {
	cfg.Delay = func(n int, limit time.Duration) time.Duration {
		limits = append(limits, limit.Round(100*time.Millisecond))
		return 0
	}
	s := NewSchedule(cfg)
	for range count {
		s.Failed(errNetwork, time.Time{})
	}
	return limits
}

// TestLimits has attempts fail one after the other.
func TestLimits(t *testing.T) {
	const huge = math.MaxInt64
	for _, test := range []struct {
		name string
		cfg  Config
		want []time.Duration
	}{
		{"defaults", Config{}, seconds(5, 3.1, 5, 8.1, 13.1, 21.2, 34.4, 55.6, 90, 90)},
		{"at once", Config{InitialDelay: -1}, seconds(0, 3.1, 5)},
		{"own", Config{InitialDelay: time.Second, MinDelay: 2 * time.Second, Factor: 2, MaxDelay: 9 * time.Second}, seconds(1, 2, 4, 8, 9, 9)},
		{"max bounds all", Config{MaxDelay: time.Second}, seconds(1, 1, 1)},
		{"more than the default of max", Config{InitialDelay: 100 * time.Second}, seconds(100, 3.1, 5, 8.1, 13.1, 21.2, 34.4, 55.6, 90, 100, 100)},
		{"min cannot be turned off", Config{MinDelay: -1, MaxDelay: -1}, seconds(5, 3.1)},
		{"constant", Config{Factor: 1}, seconds(5, 3.1, 3.1, 3.1)},
		{"factor too small", Config{Factor: 0.5}, seconds(5, 3.1, 3.1)},
		{"factor is no number", Config{Factor: math.NaN()}, seconds(5, 3.1, 3.1)},
		{"factor too large", Config{Factor: math.Inf(1)}, seconds(5, 3.1, 90, 90)},
		{"too large", Config{InitialDelay: huge, MinDelay: huge, MaxDelay: huge}, []time.Duration{longest, longest, longest}},
	} {
		if got := limits(test.cfg, len(test.want)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestForgottenUnit: a delay of some nanoseconds is not meant.
func TestForgottenUnit(t *testing.T) {
	for name, cfg := range map[string]Config{
		"min": {InitialDelay: -1, MinDelay: 3},
		"max": {InitialDelay: -1, MaxDelay: 90},
	} {
		var got []time.Duration
		cfg.Delay = func(_ int, limit time.Duration) time.Duration {
			got = append(got, limit)
			return limit
		}
		s := NewSchedule(cfg)
		s.Failed(errNetwork, time.Time{})
		s.Failed(errNetwork, time.Time{})
		if want := []time.Duration{0, time.Millisecond}; !slices.Equal(got, want) {
			t.Errorf("%s: limits %v, want %v", name, got, want)
		}
	}
}

// TestManyFailures: the limit does not overflow, however long the row.
func TestManyFailures(t *testing.T) {
	if got := limits(Config{}, 100_000); slices.Max(got) != DefaultMaxDelay || slices.Min(got[10:]) != DefaultMaxDelay {
		t.Errorf("limits from %v to %v", slices.Min(got[10:]), slices.Max(got))
	}
}

// TestFullJitter: every delay between 0 and the limit is as likely as any
// other. Of ten thousand, a tenth are in each tenth of the limit, give or take
// six standard deviations of 30.
func TestFullJitter(t *testing.T) {
	const many = 10_000
	var tenths [10]int
	for range many {
		w := NewSchedule(Config{}).Failed(errNetwork, time.Time{})
		if w.Delay < 0 || w.Delay > DefaultInitialDelay {
			t.Fatalf("delay %v", w.Delay)
		}
		tenths[min(int(w.Delay*10/DefaultInitialDelay), 9)]++
	}
	for i, count := range tenths {
		if count < many/10-180 || count > many/10+180 {
			t.Errorf("%d of %d delays in tenth %d: %v", count, many, i, tenths)
		}
	}
}

// TestUptime has connections end after some time: only one that lived begins
// the row anew.
func TestUptime(t *testing.T) {
	var numbers []int
	cfg := Config{MinUptime: time.Minute, Delay: func(n int, limit time.Duration) time.Duration {
		numbers = append(numbers, n)
		return limit
	}}
	s := NewSchedule(cfg)
	s.Failed(errNetwork, time.Time{})
	s.Failed(errNetwork, time.Time{})
	s.Ended(errNetwork, time.Minute-1)
	s.Ended(errNetwork, time.Minute)
	s.Ended(errNetwork, 0)
	s.Failed(errNetwork, time.Time{})
	w := s.Ended(errNetwork, time.Hour)
	if want := []int{1, 2, 3, 1, 2, 3, 1}; !slices.Equal(numbers, want) {
		t.Errorf("%v, want %v", numbers, want)
	}
	if want := (Wait{N: 1, Err: errNetwork, Connected: true, Delay: DefaultInitialDelay}); w != want {
		t.Errorf("%+v, want %+v", w, want)
	}
	s = NewSchedule(Config{})
	for i, uptime := range []time.Duration{DefaultMinUptime, DefaultMinUptime - 1, DefaultMinUptime} {
		if w := s.Ended(nil, uptime); w.N != []int{1, 2, 1}[i] || w.Delay > DefaultInitialDelay {
			t.Errorf("after %v: %+v", uptime, w)
		}
	}
}

// TestDelay: a delay of the application's is taken, within reason.
func TestDelay(t *testing.T) {
	for chosen, want := range map[time.Duration]time.Duration{
		time.Minute: time.Minute, 0: 0, -time.Second: 0, math.MaxInt64: longest,
	} {
		cfg := Config{Delay: func(int, time.Duration) time.Duration { return chosen }}
		if w := NewSchedule(cfg).Failed(errNetwork, time.Time{}); w.Delay != want {
			t.Errorf("%v became %v, want %v", chosen, w.Delay, want)
		}
	}
}

// TestRetryAfterAndDelay: the random delay comes on top of what the server has
// asked for, and that is bounded.
func TestRetryAfterAndDelay(t *testing.T) {
	refused := &protocol.InvalidStatusError{Response: &http.Response{
		StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"120"}},
	}}
	for most, want := range map[time.Duration]time.Duration{
		0: 2 * time.Minute, time.Minute: time.Minute, time.Hour: 2 * time.Minute, -1: 0,
	} {
		cfg := Config{MaxRetryAfter: most, Delay: func(_ int, limit time.Duration) time.Duration { return limit }}
		w := NewSchedule(cfg).Failed(refused, time.Time{})
		if w.RetryAfter != want || w.Delay != want+DefaultInitialDelay || w.Err != refused || w.Connected {
			t.Errorf("with at most %v: %+v", most, w)
		}
	}
	refused.Response.Header.Set("Retry-After", "3000000000")
	if w := NewSchedule(Config{}).Failed(refused, time.Time{}); w.RetryAfter != DefaultMaxRetryAfter {
		t.Errorf("%+v", w)
	}
	if w := NewSchedule(Config{MaxRetryAfter: math.MaxInt64}).Failed(refused, time.Time{}); w.Delay < longest {
		t.Errorf("%+v", w)
	}
}

// TestOwnProcessError: it is asked in place of the default, and may say
// something else than it was given.
func TestOwnProcessError(t *testing.T) {
	mine := errors.New("mine")
	s := NewSchedule(Config{ProcessError: func(err error) error { return errors.Join(mine, err) }})
	if err := s.ProcessError(errNetwork); !errors.Is(err, mine) || !errors.Is(err, errNetwork) {
		t.Errorf("%v", err)
	}
	s = NewSchedule(Config{})
	if err := s.ProcessError(errNetwork); err != nil {
		t.Errorf("default: %v", err)
	}
	if err := s.ProcessError(protocol.ErrURL); err != protocol.ErrURL {
		t.Errorf("default: %v", err)
	}
}
