package main

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/suite"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A probeTest runs the command against a server in memory, in virtual time.
type probeTest struct {
	name    string
	path    func(*pathConn)     // what the way does to the client's end
	handler wsasync.HandlerFunc // of the server
	pings   keepalive.Config    // of the server
	check   func(v *probeSummary) (ok bool)
	status  int
}

// A pathConn is the client's end of a connection whose way ends it or forgets
// it when it is idle. It is made for one test, so nothing is idle for ever.
type pathConn struct {
	net.Conn
	idle    time.Duration
	timer   *time.Timer
	dropped atomic.Bool // the way forwards nothing any more
	cut     atomic.Bool // reads and writes fail
	deaf    bool        // only the first write, which is the opening handshake, arrives
}

func (c *pathConn) use() {
	if c.timer != nil && !c.dropped.Load() {
		c.timer.Reset(c.idle)
	}
}

func (c *pathConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.use()
	if c.cut.Load() && err != nil {
		return n, syscall.ECONNRESET
	}
	return n, err
}

func (c *pathConn) Write(p []byte) (int, error) {
	switch {
	case c.cut.Load():
		return 0, syscall.ECONNRESET
	case c.dropped.Load():
		return len(p), nil
	}
	c.use()
	c.dropped.Store(c.deaf)
	return c.Conn.Write(p)
}

// expires makes a way do something to connections that are idle for so long.
func expires(idle time.Duration, do func(*pathConn)) func(*pathConn) {
	return func(c *pathConn) {
		c.idle = idle
		c.timer = time.AfterFunc(idle, func() { do(c) })
	}
}

func forget(c *pathConn) { c.dropped.Store(true) }

// cutOff resets: what is read and written from then on fails.
func cutOff(c *pathConn) {
	c.cut.Store(true)
	c.Conn.Close()
}

func readQuietly(ctx context.Context, conn *wsasync.ServerConn) (err error) {
	for err == nil {
		_, err = conn.Recv(ctx)
	}
	return err
}

// closesAfter is a server that closes connections that say nothing for so long;
// it counts messages alone, so that pings do not matter.
func closesAfter(idle time.Duration) wsasync.HandlerFunc {
	return func(ctx context.Context, conn *wsasync.ServerConn) error {
		ctx, cancel := context.WithTimeout(ctx, idle)
		defer cancel()
		if _, err := conn.Recv(ctx); err != nil {
			conn.CloseWith(protocol.PolicyViolation, "too quiet")
		}
		return nil
	}
}

// endsAfter is such a server that leaves the closing handshake out.
func endsAfter(idle time.Duration) wsasync.HandlerFunc {
	return func(ctx context.Context, conn *wsasync.ServerConn) error {
		ctx, cancel := context.WithTimeout(ctx, idle)
		defer cancel()
		if _, err := conn.Recv(ctx); err != nil {
			conn.CloseNow()
		}
		return nil
	}
}

// near reports whether a time in seconds is about as long.
func near(got float64, want time.Duration) bool {
	return got > 0.95*want.Seconds() && got < 1.05*want.Seconds()
}

// TestProbe: what a connection goes through is told rightly, with a real client
// and server at its ends.
func TestProbe(t *testing.T) {
	off := keepalive.Config{Interval: -1}
	for _, test := range []probeTest{
		{"nothing", nil, readQuietly, off, func(v *probeSummary) bool {
			return v.Timeout == 0 && v.Survived >= 30 && v.Recommended == 15
		}, statusOK},
		{"forgotten", expires(7*time.Second, forget), readQuietly, off, func(v *probeSummary) bool {
			return v.Fate == forgotten && near(v.Timeout, 7*time.Second)
		}, statusOK},
		{"reset", expires(7*time.Second, cutOff), readQuietly, off, func(v *probeSummary) bool {
			return v.Fate == reset && near(v.Timeout, 7*time.Second)
		}, statusOK},
		{"FIN", nil, endsAfter(3 * time.Second), off, func(v *probeSummary) bool {
			return v.Fate == fin && near(v.Timeout, 3*time.Second)
		}, statusOK},
		{"close frame", nil, closesAfter(7 * time.Second), off, func(v *probeSummary) bool {
			return v.Fate == closeFrame && near(v.Timeout, 7*time.Second) && v.Detail == "1008 (policy violation) too quiet"
		}, statusOK},
		{"quick close frame", nil, closesAfter(300 * time.Millisecond), off, func(v *probeSummary) bool {
			return v.Fate == closeFrame && near(v.Timeout, 300*time.Millisecond)
		}, statusOK},
		{"server pings", nil, readQuietly, keepalive.Config{Interval: 5 * time.Second, Phase: 2 * time.Second}, func(v *probeSummary) bool {
			return v.Timeout == 0 && near(v.Noise, 5*time.Second) && near(v.Survived, 5*time.Second)
		}, statusOK},
		{"greeting", expires(7*time.Second, forget), func(ctx context.Context, conn *wsasync.ServerConn) error {
			for _, word := range []string{"hello", "and", "welcome"} {
				time.Sleep(250 * time.Millisecond)
				conn.SendText(ctx, word)
			}
			return readQuietly(ctx, conn)
		}, off, func(v *probeSummary) bool {
			return v.Noise == 0 && near(v.Timeout, 7*time.Second)
		}, statusOK},
		{"no pongs", func(c *pathConn) { c.deaf = true }, readQuietly, off, func(v *probeSummary) bool {
			return !v.Complete && strings.Contains(v.Error, "no pong on a new connection")
		}, statusProbeError},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, test.run)
		})
	}
}

func (test *probeTest) run(t *testing.T) {
	network := suite.NewNetwork()
	server, err := wsasync.Serve(t.Context(), test.handler, "", &wsasync.ServerOptions{
		Listeners: []net.Listener{network}, Keepalive: test.pings, CloseTimeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	call := probeCall{longest: 30 * time.Second, precision: 5, parallel: 8, timeout: 2 * time.Second, json: true}
	call.dial = func(ctx context.Context, n, address string) (net.Conn, error) {
		return test.dial(ctx, network, n, address)
	}
	out, errs := newTranscript(), newTranscript()
	status := call.run(t.Context(), []string{"ws://memory/"}, stdio{nil, out, errs})
	server.Close()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var summary probeSummary
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &summary); err != nil {
		t.Fatal(err)
	}
	if status != test.status || !test.check(&summary) {
		t.Errorf("status %d, %s\n%s", status, out, errs)
	}
}

// dial connects through the path. A connection that is closed has no timer left.
func (test *probeTest) dial(ctx context.Context, network suite.Network, n, address string) (net.Conn, error) {
	conn, err := network.Dial(ctx, n, address)
	if err != nil || test.path == nil {
		return conn, err
	}
	c := &pathConn{Conn: conn}
	test.path(c)
	return c, nil
}
