package main

import (
	"slices"
	"strings"
	"time"
)

// bars are the steps of a sparkline, the lowest first.
var bars = []rune("▁▂▃▄▅▆▇█")

// missing stands for a round trip that there was none of, and is drawn as
// noAnswer.
const missing = time.Duration(-1)

const noAnswer = 'x'

// A sparkline keeps the latest round trips for a picture of one line.
type sparkline struct{ values []time.Duration }

// sparkLimit is how many are kept, which is as much as a wide window shows.
const sparkLimit = 512

// add adds a round trip, or missing.
func (s *sparkline) add(value time.Duration) {
	if len(s.values) == sparkLimit {
		s.values = slices.Delete(s.values, 0, 1)
	}
	s.values = append(s.values, value)
}

// draw returns the latest round trips in so many columns at most. The bars
// reach from the shortest to the longest of those that are drawn, for it is the
// change that is of interest.
func (s *sparkline) draw(columns int) string {
	shown := s.values[max(0, len(s.values)-max(columns, 0)):]
	least, greatest := extremes(shown)
	var b strings.Builder
	for _, value := range shown {
		if value == missing {
			b.WriteRune(noAnswer)
			continue
		}
		b.WriteRune(bars[step(value-least, greatest-least)])
	}
	return b.String()
}

// step returns which bar stands for the part of the whole. When all are the
// same there is no whole, and the lowest bar is right.
func step(part, whole time.Duration) int {
	if whole <= 0 {
		return 0
	}
	return int(float64(part) / float64(whole) * float64(len(bars)-1))
}

// extremes returns the shortest and the longest that are not missing.
func extremes(values []time.Duration) (least, greatest time.Duration) {
	first := true
	for _, value := range values {
		switch {
		case value == missing:
		case first:
			least, greatest, first = value, value, false
		default:
			least, greatest = min(least, value), max(greatest, value)
		}
	}
	return least, greatest
}
