package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
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
difference between one and the next. On a terminal a picture of the round trips
is below the latest line: a bar for each, from the shortest to the longest of
those that are shown, and x for a pong that did not come.

With --json each ping is an object on a line of its own, with type "pong" or
"lost", and the last line is one of type "summary". Times are in seconds.

Exit status: 0 when a pong came, 1 when none did, 2 when the connection could
not be opened, or was lost before all was known, or for a wrong command line. A
script that asks whether a server answers:
tandem ping --count 3 URL >/dev/null && echo yes`,
		setup: func(flags *flag.FlagSet) action {
			var p pingCall
			p.opening.register(flags)
			flags.IntVar(&p.count, "count", 0, "stop after `N` pings; 0: go on until Ctrl-C")
			flags.DurationVar(&p.interval, "interval", time.Second, "the `TIME` between two pings")
			flags.DurationVar(&p.timeout, "timeout", 10*time.Second, "how much `TIME` to give each pong, and to the opening")
			flags.BoolVar(&p.json, "json", false, "print a JSON object for each ping, and one for all")
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
	json     bool
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
	if err := p.check(); err != nil {
		fmt.Fprintf(std.err, "tandem ping: %v\n", err)
		return statusUsage
	}
	report := p.newReport(operands[0], std.out)
	stats, err := p.ping(ctx, operands[0], report)
	report.end(stats, err)
	switch {
	case err != nil:
		fmt.Fprintf(std.err, "tandem ping: %s\n", escape(err.Error()))
		return statusPingError
	case stats.received == 0:
		return statusFailed
	}
	return statusOK
}

// ping connects, pings and reports what it sees. Its own pings are the only
// ones, and nobody gives the peer up: that is for who watches.
func (p *pingCall) ping(ctx context.Context, url string, report pingReport) (*pingStats, error) {
	opts := p.opening.options()
	opts.OpenTimeout, opts.CloseTimeout = p.timeout, time.Second
	opts.Keepalive = keepalive.Config{Interval: -1}
	opts.MaxMessageSize = -1 // nothing is kept of what the peer sends
	conn, err := wsasync.Connect(ctx, url, opts)
	if err != nil {
		return new(pingStats), err
	}
	defer conn.Close()
	report.begin(conn.RemoteAddr())
	s := pinging{call: p, conn: conn, report: report}
	err = s.run(ctx)
	return &s.stats, err
}

// A pinging is one under way.
type pinging struct {
	call   *pingCall
	conn   *wsasync.ClientConn
	report pingReport
	stats  pingStats

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
			if errors.Is(r.err, protocol.ErrClosed) { // of which Done would tell too
				s.lost(out)
				return r.err
			}
		case <-s.conn.Done():
			return s.lost(out)
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// lost returns how the connection has ended with so many pings out; nil if it was
// wanted for nothing more, for their pongs had come.
func (s *pinging) lost(out int) error {
	wanted := s.more()
	for range out {
		r := <-s.results // which come now, as the connection has ended
		s.note(r)
		wanted = wanted || r.err != nil
	}
	if wanted {
		return s.conn.Err()
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

// note counts a result and reports it. Other errors than the time-out are
// none of the ping's: the connection has ended or the user has.
func (s *pinging) note(r pingResult) {
	switch {
	case r.err == nil:
		s.stats.add(r.rtt)
		s.report.pong(r.seq, r.rtt)
	case errors.Is(r.err, context.DeadlineExceeded):
		s.report.lost(r.seq)
	}
}
