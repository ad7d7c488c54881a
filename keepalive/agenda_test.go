package keepalive

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// checkAgenda compares an agenda with what it should hold, and looks at the
// order of the heap and at the place that each entry remembers.
func checkAgenda(t *testing.T, a agenda, want map[*Entry]time.Duration) {
	t.Helper()
	if len(a) != len(want) {
		t.Fatalf("%d entries, want %d", len(a), len(want))
	}
	for i, x := range a {
		if at, ok := want[x.entry]; !ok || at != x.at {
			t.Fatalf("entry %d is due at %v, want %v (%v)", i, x.at, at, ok)
		}
		if int(x.entry.index) != i+1 {
			t.Fatalf("entry %d believes that it is at %d", i, x.entry.index-1)
		}
		if i > 0 && x.at < a[parent(i)].at {
			t.Fatalf("entry %d is due before its parent", i)
		}
	}
	checkCrowded(t, a)
}

// checkCrowded compares what an agenda says of several times with a count.
func checkCrowded(t *testing.T, a agenda) {
	t.Helper()
	for at := time.Duration(-1); at <= 50; at += 3 {
		n := 0
		for _, x := range a {
			if x.at <= at {
				n++
			}
		}
		if got := a.crowded(at); got != (n >= crowd) {
			t.Fatalf("crowded up to %d: %v, with %d of them", at, got, n)
		}
	}
}

// Whatever is added, moved and removed, the agenda holds what a map holds, and
// what comes out in the end comes in order. Times are few, so that many are
// equal.
func TestAgenda(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 5))
		when := func() time.Duration { return time.Duration(rng.IntN(50)) }
		var a agenda
		var entries []*Entry
		want := map[*Entry]time.Duration{}
		for range 300 {
			at, i := when(), rng.IntN(len(entries)+1)
			switch {
			case i == len(entries) || rng.IntN(3) == 0:
				e := new(Entry)
				entries, want[e] = append(entries, e), at
				a.add(e, at)
			case rng.IntN(2) == 0:
				want[entries[i]] = at
				a.move(entries[i], at)
			default:
				delete(want, entries[i])
				a.remove(entries[i])
				if entries[i].index != 0 {
					t.Fatal("a removed entry has a place")
				}
				entries = slices.Delete(entries, i, i+1)
			}
			checkAgenda(t, a, want)
		}
		checkOrder(t, a, want)
	}
}

// checkOrder takes everything from the agenda, the first one first.
func checkOrder(t *testing.T, a agenda, want map[*Entry]time.Duration) {
	t.Helper()
	var got []time.Duration
	for len(a) > 0 {
		first := a[0]
		got = append(got, first.at)
		a.remove(first.entry)
		delete(want, first.entry)
		checkAgenda(t, a, want)
	}
	if !slices.IsSorted(got) {
		t.Fatalf("not in order: %v", got)
	}
}

// A removed entry leaves nothing behind that keeps it from being collected.
func TestAgendaLetsGo(t *testing.T) {
	var a agenda
	entries := make([]Entry, 10)
	for i := range entries {
		a.add(&entries[i], time.Duration(i))
	}
	for i := range entries {
		a.remove(&entries[i])
	}
	for i, x := range a[:cap(a)] {
		if x.entry != nil {
			t.Errorf("place %d still has an entry", i)
		}
	}
}
