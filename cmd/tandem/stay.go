package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// A stay is one user's with a server, over one connection after the other.
type stay struct {
	console console
	timeout time.Duration      // of a line to leave
	cancel  context.CancelFunc // ends the loop over connections

	mu      sync.Mutex
	conn    *wsasync.ClientConn // nil while there is none
	changed chan struct{}       // closed when conn is another one
	leaving bool
}

// stay is run with reconnecting. Lines are read from the beginning, so in a
// terminal Ctrl-C is seen whether there is a connection or not.
func (c *connectCall) stay(ctx context.Context, url string, opts *wsasync.ClientOptions, std stdio) (status int) {
	console, err := openConsole(std)
	if err != nil {
		fmt.Fprintf(std.err, "tandem connect: %v\n", err)
		return statusFailed
	}
	loop, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &stay{console: console, timeout: c.timeout, cancel: cancel, changed: make(chan struct{})}
	opts.Logger = slog.New(slog.DiscardHandler) // all of it is told
	opts.Reconnect = reconnect.Config{MaxDelay: c.maxDelay, Waiting: s.waiting}
	defer context.AfterFunc(ctx, s.leave)()
	go func() { // ends with the standard input, or the process
		sendLines(s.send, console)
		if ctx.Err() == nil {
			s.leave()
		}
	}()
	for conn, err := range wsasync.Reconnect(loop, url, opts) {
		if err != nil {
			return s.over(err)
		}
		console.status(connected(url, conn))
		s.change(conn)
		receive(conn, console)
		s.change(nil)
		if s.isLeaving() {
			console.close("Connection " + describeEnd(conn.Err()))
			break
		}
		console.status("Connection " + describeEnd(conn.Err()))
	}
	return statusOK
}

// over tells why there are no more connections.
func (s *stay) over(err error) (status int) {
	if s.isLeaving() {
		s.console.close("Not connected.")
		return statusOK
	}
	s.console.close("Cannot connect: " + escape(explainRefusal(err)))
	return statusFailed
}

// waiting tells of a wait for the next attempt.
func (s *stay) waiting(w reconnect.Wait) {
	delay := w.Delay.Round(10 * time.Millisecond)
	switch {
	case s.isLeaving():
	case w.Connected:
		s.console.status(fmt.Sprintf("Connecting again in %v.", delay))
	default:
		s.console.status(fmt.Sprintf("Cannot connect: %s; trying again in %v.", escape(explainRefusal(w.Err)), delay))
	}
}

// change takes over a connection, or lets go of the one that has ended. One that
// comes when the user has left is closed at once.
func (s *stay) change(conn *wsasync.ClientConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
	close(s.changed)
	s.changed = make(chan struct{})
	if s.leaving && conn != nil {
		go conn.Close() // ends with the connection
	}
}

// leave closes the connection and ends the loop; the second time it does not
// wait for the peer.
func (s *stay) leave() {
	s.mu.Lock()
	conn, again := s.conn, s.leaving
	s.leaving = true
	s.mu.Unlock()
	switch {
	case conn == nil:
	case again:
		conn.CloseNow()
	default:
		conn.Close()
	}
	s.cancel()
}

func (s *stay) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaving
}

// errNotConnected: a line has waited for a connection for long enough.
var errNotConnected = errors.New("not connected")

// send sends a line on the connection that there is, or the next one.
func (s *stay) send(line string) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	for {
		s.mu.Lock()
		conn, changed := s.conn, s.changed
		s.mu.Unlock()
		if conn != nil {
			if err := conn.SendText(ctx, line); !errors.Is(err, protocol.ErrClosed) {
				return err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errNotConnected
		}
	}
}
