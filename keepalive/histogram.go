package keepalive

import (
	"encoding/json"
	"iter"
	"time"
)

// rttBounds are the upper bounds of the buckets for round trips, but for the
// last bucket, which has none: from one machine to the other side of the world
// and to a mobile phone in a tunnel.
var rttBounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// RTTBuckets is how many buckets a [Histogram] has.
const RTTBuckets = len(rttBounds) + 1

// RTTBucket returns the index of the bucket that a round trip belongs to. A
// bucket's upper bound belongs to it.
func RTTBucket(rtt time.Duration) int {
	i := 0
	for i < len(rttBounds) && rtt > rttBounds[i] {
		i++
	}
	return i
}

// A Histogram tells how round trips are distributed.
type Histogram struct {
	Counts [RTTBuckets]uint64 // how many were in each bucket
	Sum    time.Duration      // of all
}

// MarshalJSON adds the upper bounds of the buckets, in nanoseconds, of which the
// last one has none. Unmarshalling ignores them.
func (h Histogram) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Bounds []time.Duration
		Counts []uint64
		Sum    time.Duration
	}{rttBounds[:], h.Counts[:], h.Sum})
}

// Cumulative returns, for each bucket, its upper bound and how many round trips
// were within it. The last one has none, for which 0 stands.
func (h *Histogram) Cumulative() iter.Seq2[time.Duration, uint64] {
	return func(yield func(time.Duration, uint64) bool) {
		n := uint64(0)
		for i, count := range h.Counts {
			bound := time.Duration(0)
			if i < len(rttBounds) {
				bound = rttBounds[i]
			}
			if n += count; !yield(bound, n) {
				return
			}
		}
	}
}

// Count returns how many round trips there were.
func (h *Histogram) Count() (n uint64) {
	for _, count := range h.Counts {
		n += count
	}
	return n
}
