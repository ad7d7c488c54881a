package keepalive

import "time"

// An agenda is a heap of entries, the earliest first. Each node has four
// children, which makes the way down half as long as with two, and the times
// lie beside each other, so that comparing them does not touch the entries.
type agenda []appointment

type appointment struct {
	at    time.Duration // since the thread's epoch
	entry *Entry
}

const children = 4

func (a *agenda) add(e *Entry, at time.Duration) {
	*a = append(*a, appointment{at, e})
	a.up(len(*a)-1, appointment{at, e})
}

func (a *agenda) move(e *Entry, at time.Duration) {
	a.fix(int(e.index)-1, appointment{at, e})
}

func (a *agenda) remove(e *Entry) {
	hole, last := int(e.index)-1, len(*a)-1
	moved := (*a)[last]
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	e.index = 0
	if hole < last {
		a.fix(hole, moved)
	}
}

// fix puts x at i or wherever it belongs from there.
func (a *agenda) fix(i int, x appointment) {
	if i > 0 && x.at < (*a)[parent(i)].at {
		a.up(i, x)
	} else {
		a.down(i, x)
	}
}

// up puts x at i or above.
func (a *agenda) up(i int, x appointment) {
	for i > 0 && x.at < (*a)[parent(i)].at {
		a.put(i, (*a)[parent(i)])
		i = parent(i)
	}
	a.put(i, x)
}

// down puts x at i or below.
func (a *agenda) down(i int, x appointment) {
	for {
		child := a.earliestChild(i)
		if child < 0 || (*a)[child].at >= x.at {
			break
		}
		a.put(i, (*a)[child])
		i = child
	}
	a.put(i, x)
}

// earliestChild returns a child of i, or -1 if there is none.
func (a *agenda) earliestChild(i int) int {
	first := children*i + 1
	if first >= len(*a) {
		return -1
	}
	earliest := first
	for child := first + 1; child < min(first+children, len(*a)); child++ {
		if (*a)[child].at < (*a)[earliest].at {
			earliest = child
		}
	}
	return earliest
}

// crowd is how many make it worthwhile to have the first of them wait for the
// last.
const crowd = 4

// crowded reports whether a crowd is due up to at.
func (a *agenda) crowded(at time.Duration) bool { return a.countDown(0, at, crowd) == 0 }

// countDown returns by how many those at i and below that are due up to at are
// short of n. It looks at no more than n of them and at their children.
func (a *agenda) countDown(i int, at time.Duration, n int) int {
	if n == 0 || i >= len(*a) || (*a)[i].at > at {
		return n
	}
	n--
	for child := children*i + 1; child <= children*i+children; child++ {
		n = a.countDown(child, at, n)
	}
	return n
}

func (a *agenda) put(i int, x appointment) {
	(*a)[i] = x
	x.entry.index = int32(i + 1)
}

func parent(i int) int { return (i - 1) / children }
