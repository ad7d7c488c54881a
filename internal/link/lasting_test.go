package link

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// Messages of a NetConn, which are finished although their call leaves, on a transport
// that cannot take up what was interrupted: a goroutine writes them.

// TestLastingWithoutTurn leaves while somebody else writes: nothing is sent, and
// the connection is the next one's.
func TestLastingWithoutTurn(t *testing.T) {
	wrapped(t, Options{}, func(t *testing.T, c *Conn, peer net.Conn) {
		underLock(c, func() { c.write.held = true })
		if sent, err := c.sendLasting(After(time.Second), protocol.TextMessage("left")); sent || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("sent: %t, %v", sent, err)
		}
		underLock(c, c.releaseWrite)
		checkSends(t, c, peer, 0)
	})
}

// TestLastingForgotten: the limit of a message is not that of the next one.
func TestLastingForgotten(t *testing.T) {
	wrapped(t, Options{}, func(t *testing.T, c *Conn, peer net.Conn) {
		if sent, err := c.sendLasting(After(time.Second), protocol.TextMessage("one")); !sent || err != nil {
			t.Errorf("sent: %t, %v", sent, err)
		}
		io.CopyN(io.Discard, peer, int64(len("\x81\x03one")))
		time.Sleep(2 * time.Second)
		checkSends(t, c, peer, fill(c))
	})
}

// TestLastingStuck has a message wait for a peer that reads nothing until its write has
// taken too long: whoever waits for that is told, and may go on; else it is the
// connection's end, for it counts as sent.
func TestLastingStuck(t *testing.T) {
	opts := Options{WriteTimeout: 2 * time.Second}
	t.Run("told", func(t *testing.T) {
		wrapped(t, opts, func(t *testing.T, c *Conn, peer net.Conn) {
			full := fill(c)
			if sent, err := c.sendLasting(nil, protocol.TextMessage("stuck")); sent || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("sent: %t, %v", sent, err)
			}
			checkSends(t, c, peer, full)
		})
	})
	t.Run("left", func(t *testing.T) {
		wrapped(t, opts, func(t *testing.T, c *Conn, _ net.Conn) {
			fill(c)
			begun := time.Now()
			if sent, err := c.sendLasting(After(time.Second), protocol.TextMessage("stuck")); !sent || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("sent: %t, %v", sent, err)
			}
			if <-c.Done(); time.Since(begun) != opts.WriteTimeout || !errors.Is(c.Err(), os.ErrDeadlineExceeded) {
				t.Errorf("%v after %v", c.Err(), time.Since(begun))
			}
		})
	})
}

// TestLastingEnded has the connection end, and the context at once: the former is what
// there is to tell.
func TestLastingEnded(t *testing.T) {
	wrapped(t, Options{}, func(t *testing.T, c *Conn, _ net.Conn) {
		fill(c)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		type outcome struct {
			sent bool
			err  error
		}
		left := make(chan outcome)
		go func() {
			sent, err := c.sendLasting(&Limit{Context: ctx}, protocol.TextMessage("stuck"))
			left <- outcome{sent, err}
		}()
		synctest.Wait()
		c.Abort(ErrAborted)
		cancel()
		if got := <-left; got.sent || !errors.Is(got.err, protocol.ErrClosed) {
			t.Errorf("%+v", got)
		}
	})
}

// wrapped calls test with a connection over a transport that is not ours.
func wrapped(t *testing.T, opts Options, test func(t *testing.T, c *Conn, peer net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := NewPipe()
		opts.Role = protocol.Server
		c := opened(struct{ net.Conn }{ours}, opts)
		defer end(c)
		defer theirs.Close()
		test(t, c, theirs)
	})
}

// fill fills the way to the peer, and returns with how many bytes.
func fill(c *Conn) (n int) {
	n, _ = io.WriteString(c.tr().(*netTransport).conn, strings.Repeat("f", 2*pipeBuffer))
	return n
}

// checkSends fails the test unless a message is sent once the peer reads, in a while,
// first what fills the way to it.
func checkSends(t *testing.T, c *Conn, peer net.Conn, full int) {
	t.Helper()
	time.AfterFunc(time.Second, func() { io.CopyN(io.Discard, peer, int64(full)) })
	if err := c.Send(nil, protocol.TextMessage("next")); err != nil {
		t.Errorf("Send behind it: %v", err)
	}
	time.Sleep(2 * time.Second)
	got := make([]byte, 100)
	if n, err := peer.Read(got); err != nil || string(got[:n]) != "\x81\x04next" {
		t.Errorf("sent %q, %v", got[:n], err)
	}
}
