//go:build !race

package suite

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestShutdownMany ends a server, and one inside somebody else's, while 2,000
// clients send and receive over TCP without a pause, and others are opening
// connections. Every client sees code 1001, between two exchanges or in the
// middle of one; whoever was opening was let in and sees it too, or was refused.
// No goroutine is left, which TestMain checks.
func TestShutdownMany(t *testing.T) {
	const clients = 2000
	for _, face := range Faces {
		for _, inside := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, inside another %v", face.Name(), inside), func(t *testing.T) {
				var handlers atomic.Int64
				server, url := startMany(t, face, inside, func(conn Conn) error {
					handlers.Add(1)
					defer handlers.Add(-1)
					return echoing(conn)
				})
				load := &manyClients{face: face, url: url, start: make(chan struct{})}
				for range clients {
					load.connect(t)
				}
				close(load.start)
				load.exchanged.Wait() // each has, once
				stop := make(chan struct{})
				load.keepOpening(stop)
				begun := time.Now()
				if err := server.Shutdown(30 * time.Second); err != nil {
					t.Errorf("Shutdown: %v", err)
				}
				took := time.Since(begun)
				close(stop)
				load.running.Wait()
				if n := handlers.Load(); n != 0 {
					t.Errorf("%d handlers run after the shutdown", n)
				}
				load.report(t, took)
			})
		}
	}
}

// startMany starts a server of its own, or one inside another.
func startMany(t *testing.T, face Face, inside bool, handler func(Conn) error) (s shutting, url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	url = "ws://" + l.Addr().String() + "/"
	if !inside {
		server, err := face.Serve(handler, "", &Options{Listener: l})
		ok(t, err)
		return server, url
	}
	h, err := face.NewHandler(handler, nil)
	ok(t, err)
	web := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() { defer close(served); web.Serve(l) }()
	t.Cleanup(func() { web.Close(); <-served })
	return h, url
}

// manyClients are what a server is loaded with, and what they have seen.
type manyClients struct {
	face      Face
	url       string
	start     chan struct{} // closed when all are connected, which traffic would delay
	running   sync.WaitGroup
	exchanged sync.WaitGroup // until each of the first ones has
	exchanges atomic.Int64

	mu      sync.Mutex
	endings map[string]int
}

// connect opens a connection and has it send and receive until its end.
func (m *manyClients) connect(t *testing.T) {
	t.Helper()
	conn, err := m.face.Connect(m.url, nil)
	ok(t, err)
	m.exchanged.Add(1)
	m.running.Go(func() { m.exchange(conn, m.exchanged.Done) })
}

// keepOpening opens further connections until it is told to stop.
func (m *manyClients) keepOpening(stop chan struct{}) {
	m.running.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			conn, err := m.face.Connect(m.url, nil)
			if err != nil {
				m.note("not let in")
				continue
			}
			m.running.Go(func() { m.exchange(conn, func() {}) })
		}
	})
}

func (m *manyClients) exchange(conn Conn, once func()) {
	<-m.start
	var err error
	for err == nil {
		if err = conn.Send(protocol.TextMessage("to and fro"), 0); err == nil {
			_, err = conn.Recv(0)
		}
		m.exchanges.Add(1)
		once()
		once = func() {}
	}
	<-conn.Done()
	var closed *protocol.CloseError
	switch {
	case !errors.As(conn.Err(), &closed):
		m.note(fmt.Sprint(err))
	case closed.Code() == protocol.GoingAway && closed.Err == nil:
		m.note("1001")
	default:
		m.note(closed.Error())
	}
}

func (m *manyClients) note(ending string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.endings == nil {
		m.endings = make(map[string]int)
	}
	m.endings[ending]++
}

// report fails the test if a client has ended in another way than it should.
func (m *manyClients) report(t *testing.T, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.Logf("%v for the shutdown, %d exchanges, endings %v", took, m.exchanges.Load(), m.endings)
	for ending, n := range m.endings {
		if ending != "1001" && ending != "not let in" {
			t.Errorf("%d clients: %s", n, ending)
		}
	}
}
