package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

const anywhere = "ws://tandem.test/"

// following returns the options of a client of the site, whose delays are known.
func following(s *site) *Options {
	return &Options{Dial: s.Dial, Reconnect: reconnect.Config{Delay: limits}}
}

// checkAttempts compares when attempts came with when they should have, in
// seconds.
func checkAttempts(t *testing.T, s *site, want ...float64) {
	t.Helper()
	var got []float64
	for _, at := range s.came() {
		got = append(got, at.Round(time.Millisecond).Seconds())
	}
	if !slices.Equal(got, want) {
		t.Errorf("attempts after %v seconds, want %v", got, want)
	}
}

// TestReconnect has a server send some messages and go away: the body of the
// loop gets each of them, then the end, and then the next connection.
func TestReconnect(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var serves atomic.Int32
		s := newSite(t, up(t, func(conn Conn) error {
			served := serves.Add(1)
			for _, text := range []string{"one", "two", "three"} {
				send(t, conn, fmt.Sprint(text, " of ", served))
			}
			if served == 2 {
				time.Sleep(time.Minute)
			}
			conn.CloseNow()
			return nil
		}))
		conns, _ := face.Reconnect(anywhere, following(s))
		round := 0
		ok(t, loop(t, conns, func(conn Conn) bool {
			round++
			for _, text := range []string{"one", "two", "three"} {
				expect(t, conn, fmt.Sprint(text, " of ", round))
			}
			is(t, expectClosed(t, conn), io.EOF)
			return round < 4
		}))
		// The second connection lived, and the delays start anew.
		checkAttempts(t, s, 0, 5, 70, 73.1)
	})
}

// TestReconnectCloses looks at connections from the server's side: the body has
// one at a time, and is done with each when it asks for the next or leaves,
// however it leaves.
func TestReconnectCloses(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var open atomic.Int32
		ends := make(chan error, 4)
		s := newSite(t, up(t, func(conn Conn) error {
			open.Add(1)
			conn.Recv(0)
			<-conn.Done()
			open.Add(-1)
			ends <- conn.Err()
			return nil
		}))
		conns, _ := face.Reconnect(anywhere, following(s))
		bodies := []func(Conn) bool{
			again,
			again,
			func(Conn) bool { return false },
			func(Conn) bool { panic("at the disco") },
		}
		body := func(conn Conn) bool {
			next := bodies[0]
			bodies = bodies[1:]
			synctest.Wait()
			if n := open.Load(); n != 1 || conn.State() != protocol.Open {
				t.Errorf("%d connections, this one is %v", n, conn.State())
			}
			return next(conn)
		}
		ok(t, loop(t, conns, body)) // until the third leaves
		func() {
			defer func() { recover() }()
			loop(t, conns, body) // anew, until the fourth panics
		}()
		for range cap(ends) {
			closed := closeError(t, <-ends)
			if closed.Code() != protocol.NormalClosure || !closed.RcvdThenSent {
				t.Errorf("ended with %v", closed)
			}
		}
		if n := open.Load(); n != 0 {
			t.Errorf("%d connections are open", n)
		}
		checkAttempts(t, s, 0, 5, 8.1, 8.1)
	})
}

// TestReconnectBackoff keeps the server down for a while: attempts come ever
// more seldom, until one succeeds.
func TestReconnectBackoff(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		s := newSite(t, inOrder(down, down, down, down, down, down, down, down, down, down, up(t, echoing)))
		conns, _ := face.Reconnect(anywhere, following(s))
		ok(t, loop(t, conns, func(conn Conn) bool {
			send(t, conn, "here")
			expect(t, conn, "here")
			return false
		}))
		checkAttempts(t, s, 0, 5, 8.1, 13.116, 21.231, 34.362, 55.608, 89.984, 145.604, 235.598, 325.598)
	})
}

// TestReconnectFatal has things go wrong that would go wrong again: there is
// one element, the error, and one attempt at most.
func TestReconnectFatal(t *testing.T) {
	for _, test := range []struct {
		name     string
		url      string
		does     Dialer
		want     error
		attempts int
	}{
		{"URL", "tandem.test", down, protocol.ErrURL, 0},
		{"not found", anywhere, refusing("404 Not Found", ""), protocol.ErrUpgrade, 1},
		{"not now", anywhere, refusing("429 Too Many Requests", "Retry-After: 1"), protocol.ErrUpgrade, 1},
		{"not HTTP", anywhere, saying("220 mail.tandem.test ESMTP"), protocol.ErrHandshake, 1},
		{"wrong accept", anywhere, saying("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n" +
			"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="), protocol.ErrHandshake, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				s := newSite(t, test.does)
				conns, _ := face.Reconnect(test.url, following(s))
				is(t, loop(t, conns, again), test.want)
				if n := len(s.came()); n != test.attempts {
					t.Errorf("%d attempts, want %d", n, test.attempts)
				}
			})
		})
	}
}

// TestReconnectNetConn refuses a connection that there is only once, and closes
// it.
func TestReconnectNetConn(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		ours, theirs := link.NewPipe()
		conns, _ := face.Reconnect(anywhere, &Options{NetConn: ours})
		is(t, loop(t, conns, again), reconnect.ErrNetConn)
		if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the given connection was left open: %v", err)
		}
	})
}

// TestReconnectTransient has everything go wrong once that is worth another
// attempt.
func TestReconnectTransient(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		s := newSite(t, inOrder(
			down,
			ending,
			refusing("500 Internal Server Error", ""), refusing("502 Bad Gateway", ""),
			refusing("503 Service Unavailable", ""), refusing("504 Gateway Timeout", ""),
			unreachable, silent, // for the open timeout
			up(t, echoing),
		))
		opts := following(s)
		opts.OpenTimeout = 7 * time.Second
		opts.Reconnect.Delay = func(int, time.Duration) time.Duration { return time.Second }
		conns, _ := face.Reconnect(anywhere, opts)
		ok(t, loop(t, conns, func(Conn) bool { return false }))
		checkAttempts(t, s, 0, 1, 2, 3, 4, 5, 6, 14, 22)
	})
}

// TestReconnectTLS: a server whose certificate is not trusted may get another
// one.
func TestReconnectTLS(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		config, trusting := Certificate(t)
		server, network := inNetwork(t, face, Options{TLS: config})
		other, _ := Certificate(t)
		impostor, elsewhere := inNetwork(t, face, Options{TLS: other})
		s := newSite(t, inOrder(elsewhere.Dial, network.Dial))
		opts := following(s)
		opts.TLS = trusting
		conns, _ := face.Reconnect("wss://tandem.test/", opts)
		ok(t, loop(t, conns, func(Conn) bool { return false }))
		checkAttempts(t, s, 0, 5)
		ok(t, server.Close())
		ok(t, impostor.Close())
	})
}

// TestReconnectProcessError lets the application decide.
func TestReconnectProcessError(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		enough := errors.New("enough of it")
		s := newSite(t, inOrder(refusing("404 Not Found", ""), refusing("404 Not Found", ""), down))
		opts := following(s)
		opts.Reconnect.ProcessError = func(err error) error {
			if errors.Is(err, protocol.ErrUpgrade) {
				return nil
			}
			return fmt.Errorf("%w: %w", enough, err)
		}
		conns, _ := face.Reconnect(anywhere, opts)
		is(t, loop(t, conns, again), enough)
		checkAttempts(t, s, 0, 5, 8.1)
	})
}

// TestReconnectRetryAfter: the server says when to come back, in seconds or as
// a date of its own clock, which is an hour behind. The delay comes on top.
func TestReconnectRetryAfter(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		const day = "Mon, 02 Mar 2026 "
		s := newSite(t, inOrder(
			refusing("503 Service Unavailable", "Retry-After: 20"),
			refusing("503 Service Unavailable", "Retry-After: "+day+"10:00:30 GMT\nDate: "+day+"10:00:00 GMT"),
			refusing("503 Service Unavailable", "Retry-After: 86400"),
			up(t, echoing),
		))
		opts := following(s)
		opts.Reconnect.Delay = func(int, time.Duration) time.Duration { return time.Second }
		conns, _ := face.Reconnect(anywhere, opts)
		ok(t, loop(t, conns, func(Conn) bool { return false }))
		checkAttempts(t, s, 0, 21, 52, 353)
	})
}

// TestReconnectTells looks at what the hook and the log are told.
func TestReconnectTells(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var log Log
		var waits []reconnect.Wait
		s := newSite(t, inOrder(down, refusing("503 Service Unavailable", "Retry-After: 20"), dropping, up(t, echoing)))
		opts := following(s)
		opts.Log = &log
		opts.Reconnect.Waiting = func(w reconnect.Wait) { waits = append(waits, w) }
		conns, _ := face.Reconnect("ws://user:secret@tandem.test/path?token=secret", opts)
		round := 0
		ok(t, loop(t, conns, func(conn Conn) bool {
			if round++; round == 1 {
				<-conn.Done()
			}
			return round < 2
		}))
		if len(waits) != 3 {
			t.Fatalf("%d waits: %+v", len(waits), waits)
		}
		is(t, waits[1].Err, protocol.ErrUpgrade)
		is(t, waits[2].Err, protocol.ErrClosed)
		for i := range waits {
			waits[i].Err = nil
		}
		const second = time.Second
		want := []reconnect.Wait{
			{N: 1, Delay: 5 * second},
			{N: 2, Delay: 23100 * time.Millisecond, RetryAfter: 20 * second},
			{N: 3, Delay: 5015800 * time.Microsecond, Connected: true},
		}
		if !slices.Equal(waits, want) {
			t.Errorf("%+v, want %+v", waits, want)
		}
		checkReconnectLog(t, log.String())
	})
}

// checkReconnectLog: attempts that failed are at info level, the end of a
// connection is at debug level, for the body of the loop knows.
func checkReconnectLog(t *testing.T, log string) {
	t.Helper()
	var told []string
	for line := range strings.Lines(log) {
		for _, what := range []string{"connecting failed", "connection ended", "connected again"} {
			if strings.Contains(line, what) {
				level := strings.Contains(line, "level=INFO")
				told = append(told, fmt.Sprint(what, " ", level, " ", strings.Contains(line, "host=tandem.test")))
			}
		}
	}
	want := []string{
		"connecting failed true true", "connecting failed true true", "connected again true true",
		"connection ended false true", "connected again true true",
	}
	if !slices.Equal(told, want) || strings.Contains(log, "secret") {
		t.Errorf("logged\n%s", log)
	}
}

// TestReconnectStops stops the loop wherever it is: it ends at once.
func TestReconnectStops(t *testing.T) {
	for _, test := range []struct {
		name string
		url  string
		does Dialer
	}{
		{"connecting", anywhere, unreachable},
		{"TLS handshake", "wss://tandem.test/", silentTLS},
		{"opening handshake", anywhere, silent},
		{"waiting", anywhere, down},
		{"Retry-After", anywhere, refusing("503 Service Unavailable", "Retry-After: 100")},
	} {
		t.Run(test.name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				s := newSite(t, test.does)
				opts := following(s)
				opts.Reconnect.ProcessError = func(err error) error {
					if test.name != "waiting" && test.name != "Retry-After" {
						t.Errorf("asked what to do about %v", err)
					}
					return nil
				}
				conns, stop := face.Reconnect(test.url, opts)
				begun := time.Now()
				time.AfterFunc(time.Second, stop)
				checkStopped(t, face, loop(t, conns, again))
				took(t, begun, time.Second)
				if n := len(s.came()); n != 1 {
					t.Errorf("%d attempts", n)
				}

				// Stopped is stopped: another loop does not begin.
				checkStopped(t, face, loop(t, conns, again))
				if n := len(s.came()); n != 1 {
					t.Errorf("%d attempts after the end", n)
				}
			})
		})
	}
}

// silentTLS: what comes is read and not answered.
func silentTLS(context.Context, string, string) (net.Conn, error) {
	ours, theirs := link.NewPipe()
	go func() { // ends with the client
		io.Copy(io.Discard, theirs)
		theirs.Close()
	}()
	return ours, nil
}

// checkStopped: package sync ends without an error, package async with that of
// the context.
func checkStopped(t *testing.T, face Face, err error) {
	t.Helper()
	if face == (Sync{}) && err != nil || face == (Async{}) && !errors.Is(err, context.Canceled) {
		t.Errorf("%s stopped with %v", face.Name(), err)
	}
}

// TestReconnectStopsConnected stops the loop while its body has a connection.
// In package sync a call on it returns, for it is closed; in package async the
// call would have a context, and the body is the one to go.
func TestReconnectStopsConnected(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var served error
		s := newSite(t, up(t, func(conn Conn) error {
			<-conn.Done()
			served = conn.Err()
			return nil
		}))
		conns, stop := face.Reconnect(anywhere, following(s))
		begun := time.Now()
		time.AfterFunc(time.Second, stop)
		checkStopped(t, face, loop(t, conns, func(conn Conn) bool {
			if face == (Sync{}) {
				is(t, expectClosed(t, conn), protocol.ErrClosedOK)
				return true
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if conn.State() != protocol.Open {
				t.Errorf("the connection is %v", conn.State())
			}
			return true
		}))
		took(t, begun, time.Second)
		synctest.Wait()
		if closed := closeError(t, served); closed.Code() != protocol.NormalClosure {
			t.Errorf("the server saw %v", closed)
		}
	})
}

// TestReconnectStopsDead stops it while the peer is gone: the closing handshake
// is given up after a second.
func TestReconnectStopsDead(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var ours net.Conn
		network := up(t, echoing)
		s := newSite(t, func(ctx context.Context, _, _ string) (_ net.Conn, err error) {
			ours, err = network(ctx, "", "")
			return ours, err
		})
		conns, stop := face.Reconnect(anywhere, following(s))
		begun := time.Now()
		time.AfterFunc(2*time.Second, stop)
		checkStopped(t, face, loop(t, conns, func(conn Conn) bool {
			link.Impair(ours, link.Impairment{Dark: true})
			if face == (Sync{}) {
				is(t, expectClosed(t, conn), link.ErrAborted)
			}
			return true // package async begins to close it now, and is stopped then
		}))
		took(t, begun, 3*time.Second)
		link.Impair(ours, link.Impairment{})
	})
}

// TestReconnectKeepalive has the link go dark: keepalive says so, and the next
// connection is there. The old peer says nothing, and is not waited for.
func TestReconnectKeepalive(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var ours net.Conn
		network := up(t, echoing)
		s := newSite(t, func(ctx context.Context, _, _ string) (_ net.Conn, err error) {
			ours, err = network(ctx, "", "")
			return ours, err
		})
		opts := following(s)
		opts.Keepalive = keepalive.Config{Interval: 20 * time.Second, Timeout: 20 * time.Second, Phase: 20 * time.Second}
		conns, _ := face.Reconnect(anywhere, opts)
		round := 0
		ok(t, loop(t, conns, func(conn Conn) bool {
			send(t, conn, "here")
			expect(t, conn, "here")
			if round++; round == 2 {
				return false
			}
			link.Impair(ours, link.Impairment{Dark: true})
			if lost := as[*keepalive.TimeoutError](expectClosed(t, conn)); lost == nil {
				t.Error("not lost")
			}
			return true
		}))
		if at := s.came(); len(at) != 2 || at[1] > 50*time.Second {
			t.Errorf("attempts after %v", at)
		}
	})
}

// TestReconnectDeadline: the error of a loop that has run out of time says what
// was wrong with the latest attempt.
func TestReconnectDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, down)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		opts := &wsasync.ClientOptions{DialContext: s.Dial, Logger: slog.New(slog.DiscardHandler)}
		for conn, err := range wsasync.Reconnect(ctx, anywhere, opts) {
			if conn != nil {
				t.Error("a connection to nowhere")
			}
			is(t, err, context.DeadlineExceeded)
			is(t, err, syscall.ECONNREFUSED)
		}
		took(t, s.began, time.Minute)
	})
}

// TestReconnectDrops has a server accept and drop, and one that refuses, for an
// hour, with the random delays that everybody gets: that makes neither a busy
// loop.
func TestReconnectDrops(t *testing.T) {
	for name, does := range map[string]Dialer{"dropping": dropping, "down": down, "503": refusing("503 Service Unavailable", "")} {
		t.Run(name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				s := newSite(t, does)
				conns, stop := face.Reconnect(anywhere, &Options{Dial: s.Dial})
				time.AfterFunc(time.Hour, stop)
				checkStopped(t, face, loop(t, conns, func(conn Conn) bool {
					<-conn.Done()
					return true
				}))
				// The limit of 90 s is reached after nine delays, and the mean
				// of further ones is half of it: 88 attempts, give or take six
				// standard deviations of 5.
				if n := len(s.came()); n < 58 || n > 118 {
					t.Errorf("%d attempts in an hour", n)
				}
			})
		})
	}
}
