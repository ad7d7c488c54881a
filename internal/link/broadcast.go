package link

import (
	"fmt"
	"iter"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// A SlowPolicy says what becomes of a connection that has no room for a message
// that is sent to many.
type SlowPolicy int8

const (
	// DropMessage goes without this message.
	DropMessage SlowPolicy = iota

	// DropConnection closes the connection with code 1008, "too slow".
	DropConnection
)

// BroadcastOptions are documented in the faces.
type BroadcastOptions[C any] struct {
	Compression     protocol.Compression
	Slow            SlowPolicy
	SlowFor         func(C) SlowPolicy
	Wait            time.Duration
	MaxBacklog      int
	MaxBacklogBytes int
}

// The defaults of BroadcastOptions.
const (
	DefaultMaxBacklog      = 16
	DefaultMaxBacklogBytes = 1 << 20
)

// A broadcast sends one message to many connections.
type broadcast[C any] struct {
	message *Prepared
	opts    *BroadcastOptions[C]
	bounds  Backlog
	link    func(C) *Conn
	report  func(C, error)
	quick   *oneShot
	next    *delivery // as long as nobody keeps it
	waiting []waitingFor[C]
}

// waitingFor is a connection that has no room for the message.
type waitingFor[C any] struct {
	conn C
	d    *delivery
}

// Broadcast sends m on each connection that is open, whose core link returns,
// without waiting for any of them before all were tried. report is told of
// those that could not take it. The Limit bounds the waiting that the options
// ask for. An error says that nothing was sent at all.
func Broadcast[C any](l *Limit, conns iter.Seq[C], m protocol.Message, opts *BroadcastOptions[C], link func(C) *Conn, report func(C, error)) error {
	if err := l.Reached(); err != nil {
		return err
	}
	message, err := Prepare(m, opts.Compression)
	if err != nil {
		return err
	}
	b := broadcast[C]{message: message, opts: opts, link: link, report: report, quick: newOneShot(message), next: new(delivery)}
	b.bounds.Messages = Default(opts.MaxBacklog, DefaultMaxBacklog)
	b.bounds.Bytes = Default(opts.MaxBacklogBytes, DefaultMaxBacklogBytes)
	for conn := range conns {
		b.post(conn)
	}
	b.await(l.within(opts.Wait))
	return nil
}

func (b *broadcast[C]) post(conn C) {
	d := b.next
	*d = delivery{shipment: shipment{prepared: b.message}, bounds: b.bounds}
	switch what, err := b.send(b.link(conn), d); {
	case err != nil:
		b.report(conn, err)
	case what == postedWaiting:
		b.waiting = append(b.waiting, waitingFor[C]{conn, d})
	case what == postedNoRoom:
		b.slow(conn, ErrTooSlow)
	}
	if d.kept {
		b.next = new(delivery)
	}
}

func (b *broadcast[C]) send(c *Conn, d *delivery) (posted, error) {
	if done, err := c.postQuickly(b.quick, d); done {
		return postedSent, err
	}
	return c.post(d, b.opts.Wait > 0)
}

// await waits for the connections that had no room, together.
func (b *broadcast[C]) await(l *Limit) {
	for _, w := range b.waiting {
		err := l.wait(w.d.accepted)
		if err != nil && b.link(w.conn).withdraw(w.d) {
			b.slow(w.conn, fmt.Errorf("%w: %w", ErrTooSlow, err))
		}
	}
}

// slow does what is to be done about a connection that has no room.
func (b *broadcast[C]) slow(conn C, err error) {
	policy := b.opts.Slow
	if b.opts.SlowFor != nil {
		policy = b.opts.SlowFor(conn)
	}
	if policy == DropConnection {
		b.link(conn).tooSlow()
	}
	b.report(conn, err)
}

// Missed is the text of the errors of n connections, of which this is the first.
func Missed(n int, first error) string {
	if n == 1 {
		return first.Error()
	}
	return fmt.Sprintf("%v (and %d more connections)", first, n-1)
}
