package suite

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A logbook is hooks that write down what they are told.
type logbook struct {
	mu    sync.Mutex
	lines []string
	ids   map[string]bool
}

func (b *logbook) note(conn keepalive.Conn, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, fmt.Sprintf(format, args...))
	if b.ids == nil {
		b.ids = map[string]bool{}
	}
	b.ids[conn.ID()] = true
}

func (b *logbook) hooks() *keepalive.Hooks {
	return &keepalive.Hooks{
		PingSent:     func(c keepalive.Conn, late time.Duration) { b.note(c, "ping %v late", late) },
		PongReceived: func(c keepalive.Conn, rtt time.Duration) { b.note(c, "pong %v", rtt) },
		Paused:       func(c keepalive.Conn) { b.note(c, "paused") },
		Resumed:      func(c keepalive.Conn, stood time.Duration) { b.note(c, "resumed after %v", stood) },
		TimedOut:     func(c keepalive.Conn, err *keepalive.TimeoutError) { b.note(c, "timed out: %v", err.Cause) },
	}
}

func (b *logbook) expect(t *testing.T, id string, want ...string) {
	t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := strings.Join(b.lines, ", "); got != strings.Join(want, ", ") {
		t.Errorf("told:\n\t%s\n\twant %s", got, strings.Join(want, ", "))
	}
	if !b.ids[id] || len(b.ids) != 1 {
		t.Errorf("told of %v, want %s", b.ids, id)
	}
}

// TestHooks: the hooks are told what happens, in its order: two pings that are
// answered after 3 s, one of the application's that is answered at once, and
// one that is not answered.
func TestHooks(t *testing.T) {
	const s = time.Second
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			var book logbook
			e.Options.Keepalive, e.Options.Hooks = every10s, book.hooks()
			conn, w := e.watched(t, func(w *watcher, n int, payload string) {
				switch {
				case n < 2:
					after(3*s)(w, n, payload)
				case n == 2:
					w.pong(payload)
				}
			})
			w.until(20 * s)
			if _, err := conn.Ping(nil); err != nil {
				t.Fatal(err)
			}
			givenUp(t, conn, w.opened, 29*s)
			book.expect(t, conn.ID(), "ping 0s late", "pong 3s", "ping 0s late", "pong 3s", "pong 0s",
				"ping 0s late", "timed out: peer stuck")
		})
	})
}

// TestHooksPaused: a queue of one message is full with the first one, and there
// is room again when the application receives, 7 s later.
func TestHooksPaused(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			var book logbook
			e.Options.MaxQueue, e.Options.Hooks = 1, book.hooks()
			conn, raw := e.Against(t)
			raw.Send(t, raw.Text("one"), raw.Text("two"))
			synctest.Wait()
			time.Sleep(time.Second) // the attendant has come, whenever it did
			began := time.Now()
			for range 2 {
				if _, err := conn.Recv(0); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			book.mu.Lock()
			defer book.mu.Unlock()
			if len(book.lines) != 2 || book.lines[0] != "paused" || !strings.HasPrefix(book.lines[1], "resumed after 9") {
				t.Errorf("told %q, %v after the beginning", book.lines, time.Since(began))
			}
		})
	})
}

// TestHooksCannotDeadlock: a hook may call what waits for the connection, its
// end above all, and panic.
func TestHooksCannotDeadlock(t *testing.T) {
	for name, hook := range map[string]func(Conn){
		"sends":  func(c Conn) { c.Send(protocol.TextMessage("from a hook"), 0) },
		"pings":  func(c Conn) { c.Ping(nil) },
		"closes": func(c Conn) { c.Close() },
		"cuts":   func(c Conn) { c.CloseNow(); <-c.Done() },
		"panics": func(Conn) { panic("a hook") },
	} {
		t.Run(name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) { hookOnce(t, e, hook) })
			})
		})
	}
}

// hookOnce fails the test if the hook does not return.
func hookOnce(t *testing.T, e End, hook func(Conn)) {
	opened, returned := make(chan Conn, 1), make(chan struct{})
	var once sync.Once
	e.Options.Keepalive = every10s
	e.Options.CloseTimeout = time.Second
	e.Options.Hooks = &keepalive.Hooks{PongReceived: func(keepalive.Conn, time.Duration) {
		once.Do(func() {
			defer close(returned)
			hook(<-opened)
		})
	}}
	conn, _ := e.watched(t, atOnce)
	opened <- conn
	select {
	case <-returned:
	case <-time.After(time.Minute):
		t.Error("the hook did not return")
	}
}

// TestHookThatHangs: a hook that does not return delays nothing but the next
// one, of which so many are kept; the last one is.
func TestHookThatHangs(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			const pings = 2 * keepalive.MaxHookEvents
			hang, told := make(chan struct{}), 0
			over := make(chan *keepalive.TimeoutError, 1)
			e.Options.Keepalive = every10s
			e.Options.Hooks = &keepalive.Hooks{
				PingSent:     func(keepalive.Conn, time.Duration) { told++ },
				PongReceived: func(keepalive.Conn, time.Duration) { told++; <-hang },
				TimedOut:     func(_ keepalive.Conn, err *keepalive.TimeoutError) { over <- err },
			}
			conn, w := e.watched(t, firstOf(pings))
			want := givenUp(t, conn, w.opened, 9*time.Second+pings*10*time.Second)
			close(hang)
			if err := <-over; err != want {
				t.Errorf("told of %v, want %v", err, want)
			}
			// The ping and the pong before it hung, and what was kept
			// besides the end.
			if most := keepalive.MaxHookEvents + 1; told > most {
				t.Errorf("told of %d events, want %d at most", told, most)
			}
		})
	})
}

// TestServerStats has a server's connections end in many ways.
func TestServerStats(t *testing.T) {
	for name, test := range map[string]struct {
		how  answer
		act  func(t *testing.T, conn Conn, w *watcher)
		want keepalive.Closes
	}{
		"peer stuck": {never, func(*testing.T, Conn, *watcher) {}, keepalive.Closes{PeerStuck: 1}},
		"ok": {atOnce, func(_ *testing.T, _ Conn, w *watcher) {
			w.post(w.CloseFrame(protocol.NormalClosure, ""))
		}, keepalive.Closes{OK: 1}},
		"refused": {atOnce, func(_ *testing.T, _ Conn, w *watcher) {
			w.post(w.CloseFrame(protocol.TryAgainLater, ""))
		}, keepalive.Closes{Refused: 1}},
		"violation": {atOnce, func(_ *testing.T, _ Conn, w *watcher) {
			w.post(w.Frame(protocol.OpContinuation, true, ""))
		}, keepalive.Closes{Violation: 1}},
		"lost": {atOnce, func(_ *testing.T, _ Conn, w *watcher) { w.Close() }, keepalive.Closes{Lost: 1}},
		"cut":  {atOnce, func(_ *testing.T, conn Conn, _ *watcher) { conn.CloseNow() }, keepalive.Closes{Other: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, face := range Faces {
				t.Run(face.Name(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { endOne(t, face, test.how, test.act, test.want) })
				})
			}
		})
	}
}

// endOne has one connection of a server end, having been pinged at 4 s.
func endOne(t *testing.T, face Face, how answer, act func(*testing.T, Conn, *watcher), want keepalive.Closes) {
	ours, theirs := link.NewPipe()
	accepted := make(chan Conn, 1)
	server, err := face.Serve(func(conn Conn) error {
		accepted <- conn
		<-conn.Done()
		return nil
	}, "", &Options{Listener: newListener(ours), Keepalive: every10s})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	defer theirs.Close()
	raw := newRaw(theirs, protocol.Client)
	raw.connect(t)
	w, conn := watch(raw, how), <-accepted
	w.until(5 * time.Second)
	synctest.Wait()
	if got := server.Stats(); got.Open != 1 || got.Opened != 1 || got.PingsSent != 1 {
		t.Errorf("while open: %+v", got)
	}
	act(t, conn, w)
	<-conn.Done()
	got := server.Stats()
	if got.Open != 0 || got.Opened != 1 || got.Closes != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if pongs := got.RTT.Count(); pongs != conn.KeepaliveStats().PongsReceived {
		t.Errorf("%d round trips counted, %d of the connection", pongs, conn.KeepaliveStats().PongsReceived)
	}
}
