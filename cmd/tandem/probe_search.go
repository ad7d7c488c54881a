package main

import (
	"math"
	"slices"
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// A search looks for the shortest silence that a path does not survive. It
// knows neither clocks nor connections: it says which silences to try, and is
// told what became of them.
//
// Silences of growing length come first, each twice the one before. An end that
// was seen as it happened tells its time by itself, and what is left is to show
// that a slightly shorter silence is survived. A path that forgets in silence
// is found out only afterwards, so there the search narrows down, several
// silences at a time.
type search struct {
	longest   time.Duration // silence to try
	precision float64       // how close to come, as a part of the result
	parallel  int           // how many silences are tried at once

	survived []time.Duration // silences that were
	ended    outcome         // of the shortest silence that was not; none if Idle is 0
	noise    time.Duration   // the silence after which the peer spoke; 0 if it never did
	unsteady bool            // the same silence was survived and was not

	planned []time.Duration // yet to be tried, in order
	begun   bool
	tries   int
}

const (
	// leastRung is about how long the first silence is. Idle timeouts are not
	// shorter, and if one is, it is found all the same.
	leastRung = time.Second

	// leastSilence is not narrowed down: below it, it is not about idleness.
	leastSilence = 10 * time.Millisecond

	// maxTries bounds the search on a path that never does the same twice.
	maxTries = 100
)

// next returns a silence to try now, when so many are being tried. With none
// being tried and none to try the search is over.
func (s *search) next(trying int) (silence time.Duration, ok bool) {
	if len(s.planned) == 0 && trying == 0 {
		s.plan()
	}
	if len(s.planned) == 0 || trying >= s.parallel {
		return 0, false
	}
	silence, s.planned = s.planned[0], s.planned[1:]
	s.tries++
	return silence, true
}

// plan chooses what to try when everything planned was tried.
func (s *search) plan() {
	switch {
	case s.over():
	case !s.begun:
		s.begun = true
		s.planned = ladder(s.longest)
	case s.ended.Idle == 0:
		s.planned = []time.Duration{s.longest}
	case s.ended.Seen:
		s.planned = []time.Duration{s.shorter()}
	default:
		s.planned = s.between()
	}
}

// ladder returns growing silences up to the longest.
func ladder(longest time.Duration) (rungs []time.Duration) {
	for rung := longest; ; rung /= 2 {
		rungs = append(rungs, rung)
		if rung < 2*leastRung {
			slices.Reverse(rungs)
			return rungs
		}
	}
}

// shorter returns a silence that is as much shorter than the one that was not
// survived as the precision allows.
func (s *search) shorter() time.Duration { return s.ended.Idle - s.gap() }

func (s *search) gap() time.Duration {
	return time.Duration(s.precision * float64(s.ended.Idle))
}

// between returns silences that divide what is unknown into equal parts, no
// smaller than need be.
func (s *search) between() (silences []time.Duration) {
	from, width := s.alive(), s.ended.Idle-s.alive()
	parts := int(math.Ceil(float64(width) / float64(max(s.gap(), 1))))
	parts = max(2, min(parts, s.parallel+1))
	for i := 1; i < parts; i++ {
		silences = append(silences, from+width*time.Duration(i)/time.Duration(parts))
	}
	return silences
}

// over reports whether there is nothing left to find out.
func (s *search) over() bool {
	switch {
	case s.tries >= maxTries:
		return true
	case s.ended.Idle == 0:
		return s.alive() >= s.longest
	}
	return s.ended.Idle <= leastSilence || s.shorter() <= s.alive()
}

// alive returns the longest silence that was survived and is shorter than any
// that was not.
func (s *search) alive() (longest time.Duration) {
	for _, d := range s.survived {
		if s.ended.Idle == 0 || d < s.ended.Idle {
			longest = max(longest, d)
		}
	}
	return longest
}

// note takes what became of a silence.
func (s *search) note(o outcome) {
	switch o.Fate {
	case lived:
		s.survived = append(s.survived, o.Idle)
	case noisy:
		// What came shows that the path was open, and that it cannot be silent
		// for longer.
		s.survived = append(s.survived, o.Idle)
		s.longest = min(s.longest, o.Idle)
		s.noise = s.longest
	case noOutcome:
		return
	default:
		if s.ended.Idle == 0 || o.Idle < s.ended.Idle {
			s.ended = o
		}
	}
	s.unsteady = s.ended.Idle > 0 && slices.Max(append(s.survived, 0)) >= s.ended.Idle
	s.planned = slices.DeleteFunc(s.planned, s.useless)
}

// useless reports whether nothing can be learned from a silence any more.
func (s *search) useless(silence time.Duration) bool {
	return silence <= s.alive() || silence > s.longest || s.ended.Idle > 0 && silence >= s.ended.Idle
}

// retry has a silence tried again later, with fewer others beside it.
func (s *search) retry(silence time.Duration) {
	s.parallel = max(1, s.parallel/2)
	if !s.useless(silence) {
		s.planned = slices.Insert(s.planned, 0, silence)
	}
}

// blank reports whether nothing is known yet.
func (s *search) blank() bool { return len(s.survived) == 0 && s.ended.Idle == 0 }

// found returns the idle timeout as well as it is known: what was seen, or the
// middle between what was survived and what was not. 0: none was found.
func (s *search) found() time.Duration {
	switch {
	case s.ended.Idle == 0:
		return 0
	case s.ended.Seen:
		return s.ended.Idle
	}
	return (s.alive() + s.ended.Idle) / 2
}

// complete reports whether the search came to its end, and so to a result.
func (s *search) complete() bool {
	return s.over() && s.tries < maxTries
}

// recommend returns how often to ping so that the path stays open: half of what
// is known to be survived or to be the end, which leaves room for a ping that
// is late; and no less often than the default of keepalive, which suits most
// paths and notices a dead one in time. 0: nothing is known.
func (s *search) recommend() time.Duration {
	known := s.ended.Idle
	if known == 0 {
		known = s.alive()
	}
	return roundDown(min(known/2, keepalive.DefaultInterval))
}

// roundDown makes a time one that can be said in few digits.
func roundDown(d time.Duration) time.Duration {
	for unit := time.Second; unit > time.Millisecond; unit /= 10 {
		if d >= 5*unit {
			return d.Truncate(unit)
		}
	}
	return d.Truncate(time.Millisecond)
}
