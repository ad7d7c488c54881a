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

// An opening is a server on which connections are opened, a few at a time, and
// then end; what counts is its CPU time per connection.
type opening struct{ *server }

func startHandshake(_ Case, name string) (subject, error) {
	server, err := startServer(name, peers.Setup{})
	return opening{server}, err
}

func (o opening) turn(d time.Duration) (sample, error) {
	return clock(o.CPU).time(func() (*load.Result, error) {
		conns, err := openAndClose(o.addr, d)
		return &load.Result{Messages: conns}, err
	})
}

func (o opening) stop() { o.Stop() }

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
