package async

import (
	"context"
	"net/http"
	"time"
)

// A lifetime is a connection as its context. Most handlers only pass it on, so the
// one that can end, and that others can be derived from, is made when it is first
// asked for: an idle connection has none.
type lifetime Conn

// A madeContext is that one.
type madeContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// make returns it. It has ended if the connection has: who ends that looks for one
// when this can be seen here.
func (l *lifetime) make() context.Context {
	made := l.made.Load()
	if made == nil {
		made = new(madeContext)
		made.Context, made.cancel = context.WithCancelCause((*heritage)(l))
		if !l.made.CompareAndSwap(nil, made) {
			made = l.made.Load()
		}
	}
	if how := l.ended.Load(); how != nil {
		made.cancel(how)
	}
	return made.Context
}

// Deadline returns none.
func (l *lifetime) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done is closed when the connection has ended.
func (l *lifetime) Done() <-chan struct{} { return l.make().Done() }

// Err returns context.Canceled when the connection has ended.
func (l *lifetime) Err() error {
	if l.made.Load() == nil && l.ended.Load() == nil {
		return nil
	}
	return l.make().Err()
}

// Value returns a value of the opening handshake's context. What package context
// itself asks for, so that contexts that are derived from this one end with it, only
// the made one has.
func (l *lifetime) Value(key any) any {
	if value := (*heritage)(l).Value(key); value != nil {
		return value
	}
	return l.make().Value(key)
}

// String says what it is: fmt would look at all of the connection, which others use.
func (l *lifetime) String() string { return "async.Conn.Context" }

// A heritage has the values that a connection's context has from the opening
// handshake's, and never ends.
type heritage Conn

func (h *heritage) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
func (h *heritage) Done() <-chan struct{}                   { return nil }
func (h *heritage) Err() error                              { return nil }
func (h *heritage) String() string                          { return "async.Conn.Context" }

func (h *heritage) Value(key any) any {
	switch ctx := h.opening.Get().Context; {
	case ctx != nil:
		return ctx.Value(key)
	case key == http.LocalAddrContextKey:
		return h.link.LocalAddr()
	}
	return h.link.Options().Context.Value(key)
}
