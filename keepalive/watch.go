package keepalive

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A PingConn is a connection of another library. *websocket.Conn of
// nhooyr.io/websocket and of github.com/coder/websocket is one as it is; for
// github.com/gorilla/websocket see the example.
type PingConn interface {
	// Ping sends a ping and returns nil when its pong was read, and an error
	// when ctx ends or the connection fails. Several calls may be under way.
	// An error that wraps context.DeadlineExceeded while ctx goes on means
	// that the ping could not be written for as long as the library tries. It
	// is tried again, if that took a second at least.
	Ping(ctx context.Context) error

	// CloseNow closes the connection without waiting for the peer, so that
	// whoever reads or writes gets an error.
	CloseNow() error
}

// The errors of a call of Watch that cannot begin.
var (
	// ErrWatched: a [Watcher] is used for a second time.
	ErrWatched = errors.New("keepalive: the Watcher was used before")

	// ErrPongMode: these libraries send no pong that nobody asked for, so
	// [ModePong] is not possible. A Config with Timeout -1 comes close.
	ErrPongMode = errors.New("keepalive: ModePong is not possible with Watch")
)

// Watch pings the peer of another library's connection as cfg says, until
//
//   - the peer is given up: the connection is closed, and the error is a
//     [*TimeoutError];
//   - a ping fails because the connection has: the error is that of Ping;
//   - ctx ends: the error is ctx's, and the connection stays open. Only if a
//     ping is being written at that very moment the library may close it, as
//     it does when any context ends within a write.
//
// No goroutine is left when it returns. With a negative Interval it waits for
// ctx alone. [ModePong] is refused with [ErrPongMode].
//
// # Somebody has to read
//
// These libraries handle a pong when the application reads. So a call of Read
// must be under way all the time, or CloseRead where no messages are expected;
// else no ping is ever answered, and a peer that lives is given up after
// Interval + Timeout. The error cannot tell the one from the other: its
// [Cause] is [Unknown], its text names both, and blames nobody. An application
// that takes its time between two messages uses a [Watcher] and tells it when
// it reads.
//
// # What is seen
//
// Such a connection shows less than one of ours. Proof of life is a pong, or
// what [Watcher.AfterRead] tells of, not any byte: where large messages come
// slowly, the Timeout should be longer than one of them takes. The same holds
// for messages that we send, behind which a ping has to wait: if it waits for
// the whole Timeout the cause is [PeerNotReading], or Unknown if that is less
// than the 5 s for which both libraries try and say nothing. They close a
// connection themselves on which a ping is being written for 5 s; then the
// error is theirs. A dead network cannot be told from a stuck peer.
//
// The connection is closed without a close frame: these libraries wait for
// the answer to one, and a Read that is under way would wait with them.
func Watch(ctx context.Context, conn PingConn, cfg Config) error {
	return new(Watcher).Watch(ctx, conn, cfg)
}

// A Watcher is [Watch] with a view inside. It is for one connection; the zero
// value is ready. Its methods may be called at any time, from any goroutine.
type Watcher struct {
	// Pong, if not nil, is called with the round trip of each ping that was
	// answered, one that waited for us to read excepted (see AfterRead). It is
	// called from a goroutine of the ping's, while another call may be under
	// way, and must not wait for long. Set it before Watch.
	Pong func(rtt time.Duration)

	mu       sync.Mutex
	used     bool
	monitor  Monitor
	stats    Stats
	answered time.Time // when the latest ping that was answered was due

	waiting  int           // pings under way
	unsent   error         // of the latest ping that could not be written; nil after a pong
	patience time.Duration // for how long a ping is waited for

	// What ended the watch, if not its context.
	failed error // of a ping
	gaveUp *TimeoutError

	// Reading has paused for so long, not counting the pause since idle, which
	// is zero when there is none.
	paused time.Duration
	idle   time.Time
}

// Watch is the function of that name. It returns [ErrWatched] if it was called
// before.
func (w *Watcher) Watch(ctx context.Context, conn PingConn, cfg Config) error {
	switch {
	case cfg.Mode == ModePong:
		return ErrPongMode
	case !w.start(cfg, time.Now()):
		return ErrWatched
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &watch{Watcher: w, ctx: inner, cancel: cancel, conn: conn}
	Run(inner, v, nil)
	return v.end(ctx)
}

// start begins the schedule, unless it was begun before. What was told of
// reading until now is no pause: nothing was expected.
func (w *Watcher) start(cfg Config, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.used {
		return false
	}
	w.used = true
	w.monitor.Start(cfg, now)
	w.patience = patience(cfg.interval())
	w.paused = 0
	if !w.idle.IsZero() {
		w.idle = now
	}
	return true
}

// Stats returns what is known by now. Its LastByte is when the latest pong was
// read or AfterRead was called.
func (w *Watcher) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// AfterRead tells that a message, or a part of one, was read, which proves that
// the peer lives, and that nobody reads from now until [Watcher.BeforeRead].
// Meanwhile no pong can be seen: the clock that runs against the peer stands
// still, pings go on, and their round trips are not counted if the pause is
// most of them.
//
// Call both, around each read, or neither. Then it is taken that somebody
// always reads.
func (w *Watcher) AfterRead() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.stats.LastByte = now
	if w.idle.IsZero() {
		w.idle = now
	}
}

// BeforeRead tells that the application reads again.
func (w *Watcher) BeforeRead() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused, w.idle = w.pausedFor(time.Now()), time.Time{}
}

// pausedFor returns for how long reading has paused in all. mu is held.
func (w *Watcher) pausedFor(now time.Time) time.Duration {
	if w.idle.IsZero() {
		return w.paused
	}
	return w.paused + max(now.Sub(w.idle), 0)
}

// evidence returns what the monitor is shown. mu is held.
func (w *Watcher) evidence(now time.Time) Evidence {
	return Evidence{
		LastByte:  w.stats.LastByte,
		Answered:  w.answered,
		Paused:    w.pausedFor(now),
		PausedNow: !w.idle.IsZero(),
		PingSent:  w.unsent == nil,
		RTT:       w.stats.SmoothedRTT,
	}
}
