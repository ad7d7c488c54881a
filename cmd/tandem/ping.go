package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
)

func pingCommand() *command {
	return &command{
		name:     "ping",
		operands: []string{"URL"},
		summary:  "measure round trips, as ping(8) does",
		text: `
Connects to a ws or wss URL, sends WebSocket pings and prints the round-trip
time of each pong, until Ctrl-C or --count. At the end it prints the loss and
the least, average and greatest round-trip time; the jitter is the average
difference between one and the next.

Exit status: 0 when a pong came, 1 when none did, 2 when the connection could
not be opened or was lost, or for a wrong command line.`,
		setup: func(flags *flag.FlagSet) action {
			var p pingCall
			p.opening.register(flags)
			flags.IntVar(&p.count, "count", 0, "stop after `N` pings; 0: go on until Ctrl-C")
			flags.DurationVar(&p.interval, "interval", time.Second, "the `TIME` between two pings")
			flags.DurationVar(&p.timeout, "timeout", 10*time.Second, "how much `TIME` to give each pong, and to the opening")
			return p.run
		},
	}
}

// statusPingError is that of ping(8) for errors other than a missing answer.
const statusPingError = 2

// A pingCall is what the command line asks for.
type pingCall struct {
	opening  opening
	count    int
	interval time.Duration
	timeout  time.Duration
}

// shortestInterval keeps a slip of the finger from becoming a flood.
const shortestInterval = time.Millisecond

// check checks the flags, all of which have good defaults.
func (p *pingCall) check() error {
	switch {
	case p.count < 0:
		return errors.New("--count is negative")
	case p.interval < shortestInterval:
		return fmt.Errorf("--interval is less than %v", shortestInterval)
	case p.timeout <= 0:
		return errors.New("--timeout is not more than 0")
	}
	return nil
}

// run runs the command. What was seen before an error is written all the same.
func (p *pingCall) run(ctx context.Context, operands []string, std stdio) (status int) {
	stats, err := p.ping(ctx, operands[0], std.out)
	switch {
	case err != nil:
		fmt.Fprintf(std.err, "tandem ping: %s\n", escape(err.Error()))
		return statusPingError
	case stats.received == 0:
		return statusFailed
	}
	return statusOK
}

// ping connects, pings and writes what it sees. Its own pings are the only
// ones, and nobody gives the peer up: that is for who watches.
func (p *pingCall) ping(ctx context.Context, url string, out io.Writer) (stats pingStats, err error) {
	if err := p.check(); err != nil {
		return stats, err
	}
	opts := p.opening.options()
	opts.OpenTimeout, opts.CloseTimeout = p.timeout, time.Second
	opts.Keepalive = keepalive.Config{Interval: -1}
	opts.MaxMessageSize = -1 // nothing is kept of what the peer sends
	conn, err := wsasync.Connect(ctx, url, opts)
	if err != nil {
		return stats, err
	}
	defer conn.Close()
	fmt.Fprintf(out, "PING %s (%v)\n", escape(url), conn.RemoteAddr())
	s := pinging{call: p, conn: conn, out: out}
	err = s.run(ctx)
	fmt.Fprintf(out, "\n--- %s ---\n%s", escape(url), &s.stats)
	return s.stats, err
}

// A pinging is one under way.
type pinging struct {
	call  *pingCall
	conn  *wsasync.ClientConn
	out   io.Writer
	stats pingStats

	waiting sync.WaitGroup
	results chan pingResult
}

// A pingResult is what became of one ping.
type pingResult struct {
	seq int
	rtt time.Duration
	err error
}

// maxWaiting bounds the pings that wait for their pongs. The connection knows
// no more of them either.
const maxWaiting = 64

// run pings until the count is reached and all have been answered or given up,
// ctx ends, or the connection does.
func (s *pinging) run(ctx context.Context) error {
	s.results = make(chan pingResult, maxWaiting)
	s.waiting.Go(func() { discard(s.conn) }) // ends with the connection
	ctx, cancel := context.WithCancel(ctx)
	err := s.loop(ctx)
	cancel()
	s.conn.Close()
	s.waiting.Wait()
	close(s.results)
	for r := range s.results { // that came at the last moment
		s.note(r)
	}
	return err
}

// loop sends a ping at each tick, the first at once, and takes results as they
// come; a ticker drops the ticks that nobody waits for.
func (s *pinging) loop(ctx context.Context) error {
	ticks := time.NewTicker(s.call.interval)
	defer ticks.Stop()
	s.send(ctx)
	for out := 1; out > 0 || s.more(); {
		due := ticks.C
		if !s.more() || out == maxWaiting {
			due = nil
		}
		select {
		case <-due:
			s.send(ctx)
			out++
		case r := <-s.results:
			s.note(r)
			out--
		case <-s.conn.Done():
			return s.conn.Err()
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// more reports whether there are pings to send.
func (s *pinging) more() bool { return s.call.count == 0 || s.stats.sent < s.call.count }

// send sends a ping, in a goroutine that ends with its pong, at the time-out or
// with ctx, so that neither a pong nor a peer that does not read holds up the
// next one.
func (s *pinging) send(ctx context.Context) {
	s.stats.sent++
	seq := s.stats.sent
	s.waiting.Go(func() {
		rtt, err := s.roundTrip(ctx)
		s.results <- pingResult{seq, rtt, err}
	})
}

// roundTrip sends a ping and waits for its pong. The payload is random, so that
// a late pong of another ping is not taken for this one's.
func (s *pinging) roundTrip(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, s.call.timeout)
	defer cancel()
	pong, err := s.conn.Ping(ctx, nil)
	if err != nil {
		return 0, err
	}
	return pong.Wait(ctx)
}

// note counts a result and writes a line. Other errors than the time-out are
// none of the ping's: the connection has ended or the user has.
func (s *pinging) note(r pingResult) {
	switch {
	case r.err == nil:
		s.stats.add(r.rtt)
		fmt.Fprintf(s.out, "pong from %v: seq=%d rtt=%s\n", s.conn.RemoteAddr(), r.seq, milliseconds(r.rtt))
	case errors.Is(r.err, context.DeadlineExceeded):
		fmt.Fprintf(s.out, "no pong for seq=%d within %v\n", r.seq, s.call.timeout)
	}
}
