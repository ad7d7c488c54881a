package keepalive_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// Whoever has a connection and a clock of his own asks the Monitor what to do.
// Here the peer answers the first ping and then is gone.
func ExampleMonitor() {
	start := time.Now()
	var monitor keepalive.Monitor
	monitor.Start(keepalive.Config{Interval: 20 * time.Second, Timeout: 5 * time.Second, Phase: 10 * time.Second}, start)

	seen := keepalive.Evidence{}
	for now := start; ; {
		switch action := monitor.Next(now, &seen); action.Kind {
		case keepalive.Wait:
			now = action.At // as if time had gone by
		case keepalive.Ping:
			fmt.Println("ping at", now.Sub(start))
			seen.PingSent = true
			if seen.LastByte.IsZero() {
				seen.LastByte = now.Add(30 * time.Millisecond)
			}
		case keepalive.Inspect:
			// What the operating system says would go into seen.Transport.
		case keepalive.GiveUp:
			fmt.Println("given up at", now.Sub(start))
			return
		}
	}
	// Output:
	// ping at 10s
	// ping at 30s
	// given up at 35s
}

// A pinger is a keepalive.Target: it has a Monitor behind the lock of its
// connection, and says when it wants to be called again.
type pinger struct {
	mu       sync.Mutex
	monitor  keepalive.Monitor
	lastByte time.Time // set by whoever reads
	pings    int
}

func (p *pinger) Tick(now time.Time) (next time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		seen := keepalive.Evidence{LastByte: p.lastByte, PingSent: p.pings > 0}
		switch action := p.monitor.Next(now, &seen); action.Kind {
		case keepalive.Wait:
			return action.At, p.pings < 3 // enough for an example
		case keepalive.Ping:
			p.pings++
			p.lastByte = now // this peer answers at once
		case keepalive.GiveUp:
			fmt.Println(action.Err)
			return time.Time{}, false
		}
	}
}

// Run is the goroutine that pings for one connection.
func ExampleRun() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	p := new(pinger)
	p.monitor.Start(keepalive.Config{Interval: 5 * time.Millisecond}, time.Now())
	keepalive.Run(ctx, p, nil)
	fmt.Println(p.pings, "pings")
	// Output: 3 pings
}

// A Timer pings for one connection, with no goroutine while nothing is due.
func ExampleTimer() {
	var conn struct {
		pinger
		timer keepalive.Timer
	}
	conn.monitor.Start(keepalive.Config{Interval: time.Hour}, time.Now())
	conn.timer.Start(&conn, time.Now())

	conn.mu.Lock()
	conn.monitor.SetConfig(keepalive.Config{Interval: -1}, time.Now())
	conn.timer.Wake() // the schedule has changed
	conn.mu.Unlock()

	conn.timer.Stop() // closed
	fmt.Println(conn.pings, "pings")
	// Output: 0 pings
}

// A Thread pings for many connections from one goroutine.
func ExampleThread() {
	var thread keepalive.Thread
	var first, second struct {
		pinger
		place keepalive.Entry
	}
	now := time.Now()
	first.monitor.Start(keepalive.Config{Interval: time.Hour}, now)
	second.monitor.Start(keepalive.Config{}, now)
	thread.Add(&first.place, &first, now)
	thread.Add(&second.place, &second, now)
	fmt.Println(thread.Len(), "connections")

	first.place.Stop() // closed
	fmt.Println(thread.Len(), "connection")

	second.mu.Lock()
	second.monitor.SetConfig(keepalive.Config{Interval: -1}, time.Now())
	second.place.Wake() // the schedule has changed
	second.mu.Unlock()
	second.place.Stop()
	fmt.Println(thread.Len(), "connections, and no goroutine")
	// Output:
	// 2 connections
	// 1 connection
	// 0 connections, and no goroutine
}

// Whatever ended a connection may be wrapped; errors.As finds out whether it
// was keepalive, and what it saw.
func ExampleTimeoutError() {
	err := fmt.Errorf("connection lost: %w", &keepalive.TimeoutError{
		Cause:     keepalive.NetworkDead,
		Waited:    20 * time.Second,
		PingSent:  true,
		SinceByte: 39 * time.Second,
	})

	var timeout *keepalive.TimeoutError
	if errors.As(err, &timeout) {
		fmt.Println("silent for", timeout.SinceByte)
		fmt.Println("because:", timeout.Cause)
		fmt.Println("the network's fault:", timeout.Cause == keepalive.NetworkDead)
	}
	fmt.Println(errors.Is(err, keepalive.ErrTimeout))
	// Output:
	// silent for 39s
	// because: network dead
	// the network's fault: true
	// true
}
