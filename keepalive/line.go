package keepalive

import "time"

// A line has appointments in order. What comes is put behind the others, and what is
// due is taken from the front; one in the middle leaves its place empty.
//
// The ring has a power of two of places. They are numbered through from the very first
// one on, so that an appointment has the same number in a larger ring.
type line struct {
	ring        []appointment
	front, next uint32 // the numbers of the first place, which is not empty, and behind the last
	live        int    // how many places between are not empty
}

func (l *line) place(number uint32) *appointment { return &l.ring[int(number)&(len(l.ring)-1)] }

func (l *line) first() *appointment { return l.place(l.front) }

// last returns when the last one is due, or was; a time before all others if there is
// none.
func (l *line) last() time.Duration {
	if l.live == 0 {
		return -1
	}
	return l.place(l.next - 1).at
}

func (l *line) add(e *Entry, at time.Duration) {
	if int(l.next-l.front) == len(l.ring) {
		l.makeRoom()
	}
	*l.place(l.next) = appointment{at, e}
	e.index = int32(l.next)
	l.next++
	l.live++
}

func (l *line) remove(e *Entry) {
	l.place(uint32(e.index)).entry = nil
	l.live--
	for l.front != l.next && l.first().entry == nil {
		l.front++
	}
	if len(l.ring) > smallRing && l.live < len(l.ring)/8 {
		l.pack(max(len(l.ring)/4, smallRing))
	}
}

// smallRing is the size of the smallest ring, which is kept though nothing is in it.
const smallRing = 16

// makeRoom makes room for one more: in a larger ring, or where too many places are
// empty.
func (l *line) makeRoom() {
	if size := len(l.ring); size > 0 && l.live <= size/2 {
		l.pack(size)
		return
	}
	before := *l
	l.ring = make([]appointment, max(smallRing, 2*len(before.ring)))
	for n := before.front; n != before.next; n++ {
		*l.place(n) = *before.place(n)
	}
}

// pack has all stand close together, with new numbers, in a ring of this size.
func (l *line) pack(size int) {
	before := *l
	*l = line{ring: make([]appointment, size)}
	for n := before.front; n != before.next; n++ {
		if x := before.place(n); x.entry != nil {
			l.add(x.entry, x.at)
		}
	}
}

// countDown returns by how many those that are due up to at are short of n.
func (l *line) countDown(at time.Duration, n int) int {
	for i := l.front; n > 0 && i != l.next && l.place(i).at <= at; i++ {
		if l.place(i).entry != nil {
			n--
		}
	}
	return n
}
