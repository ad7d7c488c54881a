package main

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	wsasync "github.com/tandemws/tandem/async"
)

// A transcript keeps what a command writes, for a test that waits until
// something is written.
type transcript struct {
	written chan struct{} // holds one value, which says that text has grown

	mu   sync.Mutex // guards the following
	text strings.Builder
}

func newTranscript() *transcript { return &transcript{written: make(chan struct{}, 1)} }

func (tr *transcript) Write(data []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	select {
	case tr.written <- struct{}{}:
	default:
	}
	return tr.text.Write(data)
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// waitFor waits until the part has been written. The limit is there for a test
// to fail and not to hang.
func (tr *transcript) waitFor(t *testing.T, part string) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for !strings.Contains(tr.String(), part) {
		select {
		case <-tr.written:
		case <-limit:
			t.Fatalf("waiting for %q, there is %q", part, tr.String())
		}
	}
}

// A running command can be watched, typed to and interrupted.
type running struct {
	out, err  *transcript
	keys      *io.PipeWriter // its standard input
	interrupt context.CancelFunc
	status    chan int
}

// start starts the tool. It is interrupted when the test ends.
func start(t *testing.T, args ...string) *running {
	ctx, cancel := context.WithCancel(t.Context())
	in, keys := io.Pipe()
	r := &running{newTranscript(), newTranscript(), keys, cancel, make(chan int, 1)}
	go func() { r.status <- run(ctx, args, stdio{in, r.out, r.err}) }() // ends with the command
	t.Cleanup(func() {
		cancel()
		keys.Close()
	})
	return r
}

// wait waits for the command to end and checks its exit status.
func (r *running) wait(t *testing.T, want int) {
	t.Helper()
	if got := <-r.status; got != want {
		t.Errorf("status %d, want %d; standard output %q, standard error %q", got, want, r.out, r.err)
	}
}

// serveTest starts a server for a test and returns its URL.
func serveTest(t *testing.T, handler wsasync.HandlerFunc) (url string) {
	t.Helper()
	server, err := wsasync.Serve(context.Background(), handler, "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return "ws://" + server.Addr().String() + "/"
}
