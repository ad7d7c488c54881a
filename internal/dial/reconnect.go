package dial

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// An Opener opens a connection of a face, and returns what is inside of it too.
type Opener[C any] func(ctx context.Context) (conn C, inside *link.Conn, err error)

// Reconnect returns an iterator over connections to rawURL, which it has open
// make one after the other: each when the body of the loop is done with the one
// before, and that is closed. Attempts that fail are repeated; an error that is
// not worth that, or the end of the context, is the last element.
func Reconnect[C any](ctx context.Context, rawURL string, opts *Options, open Opener[C]) iter.Seq2[C, error] {
	return func(yield func(C, error) bool) {
		if opts.NetConn != nil {
			opts.NetConn.Close() // it is ours, as in Dial
			var none C
			yield(none, reconnect.ErrNetConn)
			return
		}
		r := &reconnecting[C]{
			ctx: ctx, open: open,
			schedule: reconnect.NewSchedule(opts.Reconnect), waiting: opts.Reconnect.Waiting,
			logger: link.Default(opts.Logger, slog.Default()).With("host", host(rawURL)),
		}
		for r.next(yield) {
		}
	}
}

// host returns which server to speak of in the log. The rest of a URL may be
// secret.
func host(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// reconnecting is one run of the loop.
type reconnecting[C any] struct {
	ctx      context.Context
	open     Opener[C]
	schedule *reconnect.Schedule
	waiting  func(reconnect.Wait)
	logger   *slog.Logger
	wait     reconnect.Wait // before the next attempt; its N is 0 before the first one
}

// next gives the body of the loop the next connection, or the error that ends
// the loop, and reports whether it goes on.
func (r *reconnecting[C]) next(yield func(C, error) bool) (more bool) {
	conn, inside, err := r.connect()
	if err != nil {
		yield(conn, err)
		return false
	}
	uptime, more := r.lend(conn, inside, yield)
	r.wait = r.schedule.Ended(inside.Err(), uptime)
	return more
}

// connect tries until there is a connection, or an error that ends the loop.
func (r *reconnecting[C]) connect() (conn C, inside *link.Conn, err error) {
	for {
		if !r.pause() {
			return conn, nil, r.ended()
		}
		conn, inside, err = r.open(r.ctx)
		switch {
		case err != nil && r.ctx.Err() != nil:
			return conn, nil, explain(r.ctx, time.Time{}, err)
		case err == nil && r.ctx.Err() != nil:
			r.close(inside)
			var none C
			return none, nil, context.Cause(r.ctx)
		case err == nil:
			r.connected()
			return conn, inside, nil
		}
		if fatal := r.schedule.ProcessError(err); fatal != nil {
			return conn, nil, fatal
		}
		r.wait = r.schedule.Failed(err, time.Now())
	}
}

// pause waits before an attempt, and reports whether there is to be one.
func (r *reconnecting[C]) pause() (ok bool) {
	if r.wait.N == 0 || r.ctx.Err() != nil {
		return r.ctx.Err() == nil
	}
	r.announce()
	timer := time.NewTimer(r.wait.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.ctx.Done():
	}
	return r.ctx.Err() == nil
}

// announce tells of a wait. That a connection has ended the body of the loop
// knows, and the log need not have it.
func (r *reconnecting[C]) announce() {
	w := &r.wait
	level, message := slog.LevelInfo, "websocket: connecting failed, trying again"
	if w.Connected {
		level, message = slog.LevelDebug, "websocket: connection ended, connecting again"
	}
	r.logger.Log(r.ctx, level, message, "delay", w.Delay, "wait", w.N, "error", w.Err)
	if r.waiting != nil {
		r.waiting(*w)
	}
}

// connected tells that what was logged before is over.
func (r *reconnecting[C]) connected() {
	if r.wait.N > 0 {
		r.logger.Log(r.ctx, slog.LevelInfo, "websocket: connected again", "waits", r.wait.N)
	}
}

// ended returns why the loop has ended: because of the context, and what was
// wrong until then.
func (r *reconnecting[C]) ended() error {
	cause := context.Cause(r.ctx)
	if r.wait.Err != nil && !r.wait.Connected {
		return fmt.Errorf("%w; the latest attempt: %w", cause, r.wait.Err)
	}
	return cause
}

// lend gives the connection to the body of the loop and closes it afterwards,
// also if the body panics. It returns for how long the body had it, and whether
// it wants another one.
func (r *reconnecting[C]) lend(conn C, inside *link.Conn, yield func(C, error) bool) (uptime time.Duration, more bool) {
	defer r.close(inside)
	opened := time.Now()
	more = yield(conn, nil)
	return time.Since(opened), more
}

func (r *reconnecting[C]) close(inside *link.Conn) { Leave(r.ctx, inside) }

// lastWords is how long the closing handshake may take once nobody wants to
// wait any more: long enough for a peer that is there.
const lastWords = time.Second

// Leave closes the connection with code 1000, within the close timeout, and no
// later than lastWords after the end of the context.
func Leave(ctx context.Context, inside *link.Conn) {
	late, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := context.AfterFunc(ctx, func() { // ends with late, at the latest
		timer := time.NewTimer(lastWords)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-late.Done():
		}
	})
	defer stop()
	inside.Close(&link.Limit{Context: late}, protocol.NormalClosure, "")
}
