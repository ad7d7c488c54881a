package causes

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A peer is at the other end of the connection that is looked at.
type peer interface {
	serve(t *testing.T) (url string)
	connect(t *testing.T, url string)
}

// forEnds runs test for a client and a server of each face, at the same time.
// open connects it to a peer.
func forEnds(t *testing.T, test func(t *testing.T, open func(peer, keepalive.Config) *witness.End)) {
	for _, f := range face.Both {
		t.Run(f.Name()+" client", func(t *testing.T) {
			t.Parallel()
			test(t, func(p peer, config keepalive.Config) *witness.End {
				return witness.Attend("client", witness.Dial(t, f, p.serve(t), options(config)))
			})
		})
		t.Run(f.Name()+" server", func(t *testing.T) {
			t.Parallel()
			test(t, func(p peer, config keepalive.Config) *witness.End {
				acceptor := witness.Accept(t, f, options(config))
				p.connect(t, fmt.Sprintf("ws://%v/", acceptor.Addr()))
				return witness.Attend("server", acceptor.Next(t))
			})
		})
	}
}

func options(config keepalive.Config) face.Options {
	return face.Options{Keepalive: config, CloseTimeout: time.Second}
}

// A process that was stopped does not answer, though its system acknowledges
// what we send.
func TestStoppedPeer(t *testing.T) {
	testStoppedPeer(t, face.Sync{}, func(*witness.End) {})
}

// It makes no difference that we send, as long as the system has room for it.
func TestStoppedPeerThatWeSendTo(t *testing.T) {
	testStoppedPeer(t, face.Async{}, func(end *witness.End) {
		for end.Send(protocol.TextMessage("anybody there?"), 0) == nil {
			time.Sleep(50 * time.Millisecond)
		}
	})
}

// testStoppedPeer stops a process that uses a face. What then does with the
// connection to it goes on until that ends.
func testStoppedPeer(t *testing.T, stopped face.Face, then func(end *witness.End)) {
	rig.Need(t)
	t.Parallel()
	forEnds(t, func(t *testing.T, open func(peer, keepalive.Config) *witness.End) {
		p := &program{face: stopped, config: witness.Off}
		end := open(p, witness.Quick)
		end.AwaitPongs(t, 2)
		signal(t, p, syscall.SIGSTOP)
		silent := time.Now()
		go then(end) // ends with the connection
		checkCause(t, end, silent, keepalive.PeerStuck, "the peer is stuck")
	})
}

// A program that reads and never answers pings is stuck too.
func TestPeerThatNeverAnswers(t *testing.T) {
	rig.Need(t)
	t.Parallel()
	forEnds(t, func(t *testing.T, open func(peer, keepalive.Config) *witness.End) {
		end := open(bare{func(_ net.Conn, from *bufio.Reader) { io.Copy(io.Discard, from) }}, witness.Quick)
		checkCause(t, end, time.Now(), keepalive.PeerStuck, "the peer is stuck")
	})
}

// A peer that has stopped reading while we send fills the buffers on the way,
// and then nothing leaves any more, the ping least of all. A Send that waits
// returns when the peer is given up.
func TestPeerThatStopsReading(t *testing.T) {
	rig.Need(t)
	t.Parallel()
	forEnds(t, func(t *testing.T, open func(peer, keepalive.Config) *witness.End) {
		gone := make(chan struct{})
		t.Cleanup(func() { close(gone) })
		end := open(bare{func(net.Conn, *bufio.Reader) { <-gone }}, witness.Quick)
		blocked := make(chan time.Time, 1)
		go func() { blocked <- fill(end, 1<<20) }()
		checkCause(t, end, time.Now(), keepalive.PeerNotReading, "the peer is not reading")
		if returned := <-blocked; returned.Sub(end.Ended) > time.Second {
			t.Errorf("Send returned %v after Recv", returned.Sub(end.Ended))
		}
	})
}

// fill sends messages until that fails, and returns when it did.
func fill(end *witness.End, size int) time.Time {
	data := make([]byte, size)
	for end.Send(protocol.BinaryMessage(data), 0) == nil {
	}
	return time.Now()
}

func signal(t *testing.T, p *program, s syscall.Signal) {
	t.Helper()
	if err := p.process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// checkCause fails the test unless the end gives the peer up in time and for
// the right reason, in its fields and in words.
func checkCause(t *testing.T, end *witness.End, silent time.Time, want keepalive.Cause, words string) {
	t.Helper()
	timeout := end.TimedOut(t, silent)
	if timeout == nil {
		return
	}
	if timeout.Cause != want {
		t.Errorf("%s: cause %v, want %v", end.Name, timeout.Cause, want)
	}
	if !strings.Contains(end.Why.Error(), words) {
		t.Errorf("%s: error says %q, without %q", end.Name, end.Why, words)
	}
}
