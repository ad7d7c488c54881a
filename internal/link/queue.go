package link

import "github.com/tandemws/tandem/protocol"

// A queue holds what a background reader keeps for the application: messages,
// or chunks of one that is received in pieces. Its bounds are Options.MaxQueue
// and MaxQueueBytes; see Conn.full. It may be long if one of them is off.
type queue struct {
	events []protocol.Event // each with data of its own, behind those that were popped; empty if all were
	first  int              // the first that was not
	bytes  int
	popped protocol.Event
}

// maxIdleQueue is for how many events an empty queue keeps memory.
const maxIdleQueue = 64

func (q *queue) empty() bool { return len(q.events) == 0 }
func (q *queue) len() int    { return len(q.events) - q.first }

func (q *queue) push(ev *protocol.Event) {
	if len(q.events) == cap(q.events) && q.first > len(q.events)/2 {
		q.moveUp()
	}
	q.events = append(q.events, *ev)
	q.bytes += len(ev.Data)
}

// moveUp makes use of the room of events that were popped. They are more than those
// that have to move.
func (q *queue) moveUp() {
	n := copy(q.events, q.events[q.first:])
	clear(q.events[n:])
	q.events, q.first = q.events[:n], 0
}

// pop returns the first event, valid until the next call. It is not inlined: what
// it takes of the stack is not for who looks at the next frame.
//
//go:noinline
func (q *queue) pop() *protocol.Event {
	q.popped = q.events[q.first]
	q.events[q.first] = protocol.Event{}
	q.bytes -= len(q.popped.Data)
	if q.first++; q.first == len(q.events) {
		q.events, q.first = q.events[:0], 0
		if cap(q.events) > maxIdleQueue {
			q.events = nil
		}
	}
	return &q.popped
}
