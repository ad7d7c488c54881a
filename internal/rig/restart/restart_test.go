//go:build unix

package restart

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// patience bounds each step. Most take less than a second.
const patience = time.Minute

// TestRestart has a client receive numbers from a server that ends in every way
// there is. The client asks each server to go on behind the last number that it
// has received, and in the end has every number once and in order.
func TestRestart(t *testing.T) {
	rig.Need(t)
	for _, f := range face.Both {
		t.Run(f.Name(), func(t *testing.T) {
			t.Parallel()
			address := fmt.Sprintf("127.0.0.1:%d", rig.FreePort(t))
			c := follow(t, f, "ws://"+address+"/")
			c.await("nobody listens", isFailure(syscall.ECONNREFUSED))

			server := start(t, counts, address)
			c.awaitNumbers(50)
			kill(t, server)
			c.await("killed", isEnd)
			c.await("nobody listens again", isFailure(syscall.ECONNREFUSED))

			server = start(t, refuses, address)
			c.await("503, wait a second", func(e *event) bool {
				return e.wait != nil && e.wait.RetryAfter == time.Second && errors.Is(e.wait.Err, protocol.ErrUpgrade)
			})
			kill(t, server)

			server = start(t, drops, address)
			for range 5 {
				c.await("accepted and dropped", isEnd)
			}
			kill(t, server)

			server = start(t, counts, address)
			c.awaitNumbers(50)
			if err := server.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			c.await("keepalive gives it up", func(e *event) bool {
				var lost *keepalive.TimeoutError
				return isEnd(e) && errors.As(e.wait.Err, &lost)
			})
			c.await("no answer while it stands still", isFailure(context.DeadlineExceeded))
			if err := server.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			c.awaitNumbers(50)
		})
	}
}

// An event is something that has happened to the client.
type event struct {
	number int             // was received; 0: none was
	wait   *reconnect.Wait // has begun, else
}

func isEnd(e *event) bool { return e.wait != nil && e.wait.Connected }

func isFailure(target error) func(*event) bool {
	return func(e *event) bool { return e.wait != nil && !e.wait.Connected && errors.Is(e.wait.Err, target) }
}

// A client stays connected, and tells of each event before it goes on.
type client struct {
	t       *testing.T
	stop    func()
	stopped atomic.Bool
	events  chan *event // closed when the loop has ended
	last    int         // the number received last
	waits   int
	begun   time.Time
}

// follow starts a client, which ends with the test.
func follow(t *testing.T, f face.Face, url string) *client {
	c := &client{t: t, events: make(chan *event), begun: time.Now()}
	conns, stop := f.Reconnect(url, &face.Options{
		OpenTimeout: time.Second,
		Keepalive:   keepalive.Config{Interval: 250 * time.Millisecond, Timeout: time.Second},
		Reconnect: reconnect.Config{
			InitialDelay: 50 * time.Millisecond,
			MinDelay:     50 * time.Millisecond,
			MaxDelay:     100 * time.Millisecond,
			Delay:        func(_ int, limit time.Duration) time.Duration { return limit }, // to count them
			Waiting:      func(w reconnect.Wait) { c.events <- &event{wait: &w} },
		},
	})
	c.stop = stop
	t.Cleanup(c.finish)
	go func() { // ends when it is stopped
		defer close(c.events)
		next := 1
		for conn, err := range conns {
			if err != nil {
				return
			}
			next = c.receive(conn, next)
		}
	}()
	return c
}

// receive receives numbers until the connection ends or the client is stopped,
// and returns the one to go on with.
func (c *client) receive(conn face.Conn, next int) int {
	if conn.Send(protocol.TextMessage(strconv.Itoa(next)), patience) != nil {
		return next
	}
	for !c.stopped.Load() {
		m, err := conn.Recv(0)
		if err != nil {
			break
		}
		if n, _ := strconv.Atoi(string(m.Data)); n != next {
			c.t.Errorf("received %d, want %d", n, next)
		}
		c.events <- &event{number: next}
		next++
	}
	return next
}

// await waits for an event.
func (c *client) await(what string, is func(*event) bool) {
	c.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e, ok := <-c.events:
			if !ok {
				c.t.Fatalf("%s: the loop has ended", what)
			}
			c.note(e)
			if is(e) {
				return
			}
		case <-late:
			c.t.Fatalf("%s: not after %v", what, patience)
		}
	}
}

// awaitNumbers waits for so many numbers.
func (c *client) awaitNumbers(n int) {
	c.t.Helper()
	upTo := c.last + n
	c.await(fmt.Sprint("numbers up to ", upTo), func(e *event) bool { return e.number == upTo })
}

func (c *client) note(e *event) {
	if e.wait != nil {
		c.waits++
	} else {
		c.last = e.number
	}
}

// finish stops the loop and waits for its end. It had no busy loop: each wait
// was 50 ms at least, and may have been ended by the next thing to happen.
func (c *client) finish() {
	c.stopped.Store(true)
	c.stop()
	for e := range c.events {
		c.note(e)
	}
	took := time.Since(c.begun)
	if most := int(took/(50*time.Millisecond)) + 1; c.waits > most {
		c.t.Errorf("%d waits in %v", c.waits, took)
	}
	c.t.Logf("%d numbers, %d waits in %v", c.last, c.waits, took.Round(time.Millisecond))
}
