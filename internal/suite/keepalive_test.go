package suite

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// What the tests of keepalive have in common: a peer that notes pings, and a
// look at how a connection was given up.

// A watcher is a raw peer that reads all the time, notes the pings that come,
// and answers them as the test wants. What it writes it leaves to another
// goroutine, so that it reads on when we do not.
type watcher struct {
	*Raw
	opened time.Time
	out    chan []byte

	mu      sync.Mutex
	pings   []time.Duration // when each came, since opened
	answers []string        // the payloads of pongs
	frames  []string        // all other frames
	ended   chan struct{}   // closed when nothing more comes
}

// An answer says what a watcher does about its nth ping, counted from 0.
type answer func(w *watcher, n int, payload string)

// atOnce answers a ping as a peer should.
func atOnce(w *watcher, _ int, payload string) { w.pong(payload) }

// never is a peer whose program is stuck while its system goes on.
func never(*watcher, int, string) {}

// after answers a ping late.
func after(d time.Duration) answer {
	return func(w *watcher, _ int, payload string) {
		time.AfterFunc(d, func() { w.pong(payload) })
	}
}

// firstOf answers so many pings and then no more.
func firstOf(n int) answer {
	return func(w *watcher, i int, payload string) {
		if i < n {
			w.pong(payload)
		}
	}
}

// watched is Against with a peer that watches.
func (e End) watched(t *testing.T, how answer) (Conn, *watcher) {
	t.Helper()
	conn, w, _, _ := e.watchedOver(t, how)
	return conn, w
}

// watchedOver is watched that returns the ends of the transport too.
func (e End) watchedOver(t *testing.T, how answer) (conn Conn, w *watcher, ours, theirs net.Conn) {
	t.Helper()
	ours, theirs = link.NewPipe()
	conn, raw := e.AgainstOver(t, ours, theirs)
	return conn, watch(raw, how), ours, theirs
}

// watch begins to read and write. Both goroutines end with the transport.
func watch(raw *Raw, how answer) *watcher {
	w := &watcher{Raw: raw, opened: time.Now(), out: make(chan []byte, 10000), ended: make(chan struct{})}
	go w.read(how)
	go w.write()
	return w
}

func (w *watcher) write() {
	for {
		select {
		case b := <-w.out:
			w.Write(b) // an error means that the transport has ended
		case <-w.ended:
			return
		}
	}
}

// post has the frames sent, behind those that were posted before.
func (w *watcher) post(frames ...[]byte) { w.out <- bytes.Join(frames, nil) }

func (w *watcher) read(how answer) {
	defer close(w.ended)
	for {
		h, payload, err := w.Next()
		if err != nil {
			return
		}
		switch h.Opcode {
		case protocol.OpPing:
			how(w, w.note(), payload)
		case protocol.OpPong:
			w.noteOther(&w.answers, payload)
		default:
			w.noteOther(&w.frames, fmt.Sprintf("%v %.40q", h.Opcode, payload))
		}
	}
}

func (w *watcher) noteOther(list *[]string, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*list = append(*list, what)
}

// note notes a ping and returns how many came before.
func (w *watcher) note() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pings = append(w.pings, time.Since(w.opened))
	return len(w.pings) - 1
}

func (w *watcher) pong(payload string) { w.post(w.Frame(protocol.OpPong, true, payload)) }

// came returns when the pings came.
func (w *watcher) came() []time.Duration {
	synctest.Wait() // what is on its way now counts
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.pings...)
}

// others returns the frames that were neither pings nor pongs.
func (w *watcher) others() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.frames...)
}

// pongs returns the payloads of the pongs that came.
func (w *watcher) pongs() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.answers...)
}

// until sleeps until so long after the opening.
func (w *watcher) until(d time.Duration) { time.Sleep(time.Until(w.opened.Add(d))) }

// expectPings fails the test unless the pings came at these times.
func (w *watcher) expectPings(t *testing.T, want ...time.Duration) {
	t.Helper()
	if got := w.came(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pings came at %v, want %v", got, want)
	}
}

// alive fails the test if the connection has ended.
func alive(t *testing.T, conn Conn) {
	t.Helper()
	synctest.Wait()
	if conn.State() != protocol.Open {
		t.Fatalf("not open any more: %v", conn.Err())
	}
}

// givenUp waits for the end of the connection, which is to be keepalive's, and
// at this time after opened. In virtual time the runner is never late, so the
// time is exact.
func givenUp(t *testing.T, conn Conn, opened time.Time, want time.Duration) *keepalive.TimeoutError {
	t.Helper()
	<-conn.Done()
	if got := time.Since(opened); got != want {
		t.Errorf("ended %v after the opening, want %v", got, want)
	}
	return timedOut(t, conn.Err())
}

// timedOut returns the TimeoutError in err, which is to be a CloseError: there
// was no close frame of the peer's, and ours had code 1011.
func timedOut(t *testing.T, err error) *keepalive.TimeoutError {
	t.Helper()
	told := closeError(t, err)
	timeout := as[*keepalive.TimeoutError](err)
	if timeout == nil {
		t.Fatalf("%v, want a TimeoutError", err)
	}
	is(t, err, keepalive.ErrTimeout)
	is(t, err, protocol.ErrClosedError)
	if told.Rcvd != nil || told.Sent == nil || told.Sent.Code != protocol.InternalError || told.Code() != protocol.AbnormalClosure {
		t.Errorf("received %v, sent %v, code %v", told.Rcvd, told.Sent, told.Code())
	}
	return timeout
}
