package link

import "github.com/tandemws/tandem/protocol"

// A queue holds what a background reader keeps for the application: messages,
// or chunks of one that is received in pieces. Its bounds are Options.MaxQueue
// and MaxQueueBytes; see Conn.full.
type queue struct {
	events []*protocol.Event // each with data of its own
	bytes  int
}

func (q *queue) empty() bool { return len(q.events) == 0 }

func (q *queue) push(ev *protocol.Event) {
	q.events = append(q.events, ev)
	q.bytes += len(ev.Data)
}

func (q *queue) pop() *protocol.Event {
	ev := q.events[0]
	rest := copy(q.events, q.events[1:])
	q.events[rest] = nil
	q.events = q.events[:rest]
	q.bytes -= len(ev.Data)
	return ev
}
