package keepalive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A pingConn is a connection of another library in virtual time.
type pingConn struct {
	start  time.Time
	answer func(n int) (after time.Duration, err error) // to the nth ping, from 0
	closed chan struct{}

	mu      sync.Mutex
	pings   []time.Duration // when they began; read when the watch is over
	closing int             // how often CloseNow was called
}

// newPingConn: an answer after never is none.
func newPingConn(answer func(n int) (time.Duration, error)) *pingConn {
	return &pingConn{start: time.Now(), answer: answer, closed: make(chan struct{})}
}

// begin notes a ping and returns which it is.
func (c *pingConn) begin() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings = append(c.pings, time.Since(c.start))
	return len(c.pings) - 1
}

func (c *pingConn) Ping(ctx context.Context) error {
	after, err := c.answer(c.begin())
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
		return err
	case <-c.closed:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return fmt.Errorf("no pong: %w", ctx.Err())
	}
}

func (c *pingConn) CloseNow() error {
	if c.closing++; c.closing == 1 {
		close(c.closed)
	}
	return nil
}

func (c *pingConn) wantPings(t *testing.T, want ...time.Duration) {
	t.Helper()
	if len(c.pings) != len(want) {
		t.Fatalf("pings at %v, want %v", c.pings, want)
	}
	for i := range want {
		if c.pings[i] != want[i] {
			t.Fatalf("pings at %v, want %v", c.pings, want)
		}
	}
}

// inTime answers every ping after rtt.
func inTime(rtt time.Duration) func(int) (time.Duration, error) {
	return func(int) (time.Duration, error) { return rtt, nil }
}

// firstOnly answers the first n pings after rtt, and no other.
func firstOnly(n int, rtt time.Duration) func(int) (time.Duration, error) {
	return func(i int) (time.Duration, error) {
		if i < n {
			return rtt, nil
		}
		return never, nil
	}
}

// each5 pings every 5 s, from 5 s on, and gives up after 3 s.
var each5 = Config{Interval: 5 * sec, Timeout: 3 * sec, Phase: 5 * sec}

// gaveUp returns the TimeoutError that err must be.
func gaveUp(t *testing.T, err error) *TimeoutError {
	t.Helper()
	var lost *TimeoutError
	if !errors.As(err, &lost) {
		t.Fatalf("Watch returned %v, want a TimeoutError", err)
	}
	return lost
}

// A peer that answers is pinged until the context ends; the connection is left
// open then. Round trips are measured.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 17*sec)
		defer cancel()
		c := newPingConn(inTime(40 * ms))
		var rtts []time.Duration
		w := &Watcher{Pong: func(rtt time.Duration) { rtts = append(rtts, rtt) }}
		if err := w.Watch(ctx, c, each5); err != context.DeadlineExceeded {
			t.Errorf("Watch returned %v, want the context's error", err)
		}
		c.wantPings(t, 5*sec, 10*sec, 15*sec)
		if c.closing != 0 {
			t.Error("the connection was closed")
		}
		if len(rtts) != 3 || rtts[0] != 40*ms {
			t.Errorf("round trips %v, want three of 40ms", rtts)
		}
		want := Stats{
			LastRTT: 40 * ms, SmoothedRTT: 40 * ms, MinRTT: 40 * ms, RTTVar: 40 * ms / 2 * 9 / 16,
			PingsSent: 3, PongsReceived: 3, LastByte: c.start.Add(15*sec + 40*ms),
		}
		if got := w.Stats(); got != want {
			t.Errorf("stats %+v, want %+v", got, want)
		}
	})
}

// The grid does not drift in a day.
func TestWatchForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour+sec)
		defer cancel()
		c := newPingConn(inTime(40 * ms))
		if err := Watch(ctx, c, each5); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		for i, at := range c.pings {
			if want := time.Duration(i+1) * 5 * sec; at != want {
				t.Fatalf("ping %d at %v, want %v", i, at, want)
			}
		}
		if want := 24 * 60 * 12; len(c.pings) != want {
			t.Errorf("%d pings, want %d", len(c.pings), want)
		}
	})
}

// A peer that falls silent is given up on time, the connection closed, and
// nobody is blamed: whether somebody reads is not known.
func TestWatchGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPingConn(firstOnly(2, 40*ms))
		lost := gaveUp(t, Watch(t.Context(), c, each5))
		if at := time.Since(c.start); at != 18*sec {
			t.Errorf("gave up at %v, want 18s", at)
		}
		if c.closing != 1 {
			t.Errorf("closed %d times, want once", c.closing)
		}
		if lost.Cause != Unknown || !lost.Watched || !lost.PingSent || lost.RTT != 40*ms {
			t.Errorf("%+v", lost)
		}
		const want = "keepalive ping timeout: no pong was read: the peer or the network is dead, or nobody reads from the connection " +
			"(3s since the ping was due, last pong or message read 7.96s ago, usual round trip 40ms)"
		if got := lost.Error(); got != want {
			t.Errorf("the text is\n\t%s, want\n\t%s", got, want)
		}
	})
}

// Where no pong was ever read the text says so: somebody forgot to read.
func TestWatchNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := gaveUp(t, Watch(t.Context(), newPingConn(firstOnly(0, 0)), each5))
		if !strings.Contains(lost.Error(), "no pong was ever read") {
			t.Error(lost)
		}
	})
}

// With a timeout longer than the interval pings go on while older ones wait,
// and any pong saves the peer.
func TestWatchOverlappingPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPingConn(func(n int) (time.Duration, error) {
			if n == 2 { // due at 6s; the clock for that at 2s ends at 12s
				return 5 * sec, nil
			}
			return never, nil
		})
		gaveUp(t, Watch(t.Context(), c, Config{Interval: 2 * sec, Timeout: 10 * sec, Phase: 2 * sec}))
		// Proof of life at 11s: the first ping after it is that of 12s.
		if at := time.Since(c.start); at != 22*sec {
			t.Errorf("gave up at %v, want 22s", at)
		}
		if len(c.pings) != 10 {
			t.Errorf("%d pings, want 10", len(c.pings))
		}
	})
}

// Strictly only the pong counts, not what was read.
func TestWatchStrict(t *testing.T) {
	for _, strict := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cfg := each5
			cfg.Strict = strict
			var w Watcher
			go func() { // a message arrives every second
				for ctx.Err() == nil {
					w.BeforeRead()
					time.Sleep(sec)
					w.AfterRead()
				}
			}()
			err := w.Watch(ctx, newPingConn(firstOnly(0, 0)), cfg)
			if lost := errors.Is(err, ErrTimeout); lost != strict {
				t.Errorf("strict %v: %v", strict, err)
			}
			cancel()
			time.Sleep(sec)
		})
	}
}

// A peer that does no more than answer lives in strict mode too.
func TestWatchStrictAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+sec)
		defer cancel()
		cfg := each5
		cfg.Strict = true
		if err := Watch(ctx, newPingConn(inTime(2*sec)), cfg); err != context.DeadlineExceeded {
			t.Error(err)
		}
	})
}

// A pause that begins when the time is nearly over leaves enough of it to read
// the pong when it ends.
func TestWatchLatePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 60*sec)
		defer cancel()
		var w Watcher
		time.AfterFunc(7900*ms, w.AfterRead) // 0.1s before the peer is given up
		time.AfterFunc(50*sec, w.BeforeRead)
		start := time.Now()
		c := newPingConn(func(int) (time.Duration, error) {
			return max(0, 50*sec+500*ms-time.Since(start)), nil
		})
		cfg := each5
		cfg.Strict = true // else AfterRead is proof of life
		if err := w.Watch(ctx, c, cfg); err != context.DeadlineExceeded {
			t.Errorf("at %v: %v", time.Since(start), err)
		}
	})
}

// A ping is waited for longer than the libraries take to write it, and no
// interval makes the time run over.
func TestPatience(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{
		off:      10 * sec,
		ms:       10 * sec,
		20 * sec: 63 * 20 * sec,
		longest:  63 * 24 * time.Hour,
	} {
		if got := patience(interval); got != want {
			t.Errorf("every %v: %v, want %v", interval, got, want)
		}
	}
}

// While nobody reads the clock stands still, for as long as it takes, and pings
// go on. When the application reads again the pongs are there.
func TestWatchWhileNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 201*sec)
		defer cancel()
		start := time.Now()
		c := newPingConn(func(int) (time.Duration, error) {
			return max(40*ms, 100*sec-time.Since(start)), nil // all that wait are answered at 100s
		})
		var w Watcher
		go func() {
			w.AfterRead()
			time.Sleep(100*sec - ms)
			w.BeforeRead()
		}()
		if err := w.Watch(ctx, c, each5); err != context.DeadlineExceeded {
			t.Fatalf("at %v: %v", time.Since(start), err)
		}
		if len(c.pings) != 40 {
			t.Errorf("%d pings, want 40: one every 5s", len(c.pings))
		}
		// The pings at 5s, ..., 95s waited for us and tell nothing of the way.
		stats := w.Stats()
		if stats.LastRTT != 40*ms || stats.SmoothedRTT != 40*ms || stats.PongsReceived != 21 {
			t.Errorf("stats %+v, want 21 pongs of 40ms", stats)
		}
	})
}

// A peer that is dead is given up once the application reads again.
func TestWatchDeadWhileNobodyRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPingConn(firstOnly(0, 0))
		var w Watcher
		w.AfterRead()
		go func() {
			time.Sleep(50 * sec)
			w.AfterRead() // once more: the pause goes on
			time.Sleep(50 * sec)
			w.BeforeRead()
		}()
		lost := gaveUp(t, w.Watch(t.Context(), c, each5))
		if at := time.Since(c.start); at < 100*sec || at > 103*sec {
			t.Errorf("gave up at %v, want within the timeout of 100s", at)
		}
		if lost.Paused != 100*sec || lost.PausedNow {
			t.Errorf("%+v, want a pause of 100s that is over", lost)
		}
	})
}

// A ping that the library could not write is tried again, for as long as the
// peer has; then it is named as the cause.
func TestWatchCannotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPingConn(func(n int) (time.Duration, error) { return sec + ms, context.DeadlineExceeded })
		lost := gaveUp(t, Watch(t.Context(), c, each5))
		if lost.Cause != PeerNotReading || lost.PingSent {
			t.Errorf("%+v, want a peer that does not read", lost)
		}
		if at := time.Since(c.start); at != 8*sec {
			t.Errorf("gave up at %v, want 8s", at)
		}
		c.wantPings(t, 5*sec, 6*sec+ms, 7*sec+2*ms)
	})
}

// A library that gives up in no time is not asked over and over.
func TestWatchCannotTryToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPingConn(func(n int) (time.Duration, error) { return 0, context.DeadlineExceeded })
		lost := gaveUp(t, Watch(t.Context(), c, Config{Interval: sec, Timeout: 2500 * ms, Phase: sec}))
		if lost.Cause != PeerNotReading {
			t.Errorf("%+v, want a peer that does not read", lost)
		}
		c.wantPings(t, sec, 2*sec, 3*sec)
	})
}

// It is no cause any more once a ping got through.
func TestWatchWritesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPingConn(func(n int) (time.Duration, error) {
			switch n {
			case 0:
				return sec, context.DeadlineExceeded
			case 1:
				return sec, nil
			}
			return never, nil
		})
		lost := gaveUp(t, Watch(t.Context(), c, Config{Interval: 2 * sec, Timeout: 5 * sec, Phase: 2 * sec}))
		if lost.Cause != Unknown || !lost.PingSent {
			t.Errorf("%+v, want an unknown cause", lost)
		}
		if lost.RTT != sec {
			t.Errorf("round trip %v, want that of the second try, 1s", lost.RTT)
		}
	})
}

// A ping that fails ends the watch at once, with its error as it is. The
// connection, which has failed, is left alone.
func TestWatchPingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPingConn(func(n int) (time.Duration, error) { return sec, io.ErrUnexpectedEOF })
		if err := Watch(t.Context(), c, each5); err != io.ErrUnexpectedEOF {
			t.Errorf("Watch returned %v", err)
		}
		if at := time.Since(c.start); at != 6*sec || c.closing != 0 {
			t.Errorf("at %v, closed %d times; want 6s and not at all", at, c.closing)
		}
	})
}

// A library that closes the connection since it cannot write says of the next
// ping only that it is closed: both errors are found.
func TestWatchPingFailsAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPingConn(func(n int) (time.Duration, error) {
			if n == 0 {
				return sec, context.DeadlineExceeded
			}
			return 0, io.ErrClosedPipe
		})
		err := Watch(t.Context(), c, Config{Interval: 2 * sec, Timeout: 10 * sec, Phase: sec})
		if !errors.Is(err, io.ErrClosedPipe) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTimeout) {
			t.Errorf("Watch returned %v, want both errors", err)
		}
	})
}

// A context that ends while a ping waits: its error, and an open connection.
func TestWatchContextEndsWithinPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(6*sec, cancel)
		c := newPingConn(firstOnly(0, 0))
		if err := Watch(ctx, c, each5); err != context.Canceled {
			t.Errorf("Watch returned %v", err)
		}
		if at := time.Since(c.start); at != 6*sec || c.closing != 0 {
			t.Errorf("at %v, closed %d times; want 6s and not at all", at, c.closing)
		}
	})
}

// Without pings, and with pings that nobody has to answer, it ends with the
// context alone.
func TestWatchOff(t *testing.T) {
	for cfg, pings := range map[Config]int{
		{Interval: -1}: 0,
		{Interval: 5 * sec, Timeout: -1, Phase: 5 * sec}: 720,
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour+sec)
			defer cancel()
			c := newPingConn(firstOnly(0, 0))
			if err := Watch(ctx, c, cfg); err != context.DeadlineExceeded {
				t.Errorf("%+v: %v", cfg, err)
			}
			if len(c.pings) != pings {
				t.Errorf("%+v: %d pings, want %d", cfg, len(c.pings), pings)
			}
		})
	}
}

// However long nobody answers, the pings that wait stay few. Those that have
// waited longest are forgotten, so that others can go out.
func TestWatchBound(t *testing.T) {
	for interval, pings := range map[time.Duration]int{
		ms:                   2 * maxPings, // each of which is forgotten after 10s
		5 * sec:              200,
		100 * 24 * time.Hour: 200,
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 200*max(interval, 95*ms)+ms/2)
			defer cancel()
			var w Watcher
			most := 0 // guarded by w.mu
			c := newPingConn(func(int) (time.Duration, error) {
				w.mu.Lock()
				defer w.mu.Unlock()
				most = max(most, w.waiting)
				return never, nil
			})
			w.Watch(ctx, c, Config{Interval: interval, Timeout: -1, Phase: interval})
			if len(c.pings) != pings || most > maxPings {
				t.Errorf("every %v: %d pings, want %d; %d waited at once", interval, len(c.pings), pings, most)
			}
			if w.waiting != 0 {
				t.Errorf("%d pings wait when it is over", w.waiting)
			}
		})
	}
}

// What these libraries cannot do is refused, and does not use the Watcher up.
func TestWatchRefusesPongMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Watcher
		c := newPingConn(firstOnly(0, 0))
		if err := w.Watch(t.Context(), c, Config{Mode: ModePong}); err != ErrPongMode {
			t.Errorf("Watch returned %v", err)
		}
		gaveUp(t, w.Watch(t.Context(), c, each5))
	})
}

// When only an idle connection is to be pinged, what the application tells of
// its reading puts the ping off.
func TestWatchIdleMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 31*sec)
		defer cancel()
		var w Watcher
		go func() { // reads a message every 2s, for 20s
			for range 10 {
				time.Sleep(2 * sec)
				w.AfterRead()
				w.BeforeRead()
			}
		}()
		c := newPingConn(inTime(0))
		cfg := each5
		cfg.Mode = ModeIdle
		w.Watch(ctx, c, cfg)
		c.wantPings(t, 25*sec, 30*sec)
	})
}

// A Watcher has the state of one connection.
func TestWatcherIsForOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var w Watcher
		c := newPingConn(inTime(0))
		if err := w.Watch(ctx, c, each5); err != context.Canceled {
			t.Errorf("first: %v", err)
		}
		if err := w.Watch(t.Context(), c, each5); err != ErrWatched {
			t.Errorf("second: %v, want ErrWatched", err)
		}
	})
}

// What happened before the watch does not count: a pause begins with it.
func TestWatchAfterALongPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Watcher
		w.AfterRead()
		time.Sleep(time.Hour)
		w.BeforeRead()
		w.AfterRead()
		time.Sleep(time.Hour)
		c := newPingConn(firstOnly(0, 0))
		time.AfterFunc(6*sec, w.BeforeRead)
		lost := gaveUp(t, w.Watch(t.Context(), c, each5))
		if at := time.Since(c.start); lost.Paused != 6*sec || at > 11*sec {
			t.Errorf("gave up at %v after a pause of %v", at, lost.Paused)
		}
	})
}
