package face

import (
	"errors"
	"iter"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// BroadcastOptions are those of both faces.
type BroadcastOptions struct {
	Compression                 protocol.Compression
	Drop                        func(Conn) bool // whether a slow one is dropped; nil: only its message is
	Wait                        time.Duration
	MaxBacklog, MaxBacklogBytes int
	Within                      time.Duration // the bound of the context in async; 0: none
}

// Missed has the connections that a broadcast message did not get to, and why.
type Missed map[Conn]error

func (Sync) Broadcast(conns []Conn, m protocol.Message, opts BroadcastOptions) (Missed, error) {
	back := make(map[*wssync.ServerConn]Conn)
	for _, conn := range conns {
		back[conn.(*syncConn).server] = conn
	}
	core := wssync.BroadcastOptions{
		Compression: opts.Compression, Wait: opts.Wait,
		MaxBacklog: opts.MaxBacklog, MaxBacklogBytes: opts.MaxBacklogBytes,
	}
	if opts.Drop != nil {
		core.SlowFor = func(c *wssync.ServerConn) wssync.SlowPolicy { return policy(opts.Drop(back[c])) }
	}
	err := wssync.Broadcast(each(conns, func(c Conn) *wssync.ServerConn { return c.(*syncConn).server }), m, &core)
	var all wssync.BroadcastErrors
	if !errors.As(err, &all) {
		return nil, err
	}
	missed := make(Missed)
	for _, e := range all {
		missed[back[e.Conn]] = e.Err
	}
	return missed, err
}

func (Async) Broadcast(conns []Conn, m protocol.Message, opts BroadcastOptions) (Missed, error) {
	back := make(map[*wsasync.ServerConn]Conn)
	for _, conn := range conns {
		back[conn.(*asyncConn).server] = conn
	}
	core := wsasync.BroadcastOptions{
		Compression: opts.Compression, Wait: opts.Wait,
		MaxBacklog: opts.MaxBacklog, MaxBacklogBytes: opts.MaxBacklogBytes,
	}
	if opts.Drop != nil {
		core.SlowFor = func(c *wsasync.ServerConn) wsasync.SlowPolicy { return policy(opts.Drop(back[c])) }
	}
	ctx, cancel := bounded(opts.Within)
	defer cancel()
	err := wsasync.Broadcast(ctx, each(conns, func(c Conn) *wsasync.ServerConn { return c.(*asyncConn).server }), m, &core)
	var all wsasync.BroadcastErrors
	if !errors.As(err, &all) {
		return nil, err
	}
	missed := make(Missed)
	for _, e := range all {
		missed[back[e.Conn]] = e.Err
	}
	return missed, err
}

func policy(drop bool) wssync.SlowPolicy {
	if drop {
		return wssync.DropConnection
	}
	return wssync.DropMessage
}

func each[T any](conns []Conn, of func(Conn) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, conn := range conns {
			if !yield(of(conn)) {
				return
			}
		}
	}
}

// A Prepared is a prepared message of either face.
type Prepared interface {
	SendTo(conn Conn, timeout time.Duration) error
}

type (
	syncPrepared  struct{ message *wssync.Prepared }
	asyncPrepared struct{ message *wsasync.Prepared }
)

func (Sync) Prepare(m protocol.Message) (Prepared, error) {
	message, err := wssync.Prepare(m)
	return syncPrepared{message}, err
}

func (p syncPrepared) SendTo(conn Conn, timeout time.Duration) error {
	return conn.(*syncConn).SendPrepared(p.message, wssync.WithTimeout(timeout))
}

func (Async) Prepare(m protocol.Message) (Prepared, error) {
	message, err := wsasync.Prepare(m)
	return asyncPrepared{message}, err
}

func (p asyncPrepared) SendTo(conn Conn, timeout time.Duration) error {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return conn.(*asyncConn).SendPrepared(ctx, p.message)
}
