package link

import "github.com/tandemws/tandem/protocol"

// A queue holds what a background reader keeps for the application: messages,
// or chunks of one that is received in pieces. Its bounds are Options.MaxQueue
// and MaxQueueBytes; see Conn.full.
type queue struct {
	events []protocol.Event // each with data of its own
	popped protocol.Event
	bytes  int
}

func (q *queue) empty() bool { return len(q.events) == 0 }

func (q *queue) push(ev *protocol.Event) {
	q.events = append(q.events, *ev)
	q.bytes += len(ev.Data)
}

// pop returns the first event, valid until the next call. It is not inlined: what
// it takes of the stack is not for who looks at the next frame.
//
//go:noinline
func (q *queue) pop() *protocol.Event {
	q.popped = q.events[0]
	rest := copy(q.events, q.events[1:])
	q.events[rest] = protocol.Event{}
	q.events = q.events[:rest]
	q.bytes -= len(q.popped.Data)
	return &q.popped
}
