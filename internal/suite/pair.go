package suite

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/link"
)

// A Setting is what a test is run with: the faces of both sides, and what they
// are told.
type Setting struct {
	Client, Server               Face
	ClientOptions, ServerOptions Options
}

// Each runs test as a subtest for each of the four pairs of faces.
func Each(t *testing.T, test func(t *testing.T, s Setting)) {
	for _, client := range Faces {
		for _, server := range Faces {
			t.Run(client.Name()+"-"+server.Name(), func(t *testing.T) {
				test(t, Setting{Client: client, Server: server})
			})
		}
	}
}

// Plain returns the setting without compression, for tests of what many bytes
// on their way do: the test's are easily compressed.
func (s Setting) Plain() Setting {
	s.ClientOptions.Compression.Disabled = true
	s.ServerOptions.Compression.Disabled = true
	return s
}

// Pair connects a client and a server through the opening handshake, over the
// two ends of a transport. The test has both as values; the server's handler
// waits for the end of its connection. Both are closed with the test.
func (s Setting) Pair(t *testing.T, clientEnd, serverEnd net.Conn) (client, server Conn) {
	t.Helper()
	accepted := make(chan Conn, 1)
	listener := newListener(transport(serverEnd))
	s.ServerOptions.Listener = listener
	s.ClientOptions.NetConn = transport(clientEnd)
	serving, err := s.Server.Serve(func(conn Conn) error {
		accepted <- conn
		<-conn.Done()
		return nil
	}, "", &s.ServerOptions)
	if err != nil {
		t.Fatal(err)
	}
	url := "ws://tandem.test/"
	if s.ClientOptions.TLS != nil {
		url = "wss://tandem.test/"
	}
	client, err = s.Client.Connect(url, &s.ClientOptions)
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() {
		client.CloseNow()
		server.CloseNow()
		serving.Shutdown(time.Second)
	})
	return client, server
}

// Over is Pair over an in-memory transport whose ends it returns too, to be
// impaired with [link.Impair].
func (s Setting) Over(t *testing.T) (client, server Conn, clientEnd, serverEnd net.Conn) {
	t.Helper()
	clientEnd, serverEnd = link.NewPipe()
	client, server = s.Pair(t, clientEnd, serverEnd)
	return client, server, clientEnd, serverEnd
}

// A listener accepts one connection that is there already.
type listener struct {
	conns chan net.Conn
	addr  net.Addr
	once  sync.Once
	done  chan struct{}
}

func newListener(conn net.Conn) *listener {
	l := &listener{conns: make(chan net.Conn, 1), addr: conn.LocalAddr(), done: make(chan struct{})}
	l.conns <- conn
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }
