//go:build !js

// Both libraries are what users have; that one of them has a new name does not
// matter here.
//
//lint:file-ignore SA1019 connections of nhooyr.io/websocket are the subject

package keepalive_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coder "github.com/coder/websocket"
	nhooyr "nhooyr.io/websocket"

	"github.com/tandemws/tandem/keepalive"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// An end is a connection of either library. Their types differ only in the
// names of their parameters' types.
type end struct {
	keepalive.PingConn
	read      func(context.Context) error // one message
	write     func(context.Context, string) error
	closeRead func(context.Context) context.Context
}

// A library opens connections, from both sides.
type library struct {
	dial   func(ctx context.Context, client *http.Client) (end, error)
	accept func(w http.ResponseWriter, r *http.Request) (end, error)
}

var libraries = map[string]library{
	"coder": {
		dial: func(ctx context.Context, client *http.Client) (end, error) {
			c, _, err := coder.Dial(ctx, "ws://peer/", &coder.DialOptions{HTTPClient: client})
			return coderEnd(c), err
		},
		accept: func(w http.ResponseWriter, r *http.Request) (end, error) {
			c, err := coder.Accept(w, r, nil)
			return coderEnd(c), err
		},
	},
	"nhooyr": {
		dial: func(ctx context.Context, client *http.Client) (end, error) {
			c, _, err := nhooyr.Dial(ctx, "ws://peer/", &nhooyr.DialOptions{HTTPClient: client})
			return nhooyrEnd(c), err
		},
		accept: func(w http.ResponseWriter, r *http.Request) (end, error) {
			c, err := nhooyr.Accept(w, r, nil)
			return nhooyrEnd(c), err
		},
	},
}

func coderEnd(c *coder.Conn) end {
	return end{
		PingConn:  c,
		read:      func(ctx context.Context) error { _, _, err := c.Read(ctx); return err },
		write:     func(ctx context.Context, s string) error { return c.Write(ctx, coder.MessageText, []byte(s)) },
		closeRead: c.CloseRead,
	}
}

func nhooyrEnd(c *nhooyr.Conn) end {
	return end{
		PingConn:  c,
		read:      func(ctx context.Context) error { _, _, err := c.Read(ctx); return err },
		write:     func(ctx context.Context, s string) error { return c.Write(ctx, nhooyr.MessageText, []byte(s)) },
		closeRead: c.CloseRead,
	}
}

// readAll reads until the connection ends, and returns the error.
func (e end) readAll(ctx context.Context) error {
	for {
		if err := e.read(ctx); err != nil {
			return err
		}
	}
}

// A wire is the peer's end of a pipe in memory. Each of its writes takes 20 ms
// on the way, which makes that the round trip, for all else in virtual time
// takes none. What nobody has read yet is on the wire, as it is in a socket;
// the other way there is no room, as with a peer whose window is closed.
type wire struct {
	net.Conn
	dark   atomic.Bool // what is written gets lost, as if the peer were gone
	onWire chan []byte
	closed chan struct{}
	close  sync.Once
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c, onWire: make(chan []byte, 1000), closed: make(chan struct{})}
	go w.carry() // ends with Close
	return w
}

func (w *wire) carry() {
	for {
		select {
		case p := <-w.onWire:
			w.arrive(p)
		case <-w.closed:
			return
		}
	}
}

func (w *wire) arrive(p []byte) {
	select {
	case <-time.After(20 * ms):
		w.Conn.Write(p)
	case <-w.closed:
	}
}

func (w *wire) Write(p []byte) (int, error) {
	if !w.dark.Load() {
		w.onWire <- bytes.Clone(p)
	}
	return len(p), nil
}

func (w *wire) Close() error {
	w.close.Do(func() { close(w.closed) })
	return w.Conn.Close()
}

// A wireListener accepts wires, with a pipe for each that is dialled.
type wireListener chan net.Conn

func (l wireListener) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l wireListener) Close() error   { return nil } // the test closes the channel
func (l wireListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// open returns both ends of a connection, and the server's wire. Both are
// closed when the test is over, inside the bubble.
func (l library) open(t *testing.T) (client, server end, w *wire, done func()) {
	t.Helper()
	listener, accepted := make(wireListener, 1), make(chan end, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		e, err := l.accept(rw, r)
		if err != nil {
			t.Error(err)
		}
		accepted <- e
	})}
	go srv.Serve(listener) // ends with the listener
	client, err := l.dial(t.Context(), &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			w = newWire(theirs)
			listener <- w
			return ours, nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	return client, server, w, func() {
		client.CloseNow()
		server.CloseNow()
		close(listener)
		synctest.Wait()
	}
}

// forEach runs a test with the connections of each library, in virtual time.
func forEach(t *testing.T, test func(t *testing.T, client, server end, w *wire)) {
	for name, l := range libraries {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server, w, done := l.open(t)
				defer done()
				test(t, client, server, w)
			})
		})
	}
}

var each5 = keepalive.Config{Interval: 5 * sec, Timeout: 3 * sec, Phase: 5 * sec}

// After an hour of pings from both sides the connection still carries messages,
// also when the watch is over.
func TestLibrariesPings(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, _ *wire) {
		read := make(chan error)
		go server.readAll(t.Context())
		go func() { read <- client.read(t.Context()) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+sec)
		defer cancel()

		var atServer keepalive.Watcher
		go atServer.Watch(ctx, server, keepalive.Config{Interval: 7 * sec})
		var w keepalive.Watcher
		if err := w.Watch(ctx, client, each5); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if got := w.Stats(); got.PongsReceived != 720 || got.SmoothedRTT < 20*ms || got.MinRTT != 20*ms {
			t.Errorf("%+v, want 720 pongs after 20ms", got)
		}
		if got := atServer.Stats(); got.PongsReceived < 513 {
			t.Errorf("%+v, want 514 pongs or the one less under way", got)
		}
		if err := server.write(t.Context(), "still here"); err != nil {
			t.Error(err)
		}
		if err := <-read; err != nil {
			t.Error(err)
		}
	})
}

// When the peer falls silent it is given up on time, and whoever reads gets an
// error in the same moment.
func TestLibrariesSilentPeer(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, wire *wire) {
		start, read := time.Now(), make(chan time.Duration, 1)
		go server.readAll(t.Context())
		go func() { client.readAll(t.Context()); read <- time.Since(start) }()
		time.AfterFunc(11*sec, func() { wire.dark.Store(true) })

		err := keepalive.Watch(t.Context(), client, each5)
		var lost *keepalive.TimeoutError
		if !errors.As(err, &lost) || lost.Cause != keepalive.Unknown || lost.RTT != 20*ms {
			t.Fatalf("%v", err)
		}
		if at := time.Since(start); at != 18*sec {
			t.Errorf("given up at %v, want 18s: 3s after the ping of 15s", at)
		}
		if at := <-read; at != 18*sec {
			t.Errorf("Read ended at %v", at)
		}
	})
}

// The same from the server's side: its peer reads what comes and says nothing,
// since nobody there calls Read.
func TestLibrariesSilentClient(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, _ *wire) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		start := time.Now()
		go server.readAll(ctx)
		err := keepalive.Watch(ctx, server, each5)
		if !errors.Is(err, keepalive.ErrTimeout) {
			t.Errorf("%v", err)
		}
		if at := time.Since(start); at != 8*sec {
			t.Errorf("given up at %v, want 8s", at)
		}
	})
}

// A ping that waits behind a message of ours, for which the peer makes no room,
// waits for the whole timeout, and is known not to have left once the libraries
// have said so.
func TestLibrariesPeerDoesNotRead(t *testing.T) {
	for timeout, cause := range map[time.Duration]keepalive.Cause{
		4 * sec:  keepalive.Unknown,
		20 * sec: keepalive.PeerNotReading,
	} {
		forEach(t, func(t *testing.T, client, server end, _ *wire) {
			start := time.Now()
			go client.readAll(t.Context())
			go client.write(t.Context(), "nobody reads this")
			err := keepalive.Watch(t.Context(), client, keepalive.Config{Phase: sec, Timeout: timeout})
			var lost *keepalive.TimeoutError
			if !errors.As(err, &lost) || lost.Cause != cause {
				t.Errorf("after %v: %v", timeout, err)
			}
			if at := time.Since(start); at != sec+timeout {
				t.Errorf("given up at %v, want %v", at, sec+timeout)
			}
		})
	}
}

// If it is over in time, the ping leaves at once, though the library has given
// it up twice.
func TestLibrariesLongMessage(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, _ *wire) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go client.readAll(t.Context())
		go client.write(t.Context(), "takes long")
		time.AfterFunc(18*sec, func() { server.readAll(t.Context()) })
		var w keepalive.Watcher
		if err := w.Watch(ctx, client, keepalive.Config{Phase: sec}); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if got := w.Stats().PongsReceived; got != 3 {
			t.Errorf("%d pongs, want 3: of 1s, 21s and 41s", got)
		}
	})
}

// A ping that is being written and does not get on: the libraries end that
// after 5 s, and say it in one way or another.
func TestLibrariesPingDoesNotLeave(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, _ *wire) {
		start := time.Now()
		go client.readAll(t.Context())
		err := keepalive.Watch(t.Context(), client, keepalive.Config{Phase: sec})
		if !errors.Is(err, net.ErrClosed) || errors.Is(err, keepalive.ErrTimeout) {
			t.Errorf("%v, want the library's error", err)
		}
		if at := time.Since(start); at != 6*sec {
			t.Errorf("over at %v, want 6s", at)
		}
	})
}

// When nobody reads at our own side the error says what to look for.
func TestLibrariesNobodyReads(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, _ *wire) {
		go server.readAll(t.Context())
		err := keepalive.Watch(t.Context(), client, each5)
		if err == nil || !strings.Contains(err.Error(), "nobody reads from the connection") ||
			!strings.Contains(err.Error(), "no pong was ever read") {
			t.Errorf("%v", err)
		}
	})
}

// CloseRead reads for a connection on which no messages are expected.
func TestLibrariesCloseRead(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, _ *wire) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		go server.readAll(t.Context())
		client.closeRead(t.Context())
		if err := keepalive.Watch(ctx, client, each5); err != context.DeadlineExceeded {
			t.Error(err)
		}
	})
}

// An application that needs ten minutes for each message keeps its connection
// when it tells the Watcher, which measures the way all the same.
func TestLibrariesSlowApplication(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, _ *wire) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var w keepalive.Watcher
		go server.readAll(t.Context())
		go func() {
			for range 3 {
				time.Sleep(9 * time.Minute)
				server.write(t.Context(), "work")
			}
		}()
		go func() {
			for client.read(t.Context()) == nil {
				w.AfterRead()
				time.Sleep(10 * time.Minute)
				w.BeforeRead()
			}
		}()
		if err := w.Watch(ctx, client, each5); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		if rtt := w.Stats().SmoothedRTT; rtt < 19*ms || rtt > 60*ms {
			t.Errorf("the round trip is %v, want about 20ms", rtt)
		}
		client.CloseNow()
		time.Sleep(10 * time.Minute) // the reader comes back to see it
	})
}

// A connection that the application closes ends the watch with its error.
func TestLibrariesClosed(t *testing.T) {
	forEach(t, func(t *testing.T, client, server end, _ *wire) {
		start := time.Now()
		go server.readAll(t.Context())
		go client.readAll(t.Context())
		time.AfterFunc(7*sec, func() { client.CloseNow() })
		err := keepalive.Watch(t.Context(), client, each5)
		if !errors.Is(err, net.ErrClosed) || errors.Is(err, keepalive.ErrTimeout) {
			t.Errorf("%v, want the library's error", err)
		}
		if at := time.Since(start); at != 10*sec {
			t.Errorf("over at %v, want 10s, when the next ping is due", at)
		}
	})
}
