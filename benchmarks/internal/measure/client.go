//go:build linux

package measure

import (
	"errors"
	"fmt"
	"net"
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

// An asking is a process of clients, of which the load is the server; what counts
// is its CPU time per message that it sends and receives.
type asking struct {
	*process.Process
	over     atomic.Bool
	answered chan error // how the load has ended
}

func startClient(c Case, name string) (subject, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	program, name, err := programOf(name)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(program, clientFlag, name, listener.Addr().String(), fmt.Sprint(c.Conns), fmt.Sprint(c.Size))
	if err != nil {
		return nil, err
	}
	group, err := load.Accept(listener, c.Conns, load.Answers(c.Size, name != "raw"))
	if err != nil {
		p.Stop()
		return nil, err
	}
	a := &asking{Process: p, answered: make(chan error, 1)}
	go a.answer(group)
	_, err = p.Line()
	if err != nil {
		a.stop()
	}
	return a, err
}

// answer is the load. When it fails, so do the clients.
func (a *asking) answer(group *load.Group) {
	a.answered <- group.Answer(&a.over)
	close(a.answered)
	group.Close()
}

func (a *asking) turn(d time.Duration) (sample, error) {
	return clock(a.CPU).time(func() (*load.Result, error) {
		answer, err := a.Ask(d.String())
		if err != nil {
			return nil, errors.Join(err, a.end())
		}
		messages, err := strconv.ParseInt(answer, 10, 64)
		return &load.Result{Messages: messages}, err
	})
}

// end ends the load, and returns why it has failed if it has.
func (a *asking) end() error {
	a.over.Store(true)
	return <-a.answered
}

func (a *asking) stop() {
	a.end()
	a.Stop()
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
