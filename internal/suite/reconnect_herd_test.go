package suite

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestReconnectMany has a thousand clients lose their server at the same
// moment. They come back over the first five seconds, or, if the server stays
// away for a while, over a longer time: never many of them at once.
func TestReconnectMany(t *testing.T) {
	if Race {
		t.Skip("too slow under the race detector")
	}
	const clients = 1000
	for _, test := range []struct {
		name string
		away time.Duration
		most int // how many come back in a second: six standard deviations over what is expected
	}{
		{"at once", 0, 280},
		{"after a minute", time.Minute, 120},
	} {
		t.Run(test.name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				h := newHerd(t)
				stop := h.run(t, face, clients)
				time.Sleep(time.Minute)
				synctest.Wait()
				h.site.becomes(down)
				close(h.end)
				time.Sleep(test.away)
				h.end = make(chan struct{})
				h.restart()
				time.Sleep(3 * time.Minute)
				stop()
				if n := h.back.sum(); n != clients {
					t.Errorf("%d of %d clients are back", n, clients)
				}
				if n := h.back.max(); n > test.most {
					t.Errorf("%d clients came back in one second: %v", n, h.back)
				}
				t.Logf("back in each second: %v", h.back)
			})
		})
	}
}

// A herd is the clients of one server.
type herd struct {
	site   *site
	served Dialer
	end    chan struct{} // closed: the server's connections end

	mu    sync.Mutex
	since time.Time // when the server was there again
	back  histogram // how many came in each second since
}

func newHerd(t *testing.T) *herd {
	h := &herd{end: make(chan struct{})}
	h.served = up(t, func(conn Conn) error {
		h.count()
		select {
		case <-h.end:
			conn.CloseNow()
		case <-conn.Done():
		}
		return nil
	})
	h.site = newSite(t, h.served)
	return h
}

// count counts a client that has come back.
func (h *herd) count() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.since.IsZero() {
		h.back.add(time.Since(h.since))
	}
}

func (h *herd) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since = time.Now()
	h.site.becomes(h.served)
}

// run starts the clients. They have the random delays that everybody gets.
func (h *herd) run(t *testing.T, face Face, clients int) (stop func()) {
	var all sync.WaitGroup
	var stops []func()
	for range clients {
		opts := &Options{Dial: h.site.Dial}
		opts.Keepalive.Interval = noPings
		opts.Compression.Disabled = true
		conns, stop := face.Reconnect(anywhere, opts)
		stops = append(stops, stop)
		all.Go(func() {
			checkStopped(t, face, loop(t, conns, func(conn Conn) bool {
				<-conn.Done()
				return true
			}))
		})
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
		close(h.end)
		all.Wait()
	}
}

// A histogram counts in seconds.
type histogram []int

func (h *histogram) add(at time.Duration) {
	second := int(at / time.Second)
	for len(*h) <= second {
		*h = append(*h, 0)
	}
	(*h)[second]++
}

func (h histogram) sum() (n int) {
	for _, count := range h {
		n += count
	}
	return n
}

func (h histogram) max() (most int) {
	for _, count := range h {
		most = max(most, count)
	}
	return most
}
