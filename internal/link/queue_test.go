package link

import (
	"math/rand/v2"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// TestQueue pushes and pops at random: what comes is what a list would give, and
// nothing that was popped is referred to.
func TestQueue(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var q queue
	var want []int // lengths of the data
	for i := range 20000 {
		if r.IntN(100) < 45+10*(i/1000%2) { // a thousand steps up, a thousand down
			n := r.IntN(10)
			q.push(&protocol.Event{Kind: protocol.EventMessage, Data: make([]byte, n)})
			want = append(want, n)
		} else if len(want) > 0 {
			if ev := q.pop(); ev.Kind != protocol.EventMessage || len(ev.Data) != want[0] {
				t.Fatalf("step %d: %v with %d bytes, want %d", i, ev.Kind, len(ev.Data), want[0])
			}
			want = want[1:]
		}
		checkQueue(t, &q, want)
	}
}

// checkQueue fails the test unless these, and no others, are in the queue.
func checkQueue(t *testing.T, q *queue, want []int) {
	t.Helper()
	bytes, held := 0, 0
	for _, n := range want {
		bytes += n
	}
	for _, ev := range q.events[:cap(q.events)] {
		if ev.Data != nil {
			held++
		}
	}
	if q.len() != len(want) || q.empty() != (len(want) == 0) || q.bytes != bytes || held != len(want) {
		t.Fatalf("%d events, empty %t, %d bytes, %d held, want %d and %d bytes", q.len(), q.empty(), q.bytes, held, len(want), bytes)
	}
}

// TestQueueLong receives very many messages that were queued, as they are where the
// options set no bound. To move all of them up for each would take minutes.
func TestQueueLong(t *testing.T) {
	const n = 500_000
	var q queue
	for range n {
		q.push(&protocol.Event{Kind: protocol.EventMessage})
	}
	for range n {
		q.pop()
	}
	if !q.empty() || cap(q.events) > 64 {
		t.Errorf("%d events, and room for %d", q.len(), cap(q.events))
	}
}
