package keepalive

import "time"

// An agenda says which of its entries is due first.
//
// Of connections with the same settings each becomes due again as long after it was
// as all others do, so most appointments can stand in a line: in order, without being
// compared. A few lines do for a few settings, and a heap has what fits into none.
// With very many connections that is what counts: on its way through a heap an
// appointment passes others that are in no cache of the processor's.
type agenda struct {
	lines [lines]line
	heap  heap
}

const lines = 4

type appointment struct {
	at    time.Duration // since the thread's epoch
	entry *Entry
}

// A where tells where an entry's appointment is.
type where int8

const (
	nowhere where = iota
	inHeap
	inLine // the first one, and so on
)

func (a *agenda) line(w where) *line { return &a.lines[w-inLine] }

// add registers e, which is not registered.
func (a *agenda) add(e *Entry, at time.Duration) {
	if e.where = a.whereFor(at); e.where == inHeap {
		a.heap.add(e, at)
	} else {
		a.line(e.where).add(e, at)
	}
}

// whereFor returns the line at whose end the time may stand behind the latest; or that
// there is none.
func (a *agenda) whereFor(at time.Duration) where {
	best, latest := inHeap, time.Duration(-2)
	for i := range a.lines {
		if last := a.lines[i].last(); latest < last && last <= at {
			best, latest = inLine+where(i), last
		}
	}
	return best
}

func (a *agenda) remove(e *Entry) {
	if e.where == inHeap {
		a.heap.remove(e)
	} else {
		a.line(e.where).remove(e)
	}
	e.where = nowhere
}

func (a *agenda) move(e *Entry, at time.Duration) {
	a.remove(e)
	a.add(e, at)
}

// first returns what is due first; nil when there is nothing.
func (a *agenda) first() (first *appointment) {
	if len(a.heap) > 0 {
		first = &a.heap[0]
	}
	for i := range a.lines {
		if l := &a.lines[i]; l.live > 0 && (first == nil || l.first().at < first.at) {
			first = l.first()
		}
	}
	return first
}

func (a *agenda) len() (n int) {
	for i := range a.lines {
		n += a.lines[i].live
	}
	return n + len(a.heap)
}

// crowd is how many make it worthwhile to have the first of them wait for the last.
const crowd = 4

// crowded reports whether a crowd is due up to at.
func (a *agenda) crowded(at time.Duration) bool {
	short := a.heap.countDown(0, at, crowd)
	for i := range a.lines {
		short = a.lines[i].countDown(at, short)
	}
	return short == 0
}
