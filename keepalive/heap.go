package keepalive

import "time"

// A heap has appointments, the earliest first. Each node has four children, which
// makes the way down half as long as with two, and the times lie beside each other, so
// that comparing them does not touch the entries.
type heap []appointment

const children = 4

// smallHeap is how many have room in a heap that is not made smaller.
const smallHeap = 16

func (h *heap) add(e *Entry, at time.Duration) {
	*h = append(*h, appointment{at, e})
	h.up(len(*h)-1, appointment{at, e})
}

func (h *heap) remove(e *Entry) {
	hole, last := int(e.index), len(*h)-1
	moved := (*h)[last]
	(*h)[last] = appointment{}
	*h = (*h)[:last]
	if hole < last {
		h.fix(hole, moved)
	}
	if cap(*h) > smallHeap && last < cap(*h)/4 {
		*h = append(make(heap, 0, cap(*h)/2), *h...) // most stand in a line by now
	}
}

// fix puts x at i or wherever it belongs from there.
func (h *heap) fix(i int, x appointment) {
	if i > 0 && x.at < (*h)[parent(i)].at {
		h.up(i, x)
	} else {
		h.down(i, x)
	}
}

// up puts x at i or above.
func (h *heap) up(i int, x appointment) {
	for i > 0 && x.at < (*h)[parent(i)].at {
		h.put(i, (*h)[parent(i)])
		i = parent(i)
	}
	h.put(i, x)
}

// down puts x at i or below.
func (h *heap) down(i int, x appointment) {
	for {
		child := h.earliestChild(i)
		if child < 0 || (*h)[child].at >= x.at {
			break
		}
		h.put(i, (*h)[child])
		i = child
	}
	h.put(i, x)
}

// earliestChild returns a child of i, or -1 if there is none.
func (h *heap) earliestChild(i int) int {
	first := children*i + 1
	if first >= len(*h) {
		return -1
	}
	earliest := first
	for child := first + 1; child < min(first+children, len(*h)); child++ {
		if (*h)[child].at < (*h)[earliest].at {
			earliest = child
		}
	}
	return earliest
}

// countDown returns by how many those at i and below that are due up to at are
// short of n. It looks at no more than n of them and at their children.
func (h *heap) countDown(i int, at time.Duration, n int) int {
	if n == 0 || i >= len(*h) || (*h)[i].at > at {
		return n
	}
	n--
	for child := children*i + 1; child <= children*i+children; child++ {
		n = h.countDown(child, at, n)
	}
	return n
}

func (h *heap) put(i int, x appointment) {
	(*h)[i] = x
	x.entry.index = int32(i)
}

func parent(i int) int { return (i - 1) / children }
