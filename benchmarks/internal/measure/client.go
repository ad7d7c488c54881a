//go:build linux

package measure

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandemws/tandem/benchmarks/internal/load"
	"github.com/tandemws/tandem/benchmarks/internal/peers"
	"github.com/tandemws/tandem/benchmarks/internal/process"
)

// clientFlag is the first argument of a process that has clients.
const clientFlag = "-be-client"

// client measures the CPU time of a client's process per message that it sends
// and receives. The load is the server.
func client(c Case, name string, duration time.Duration) (Round, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := process.Start(self, clientFlag, name, listener.Addr().String(), fmt.Sprint(c.Conns), fmt.Sprint(c.Size))
	if err != nil {
		return nil, err
	}
	defer p.Stop()
	group, err := load.Accept(listener, c.Conns, load.Answers(c.Size, name != "raw"))
	if err != nil {
		return nil, err
	}
	defer group.Close()
	var stop atomic.Bool
	answering := make(chan error)
	go func() { answering <- group.Answer(&stop) }()
	r, err := clientRound(p, duration)
	stop.Store(true)
	if e := <-answering; err == nil {
		err = e
	}
	return r, err
}

func clientRound(p *process.Process, duration time.Duration) (Round, error) {
	if _, err := p.Line(); err != nil {
		return nil, err
	}
	if _, err := p.Ask((duration / 4).String()); err != nil {
		return nil, err
	}
	before, err := p.CPU()
	if err != nil {
		return nil, err
	}
	answer, err := p.Ask(duration.String())
	if err != nil {
		return nil, err
	}
	after, err := p.CPU()
	if err != nil {
		return nil, err
	}
	messages, err := strconv.Atoi(answer)
	return Round{CPU: float64(after-before) / float64(messages)}, err
}

// beClient is the process of clients. It answers a duration with how many
// messages were exchanged in it.
func beClient(name, addr, conns, size string) error {
	n, err := strconv.Atoi(conns)
	if err != nil {
		return err
	}
	bytes, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	clients := make([]peers.Client, n)
	for i := range clients {
		if clients[i], err = peers.Connect(name, addr, bytes); err != nil {
			return err
		}
	}
	process.Main("connected", func(duration string) string {
		d, err := time.ParseDuration(duration)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(exchange(clients, d))
	})
	return nil
}

func exchange(clients []peers.Client, d time.Duration) int64 {
	var stop atomic.Bool
	var messages atomic.Int64
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { messages.Add(c(&stop)) })
	}
	time.Sleep(d)
	stop.Store(true)
	all.Wait()
	return messages.Load()
}
