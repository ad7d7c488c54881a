package link

import (
	"errors"
	"runtime"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// TestApart: an errand is done when apart returns, also after one that panicked,
// or ended its goroutine, with which its connection has failed.
func TestApart(t *testing.T) {
	for name, do := range map[string]func(*Conn){
		"panics": func(*Conn) { panic("extension") },
		"exits":  func(*Conn) { runtime.Goexit() },
	} {
		opts := Options{Role: protocol.Server, Helper: new(Helper)}
		ours, theirs := NewPipe()
		c, peer := opened(ours, opts), opened(theirs, Options{Role: protocol.Client})
		done := false
		c.lock()
		if !c.apart(func(got *Conn) { done = got == c }) || !done {
			t.Errorf("%s: not done", name)
		}
		if c.apart(do) || !c.apart(func(*Conn) {}) {
			t.Errorf("%s: it succeeded, or the next one did not", name)
		}
		c.unlock()
		if _, err := peer.Receive(nil); !errors.As(err, new(*protocol.CloseError)) {
			t.Errorf("%s: the peer received %v", name, err)
		}
		end(c, peer)
	}
}
