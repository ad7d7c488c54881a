package peers

import (
	"net"
	"sync"
	"testing"
	"time"
)

// A tap passes TCP connections on to a server and records what goes each way.
type tap struct {
	t        *testing.T
	listener net.Listener
	sessions chan *session // in the order of their beginning

	mu     sync.Mutex
	target string
}

// A session is the record of one connection.
type session struct {
	client, server []byte        // what each of them has sent
	done           chan struct{} // closed when both have ended
}

// newTap starts a tap in front of target.
func newTap(t *testing.T, target string) *tap {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tap := &tap{t: t, listener: listener, sessions: make(chan *session, 64), target: target}
	var accepting sync.WaitGroup
	accepting.Go(tap.accept) // ends with the listener
	t.Cleanup(func() {
		listener.Close()
		accepting.Wait()
	})
	return tap
}

// address is where to connect to.
func (tap *tap) address() string { return tap.listener.Addr().String() }

// pointAt changes the server for connections to come.
func (tap *tap) pointAt(target string) {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	tap.target = target
}

// accept serves the connections until the listener is closed, and waits for
// their ends.
func (tap *tap) accept() {
	var passing sync.WaitGroup
	defer passing.Wait()
	for {
		client, err := tap.listener.Accept()
		if err != nil {
			return
		}
		s := &session{done: make(chan struct{})}
		tap.sessions <- s
		passing.Go(func() { tap.pass(client, s) }) // ends with the connection
	}
}

// pass passes one connection on.
func (tap *tap) pass(client net.Conn, s *session) {
	defer close(s.done)
	defer client.Close()
	tap.mu.Lock()
	target := tap.target
	tap.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		tap.t.Errorf("tap: %v", err)
		return
	}
	defer server.Close()
	var ways sync.WaitGroup
	ways.Go(func() { s.client = copyAll(server, client) })
	ways.Go(func() { s.server = copyAll(client, server) })
	ways.Wait()
}

// copyAll copies from src to dst until src ends, has dst see that end, and
// returns what it has copied.
func copyAll(dst, src net.Conn) (copied []byte) {
	defer dst.(*net.TCPConn).CloseWrite()
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		copied = append(copied, buf[:n]...)
		if _, failed := dst.Write(buf[:n]); failed != nil || err != nil {
			return copied
		}
	}
}

// next returns the record of the next connection, when it has ended.
func (tap *tap) next(t *testing.T) *session {
	t.Helper()
	timeout := time.After(patience)
	select {
	case s := <-tap.sessions:
		select {
		case <-s.done:
			return s
		case <-timeout:
			t.Fatal("the recorded connection does not end")
		}
	case <-timeout:
		t.Fatal("nobody connected through the tap")
	}
	return nil
}

// all returns the records of all connections so far, when they have ended.
func (tap *tap) all(t *testing.T) (sessions []*session) {
	t.Helper()
	for range len(tap.sessions) {
		sessions = append(sessions, tap.next(t))
	}
	return sessions
}
