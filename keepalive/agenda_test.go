package keepalive

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// checkAgenda compares an agenda with what it should hold, and looks at the order of
// the heap and of the lines, and at what each entry knows of its place.
func checkAgenda(t *testing.T, a *agenda, want map[*Entry]time.Duration) {
	t.Helper()
	if a.len() != len(want) {
		t.Fatalf("%d entries, want %d", a.len(), len(want))
	}
	check := func(x appointment, where where, index int32) {
		t.Helper()
		if at, ok := want[x.entry]; !ok || at != x.at {
			t.Fatalf("entry %d of %d is due at %v, want %v (%v)", index, where, x.at, at, ok)
		}
		if x.entry.where != where || x.entry.index != index {
			t.Fatalf("entry %d of %d believes to be %d of %d", index, where, x.entry.index, x.entry.where)
		}
	}
	for i, x := range a.heap {
		check(x, inHeap, int32(i))
		if i > 0 && x.at < a.heap[parent(i)].at {
			t.Fatalf("entry %d is due before its parent", i)
		}
	}
	for i := range a.lines {
		l, live := &a.lines[i], 0
		for n := l.front; n != l.next; n++ {
			x := l.place(n)
			if n != l.front && x.at < l.place(n-1).at {
				t.Fatalf("line %d: the one at %d is due before that before it", i, n)
			}
			if x.entry != nil {
				live++
				check(*x, inLine+where(i), int32(n))
			}
		}
		if live != l.live || live > 0 && l.first().entry == nil {
			t.Fatalf("line %d: %d stand there, want %d, the first one %v", i, live, l.live, l.first().entry)
		}
	}
	checkCrowded(t, a, want)
}

// checkCrowded compares what an agenda says of several times with a count.
func checkCrowded(t *testing.T, a *agenda, want map[*Entry]time.Duration) {
	t.Helper()
	for at := time.Duration(-1); at <= 50; at += 3 {
		n := 0
		for _, due := range want {
			if due <= at {
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
				if entries[i].where != nowhere {
					t.Fatal("a removed entry has a place")
				}
				entries = slices.Delete(entries, i, i+1)
			}
			checkAgenda(t, &a, want)
		}
		checkOrder(t, &a, want)
	}
}

// checkOrder takes everything from the agenda, the first one first.
func checkOrder(t *testing.T, a *agenda, want map[*Entry]time.Duration) {
	t.Helper()
	var got []time.Duration
	for first := a.first(); first != nil; first = a.first() {
		e := first.entry
		got = append(got, first.at)
		a.remove(e)
		delete(want, e)
		checkAgenda(t, a, want)
	}
	if !slices.IsSorted(got) {
		t.Fatalf("not in order: %v", got)
	}
}

// A removed entry leaves nothing behind that keeps it from being collected.
func TestAgendaLetsGo(t *testing.T) {
	var a agenda
	entries := make([]Entry, 100)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range entries {
		a.add(&entries[i], time.Duration(rng.IntN(1000)))
	}
	for i := range entries {
		a.remove(&entries[i])
	}
	kept := a.heap[:cap(a.heap)]
	for i := range a.lines {
		kept = append(kept, a.lines[i].ring...)
	}
	for _, x := range kept {
		if x.entry != nil {
			t.Errorf("the entry that was due at %v is kept", x.at)
		}
	}
	if len(kept) > 2*smallHeap+lines*smallRing {
		t.Errorf("%d places are kept", len(kept))
	}
}

// Appointments that come in order stand in one line, those of a few settings in one
// each, also when the first ones are anywhere, and one that never comes is no hindrance.
func TestAgendaInLine(t *testing.T) {
	const n = 1000
	for _, settings := range [][]time.Duration{{20}, {20, 30}, {5, 15, 7}} {
		var a agenda
		rng := rand.New(rand.NewPCG(1, 2))
		entries := make([]Entry, n+1)
		a.add(&entries[n], never)
		for i := range entries[:n] {
			a.add(&entries[i], time.Duration(rng.IntN(20*n)))
		}
		for range 10 * n {
			x := a.first()
			a.move(x.entry, x.at+settings[rng.IntN(len(settings))]*n)
		}
		if len(a.heap) > 0 {
			t.Errorf("of %d with the settings %v, %d are in the heap", n, settings, len(a.heap))
		}
	}
}

// A line whose front stays for long, while others come and leave behind it, is not much
// longer than it needs to be.
func TestLineIsPacked(t *testing.T) {
	var l line
	var last Entry
	front := make([]Entry, 20)
	for i := range front {
		l.add(&front[i], 0)
	}
	l.add(&last, 1)
	for at := range time.Duration(10_000) {
		l.remove(&last)
		if l.add(&last, at); len(l.ring) > 4*smallRing {
			t.Fatalf("%d places for %d", len(l.ring), l.live)
		}
	}
	many := make([]Entry, 1000)
	for i := range many {
		l.add(&many[i], 100_000)
	}
	for i := range many {
		l.remove(&many[i])
	}
	if len(l.ring) > 16*smallRing {
		t.Errorf("%d places for %d, after many were there", len(l.ring), l.live)
	}
	for i := range front {
		l.remove(&front[i])
	}
	if l.first().entry != &last || l.live != 1 {
		t.Errorf("%d are left, the first one %v", l.live, l.first().entry)
	}
}

// The numbers of places begin anew without anybody noticing.
func TestLineOverflows(t *testing.T) {
	l := line{front: math.MaxUint32 - 5, next: math.MaxUint32 - 5}
	entries := make([]Entry, 3*smallRing)
	for i := range entries {
		l.add(&entries[i], time.Duration(i))
	}
	if n := l.countDown(time.Duration(len(entries)), 1000); n != 1000-len(entries) {
		t.Errorf("%d are due in the end, want %d", 1000-n, len(entries))
	}
	for i := range entries {
		if x := l.first(); x.entry != &entries[i] || x.at != time.Duration(i) {
			t.Fatalf("the one due at %v is first, want %d", x.at, i)
		}
		l.remove(&entries[i])
	}
}
