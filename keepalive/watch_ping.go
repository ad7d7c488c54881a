package keepalive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A watch is one call of [Watcher.Watch]: the target of its runner.
type watch struct {
	*Watcher
	ctx    context.Context // ends with the watch
	cancel context.CancelFunc
	conn   PingConn
	pings  sync.WaitGroup
}

// Tick does what the schedule demands. A ping is handed to a goroutine, for
// Ping waits for the peer.
func (v *watch) Tick(now time.Time) (next time.Time, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for {
		ev := v.evidence(now)
		switch action := v.monitor.Next(now, &ev); action.Kind {
		case Wait:
			return action.At, true
		case Ping:
			v.begin(action.Due, now)
		case GiveUp:
			v.gaveUp = action.Err
			v.gaveUp.Watched = true
			return time.Time{}, false
		}
	}
}

// maxPings is how many pings may wait for their pongs at once. A peer that is
// never given up, or is not read from for hours, must not cost ever more.
const maxPings = 64

// patience returns for how long a ping is waited for: until so many others were
// sent that it does not matter any more. It is never so short that it could
// cut the writing of a ping, for which the libraries give themselves 5 s: one
// that is cut there ends the connection.
func patience(interval time.Duration) time.Duration {
	return max(10*time.Second, min(interval, 24*time.Hour)*(maxPings-1))
}

// begin starts the ping that was due, if there is room for it. mu is held.
func (v *watch) begin(due, now time.Time) {
	if v.waiting == maxPings {
		return
	}
	v.waiting++
	v.stats.PingsSent++
	sent := sentPing{due: due, at: now, paused: v.pausedFor(now)}
	v.pings.Go(func() { v.ping(sent) }) // ends with Ping, which ends with ctx
}

// A sentPing is what has to be known when the pong comes.
type sentPing struct {
	due, at time.Time
	paused  time.Duration // for how long reading had paused in all
}

// ping sends a ping, waits for what becomes of it and takes note of that.
func (v *watch) ping(sent sentPing) {
	ctx, cancel := context.WithTimeout(v.ctx, v.patience)
	defer cancel()
	err := v.try(ctx, &sent)
	switch {
	case err == nil:
		v.pong(sent, time.Now())
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		v.note(func() {}) // nobody waits for it any more
	default:
		v.note(func() { v.fail(err) })
		v.cancel()
	}
}

// try calls Ping, and again when the library could not write the ping in the
// time it gives itself: if a message was in the way, the ping is to leave as
// soon as that is over, and if the library has closed the connection, the next
// call says so. One that fails too soon is not tried again.
func (v *watch) try(ctx context.Context, sent *sentPing) error {
	for {
		err := v.conn.Ping(ctx)
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		tried := time.Since(sent.at)
		v.mu.Lock()
		v.unsent = err
		sent.at = sent.at.Add(tried)
		sent.paused = v.pausedFor(sent.at)
		v.mu.Unlock()
		if tried < time.Second {
			return err
		}
	}
}

// note takes one ping off those under way, and does what else has to be done
// under mu.
func (v *watch) note(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting--
	f()
}

// pong takes note of an answer. A round trip of which reading paused for more
// than half would say more of us than of the way.
func (v *watch) pong(sent sentPing, now time.Time) {
	rtt := now.Sub(sent.at)
	measured := false
	v.note(func() {
		v.unsent = nil
		v.stats.LastByte = now
		if sent.due.After(v.answered) {
			v.answered = sent.due
		}
		if measured = v.pausedFor(now)-sent.paused <= rtt/2; measured {
			v.stats.AddRTT(rtt)
		}
	})
	if measured && v.Pong != nil {
		v.Pong(rtt)
	}
}

// fail keeps the error of the first ping that failed. If the library closed the
// connection because it could not write a ping, that was the cause, and that it
// is closed the consequence. mu is held.
func (v *watch) fail(err error) {
	if v.failed != nil {
		return
	}
	if v.unsent != nil {
		err = fmt.Errorf("%w, after a ping could not be written: %w", err, v.unsent)
	}
	v.failed = err
}

// end leaves nothing behind and returns why the watch is over. The connection
// is closed before the pings under way are told to end, since one that is being
// written ends with it.
func (v *watch) end(ctx context.Context) error {
	if v.gaveUp != nil {
		v.conn.CloseNow() // it is lost, whatever that returns
	}
	v.cancel()
	v.pings.Wait()
	switch {
	case v.gaveUp != nil:
		return v.gaveUp
	case v.failed != nil:
		return v.failed
	}
	return ctx.Err()
}
