package link

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestReceiveWhileJudged receives what is in the queue while the application is
// asked whether the next message is the answer to a heartbeat: both come whole.
func TestReceiveWhileJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heartbeat, asked, answer := judging("two")
		c, peer := open(t, Options{Keepalive: keepalive.Config{Heartbeat: heartbeat}})
		peer.Write(append(clientFrame(protocol.OpText, []byte("one")), clientFrame(protocol.OpText, []byte("two"))...))
		<-asked // by the attendant
		for _, want := range []string{"one", "two"} {
			m, err := c.Receive(After(time.Second))
			if string(m.Data) != want {
				t.Errorf("%q, %v, want %q", m.Data, err, want)
			}
			if want == "one" {
				answer <- false
			}
		}
	})
}

// TestReaderWhileJudged receives a message in pieces that comes while the application
// is asked about it. The next one has begun to arrive, and is not to be received in
// pieces by who wants it whole.
func TestReaderWhileJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heartbeat, asked, answer := judging("one")
		c, peer := open(t, Options{Keepalive: keepalive.Config{Heartbeat: heartbeat}})
		two := clientFrame(protocol.OpText, []byte("two, and more of it"))
		peer.Write(append(clientFrame(protocol.OpText, []byte("one")), two[:10]...))
		<-asked // by the attendant
		var reading sync.WaitGroup
		reading.Go(func() {
			_, r, err := c.ReceiveReader(nil)
			if err != nil {
				t.Error(err)
				return
			}
			if data, err := io.ReadAll(r); string(data) != "one" || err != nil {
				t.Errorf("%q, %v", data, err)
			}
		})
		synctest.Wait()
		answer <- false
		reading.Wait()
		time.AfterFunc(time.Second, func() { peer.Write(two[10:]) })
		if m, err := c.Receive(nil); string(m.Data) != "two, and more of it" || err != nil {
			t.Errorf("%q, %v", m.Data, err)
		}
	})
}

// judging returns heartbeats, and tells when the application is asked whether this message
// is an answer, which it is to be told.
func judging(message string) (_ *keepalive.Heartbeat, asked <-chan struct{}, answer chan<- bool) {
	ask, told := make(chan struct{}), make(chan bool)
	return &keepalive.Heartbeat{
		Message: func() []byte { return []byte("beat") },
		Answer: func(data []byte) bool {
			if string(data) != message {
				return false
			}
			close(ask)
			return <-told
		},
	}, ask, told
}

// TestPingsOfPause: a peer that sent pings while reading was paused, behind a
// message, has not sent too many, whichever way that is received.
func TestPingsOfPause(t *testing.T) {
	for name, receive := range map[string]receiveCall{"quick": (*Conn).receive, "long": receiveLong} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := open(t, Options{MaxControlFrames: 100, MaxQueue: 1})
				peer.Write(clientFrame(protocol.OpText, []byte("one")))
				time.Sleep(time.Second) // the attendant has queued it, and paused
				frames := clientFrame(protocol.OpText, []byte("two"))
				for range 900 {
					frames = append(frames, clientFrame(protocol.OpPing, nil)...)
				}
				peer.Write(append(frames, clientFrame(protocol.OpText, []byte("three"))...))
				time.Sleep(10 * time.Second)
				for _, want := range []string{"one", "two", "three"} {
					if _, data, err := receive(c, nil, nil, receivingMessage); string(data) != want {
						t.Fatalf("%q, %v, want %q", data, err, want)
					}
				}
			})
		})
	}
}
