package main

import (
	"net"
	"sync"
	"time"
)

// A wire is a network connection that notes when bytes last went over it, in
// either direction: what lies under TLS and WebSocket is what the path sees.
type wire struct {
	net.Conn
	heard chan struct{} // has one value when something came since it was empty

	mu   sync.Mutex    // guards the following
	last time.Time     // the latest byte
	gap  time.Duration // the silence before the latest bytes that came
	end  time.Time     // when the stream ended or failed; zero: it did not yet
}

func newWire(conn net.Conn) *wire {
	return &wire{Conn: conn, heard: make(chan struct{}, 1), last: time.Now()}
}

func (w *wire) Read(p []byte) (n int, err error) {
	n, err = w.Conn.Read(p)
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if n > 0 {
		w.gap, w.last = now.Sub(w.last), now
		select {
		case w.heard <- struct{}{}:
		default:
		}
	}
	if err != nil && !isTimeout(err) && w.end.IsZero() {
		w.end = now
	}
	return n, err
}

// isTimeout reports whether a read was interrupted by a deadline: reads are,
// and go on later.
func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

func (w *wire) Write(p []byte) (n int, err error) {
	n, err = w.Conn.Write(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	if n > 0 {
		w.last = time.Now()
	}
	return n, err
}

// CloseWrite ends our direction, where the connection can do that.
func (w *wire) CloseWrite() error {
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return w.Conn.Close()
}

// idle returns for how long nothing has gone over the wire, until its end.
func (w *wire) idle() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.end.IsZero() {
		return w.end.Sub(w.last)
	}
	return time.Since(w.last)
}

// before returns for how long nothing had gone over the wire when the latest
// bytes came.
func (w *wire) before() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gap
}
