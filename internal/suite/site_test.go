package suite

import (
	"bufio"
	"context"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A site is where clients connect to again and again. What becomes of an
// attempt the test says, and can change at any time.
type site struct {
	t *testing.T

	mu       sync.Mutex
	began    time.Time
	does     Dialer
	attempts []time.Duration // when they came, since the site began
}

func newSite(t *testing.T, does Dialer) *site { return &site{t: t, began: time.Now(), does: does} }

// Dial is one attempt.
func (s *site) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	s.attempts = append(s.attempts, time.Since(s.began))
	does := s.does
	s.mu.Unlock()
	return does(ctx, network, address)
}

// becomes changes what is done with attempts from now on.
func (s *site) becomes(does Dialer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.does = does
}

// came returns when the attempts came.
func (s *site) came() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts
}

// inOrder does with each attempt what is next in the list, and with further
// ones what is last.
func inOrder(list ...Dialer) Dialer {
	var mu sync.Mutex
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		does := list[0]
		list = list[min(1, len(list)-1):]
		mu.Unlock()
		return does(ctx, network, address)
	}
}

// down: nobody listens.
func down(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }

// unreachable: nothing comes back, not even a refusal.
func unreachable(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// playing: a server that is played by hand, until play returns.
func playing(play func(conn net.Conn, req *http.Request)) Dialer {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := link.NewPipe()
		go func() { // ends with play, or with the client
			defer theirs.Close()
			if req, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
				play(theirs, req)
			}
		}()
		return ours, nil
	}
}

// silent: a connection that is not answered.
var silent = playing(func(conn net.Conn, _ *http.Request) { io.Copy(io.Discard, conn) })

// saying: an answer that is none of WebSocket's.
func saying(answer string) Dialer {
	return playing(func(conn net.Conn, _ *http.Request) {
		io.WriteString(conn, strings.ReplaceAll(answer, "\n", "\r\n")+"\r\n\r\n")
	})
}

// refusing: a status, with a header field if it is not empty.
func refusing(status, field string) Dialer {
	return saying(strings.TrimSuffix("HTTP/1.1 "+status+"\nContent-Length: 0\n"+field, "\n"))
}

// dropping: the opening handshake is completed, and then TCP ends.
var dropping = playing(func(conn net.Conn, req *http.Request) {
	if _, header, err := new(protocol.Acceptor).Accept(req); err == nil {
		response, _ := protocol.AppendResponse(nil, header, time.Now())
		conn.Write(response)
	}
})

// ending: the connection ends in place of an answer.
var ending = playing(func(net.Conn, *http.Request) {})

// up has a handler served, and returns the way there. Keepalive is left to the
// clients. The server ends with the test.
func up(t *testing.T, handler func(Conn) error) Dialer {
	t.Helper()
	network := NewNetwork()
	server, err := Sync{}.Serve(handler, "", &Options{Listener: network, Keepalive: keepalive.Config{Interval: noPings}})
	ok(t, err)
	t.Cleanup(func() { server.Shutdown(time.Second) })
	return network.Dial
}

// limits is a Delay that chooses the whole limit, so that all is known.
func limits(_ int, limit time.Duration) time.Duration { return limit }

// loop is the application's: body has one connection after the other, until it
// returns false. loop returns the error that is the last element.
func loop(t *testing.T, conns iter.Seq2[Conn, error], body func(Conn) (more bool)) (last error) {
	t.Helper()
	for conn, err := range conns {
		if last != nil {
			t.Errorf("the loop goes on after %v", last)
		}
		if last = err; err == nil && !body(conn) {
			break
		}
	}
	return last
}

// again is a body that goes on at once.
func again(Conn) bool { return true }
