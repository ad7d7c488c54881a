//go:build linux

package measure

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/load"
	"github.com/tandemws/tandem/benchmarks/internal/peers"
)

// handshake measures the server's CPU time for a connection that is opened and
// then ends. A few at a time are opened.
func handshake(_ Case, name string, duration time.Duration) (Round, error) {
	server, err := startServer(name, peers.Setup{})
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	if _, err := openAndClose(server.addr, duration/4); err != nil {
		return nil, err
	}
	before, err := server.CPU()
	if err != nil {
		return nil, err
	}
	conns, err := openAndClose(server.addr, duration)
	if err != nil {
		return nil, err
	}
	after, err := server.CPU()
	return Round{CPU: float64(after-before) / float64(conns)}, err
}

func openAndClose(addr string, d time.Duration) (int64, error) {
	const atATime = 8
	var conns atomic.Int64
	var failed error
	var once sync.Once
	var all sync.WaitGroup
	end := time.Now().Add(d)
	for range atATime {
		all.Go(func() {
			for first := true; first || time.Now().Before(end); first = false {
				if err := open(addr); err != nil {
					once.Do(func() { failed = err })
					return
				}
				conns.Add(1)
			}
		})
	}
	all.Wait()
	return conns.Load(), failed
}

// open opens a connection and resets it, so that no port stays occupied.
func open(addr string) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	if _, err := load.Upgrade(nc, ""); err != nil {
		return err
	}
	return nc.(*net.TCPConn).SetLinger(0)
}
