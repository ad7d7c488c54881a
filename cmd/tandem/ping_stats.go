package main

import (
	"fmt"
	"time"
)

// pingStats counts pings and measures the round trips of those that were
// answered.
type pingStats struct {
	sent, received   int
	least, greatest  time.Duration
	sum              time.Duration
	last, difference time.Duration // the latest, and the sum of the steps between them
}

// add counts a pong.
func (s *pingStats) add(rtt time.Duration) {
	if s.received == 0 {
		s.least, s.greatest, s.last = rtt, rtt, rtt
	}
	s.received++
	s.least, s.greatest = min(s.least, rtt), max(s.greatest, rtt)
	s.sum += rtt
	s.difference += (rtt - s.last).Abs()
	s.last = rtt
}

// loss returns how many of a hundred pings were not answered.
func (s *pingStats) loss() float64 {
	if s.sent == 0 {
		return 0
	}
	return float64(s.sent-s.received) / float64(s.sent) * 100
}

// average returns the mean round-trip time.
func (s *pingStats) average() time.Duration {
	return s.sum / time.Duration(max(s.received, 1))
}

// jitter returns the mean difference between one round-trip time and the next,
// which tells unsteadiness from mere distance.
func (s *pingStats) jitter() time.Duration {
	return s.difference / time.Duration(max(s.received-1, 1))
}

// String returns the lines that end the output.
func (s *pingStats) String() string {
	text := fmt.Sprintf("%d pings sent, %d pongs received, %.4g%% loss\n", s.sent, s.received, s.loss())
	if s.received == 0 {
		return text
	}
	return text + fmt.Sprintf("rtt min/avg/max/jitter = %s/%s/%s/%s ms\n",
		inMilliseconds(s.least), inMilliseconds(s.average()), inMilliseconds(s.greatest), inMilliseconds(s.jitter()))
}
