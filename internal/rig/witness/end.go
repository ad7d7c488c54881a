package witness

import (
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/protocol"
)

// patience bounds what takes no time when all is well.
const patience = 30 * time.Second

// Loopback is where a server listens that was given no listener.
const Loopback = "127.0.0.1:0"

// An Acceptor is a server whose connections are handed to the test.
type Acceptor struct {
	face.Server
	accepted chan face.Conn
}

// Accept starts a server that does not compress: rigs send zeros to fill a
// link, and these would become next to nothing. It ends with the test.
func Accept(t testing.TB, f face.Face, opts face.Options) *Acceptor {
	t.Helper()
	opts.Compression.Disabled = true
	a := &Acceptor{accepted: make(chan face.Conn, 16)}
	server, err := f.Serve(func(conn face.Conn) error {
		a.accepted <- conn
		<-conn.Done() // the test has it until then
		return nil
	}, Loopback, &opts)
	if err != nil {
		t.Fatalf("%s server: %v", f.Name(), err)
	}
	a.Server = server
	t.Cleanup(func() { server.Close() })
	return a
}

// Next returns the next connection. It ends with the test.
func (a *Acceptor) Next(t testing.TB) face.Conn {
	t.Helper()
	select {
	case conn := <-a.accepted:
		t.Cleanup(conn.CloseNow)
		return conn
	case <-time.After(patience):
		t.Fatal("the server has accepted no connection")
		return nil
	}
}

// Dial connects a client that does not compress either. The connection ends
// with the test.
func Dial(t testing.TB, f face.Face, url string, opts face.Options) face.Conn {
	t.Helper()
	opts.Compression.Disabled = true
	conn, err := f.Connect(url, &opts)
	if err != nil {
		t.Fatalf("%s client: %v", f.Name(), err)
	}
	t.Cleanup(conn.CloseNow)
	return conn
}

// An End is one end of a connection, whose messages are received as they come.
type End struct {
	face.Conn
	Name     string
	Received chan protocol.Message // what came; as long as one is not taken, others are dropped
	Ended    time.Time             // when Recv said so; set before Received is closed
	Why      error                 // what it said
}

// Attend receives for conn until it ends.
func Attend(name string, conn face.Conn) *End {
	e := &End{Conn: conn, Name: name, Received: make(chan protocol.Message, 1)}
	go e.receive() // ends with the connection
	return e
}

// Neglect does not receive for conn, and notes how it ends.
func Neglect(name string, conn face.Conn) *End {
	e := &End{Conn: conn, Name: name, Received: make(chan protocol.Message)}
	go func() { // ends with the connection
		<-conn.Done()
		e.Ended, e.Why = time.Now(), conn.Err()
		close(e.Received)
	}()
	return e
}

func (e *End) receive() {
	defer close(e.Received)
	for {
		m, err := e.Recv(0)
		if err != nil {
			e.Ended, e.Why = time.Now(), err
			return
		}
		select {
		case e.Received <- m:
		default: // whoever wants them all takes one before the next is sent
		}
	}
}

// Await waits for a message, for no longer than d.
func (e *End) Await(d time.Duration) (text string, ok bool) {
	select {
	case m, ok := <-e.Received:
		return string(m.Data), ok
	case <-time.After(d):
		return "", false
	}
}

// AwaitEnd waits until the connection has ended, for no longer than d.
func (e *End) AwaitEnd(d time.Duration) (ended bool) {
	over := time.After(d)
	for {
		select {
		case _, more := <-e.Received:
			if !more {
				return true
			}
		case <-over:
			return false
		}
	}
}

// Alive fails the test unless a message comes from one end to the other, each
// way.
func Alive(t testing.TB, a, b *End) {
	t.Helper()
	carries(t, a, b)
	carries(t, b, a)
}

func carries(t testing.TB, from, to *End) {
	t.Helper()
	if err := from.Send(protocol.TextMessage("to the "+to.Name), patience); err != nil {
		t.Fatalf("%s: Send: %v", from.Name, err)
	}
	if text, ok := to.Await(patience); text != "to the "+to.Name {
		t.Fatalf("%s: received %q (%v) from the %s", to.Name, text, ok, from.Name)
	}
}

// AwaitPongs waits until n of the end's keepalive pings were answered.
func (e *End) AwaitPongs(t testing.TB, n uint64) {
	t.Helper()
	over := time.After(patience)
	for e.KeepaliveStats().PongsReceived < n {
		select {
		case <-time.After(5 * time.Millisecond): // nothing tells when a pong comes
		case <-e.Done():
			t.Fatalf("%s: ended before it was answered: %v", e.Name, e.Err())
		case <-over:
			t.Fatalf("%s: no pongs: %+v", e.Name, e.KeepaliveStats())
		}
	}
}
