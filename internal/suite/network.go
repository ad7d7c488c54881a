package suite

import (
	"bytes"
	"context"
	"net"
	"sync"
	"syscall"

	"github.com/tandemws/tandem/internal/link"
)

// A Network is a listener in memory, and the way to connect to it: a network
// for the virtual time of testing/synctest.
type Network struct{ *listener }

// NewNetwork returns a network whose server is listening.
func NewNetwork() Network {
	return Network{&listener{conns: make(chan net.Conn), addr: networkAddr{}, done: make(chan struct{})}}
}

// Dial connects to the listener, whatever the address.
func (n Network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := link.NewPipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-n.done:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type networkAddr struct{}

func (networkAddr) Network() string { return "memory" }
func (networkAddr) String() string  { return "memory" }

// A Log keeps what is logged.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
