package main

import (
	"testing"
	"time"
)

func TestSparkline(t *testing.T) {
	for _, test := range []struct {
		name    string
		values  []time.Duration
		columns int
		want    string
	}{
		{"nothing", nil, 10, ""},
		{"one", []time.Duration{5}, 10, "▁"},
		{"all the same", []time.Duration{5, 5, 5}, 10, "▁▁▁"},
		{"from the shortest to the longest", []time.Duration{100, 107, 103}, 10, "▁█▄"},
		{"missing ones count for nothing", []time.Duration{100, missing, 107}, 10, "▁x█"},
		{"nothing but missing", []time.Duration{missing, missing}, 10, "xx"},
		{"the latest, and their own scale", []time.Duration{1000, 1, 8}, 2, "▁█"},
		{"no room", []time.Duration{1, 2}, 0, ""},
		{"less than no room", []time.Duration{1, 2}, -3, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s sparkline
			for _, value := range test.values {
				s.add(value)
			}
			if got := s.draw(test.columns); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// A ping that goes on for days keeps no more than it can draw.
func TestSparklineBound(t *testing.T) {
	var s sparkline
	for i := range 3 * sparkLimit {
		s.add(time.Duration(i))
	}
	if len(s.values) != sparkLimit || s.values[sparkLimit-1] != 3*sparkLimit-1 {
		t.Errorf("%d values kept, the latest is %d", len(s.values), s.values[len(s.values)-1])
	}
}
