package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"time"
)

func probeCommand() *command {
	return &command{
		name:     "probe",
		operands: []string{"URL"},
		summary:  "find how long a connection may be idle",
		text: `
Finds how long the path to a ws or wss URL lets a connection be idle. It opens
connections, checks that each is answered a ping, and has them be silent for
growing times: no keepalive, and none of TCP's either. A connection that is
still open after its time is pinged, for routers forget connections without
telling anybody. In the end it says what the shortest silence was that a
connection did not survive, who ended it and how, and recommends an interval
for keepalive. Ctrl-C ends it earlier and prints what is known.

The server must answer pings. One that pings its clients by itself, as most
libraries do by default, keeps the path from being silent; the probe says so.
What TCP's keepalive on the server's side achieves it cannot see.

It takes two to five times the timeout that it finds; when there is none, as
long as --max.

Exit status: 0 when it is known how long a connection may be idle, or that it
may be for --max; 1 when that is not known, as after Ctrl-C, or when the path
never does the same twice; 2 when connections could not be opened, or for a
wrong command line.`,
		setup: func(flags *flag.FlagSet) action {
			var p probeCall
			p.opening.register(flags)
			flags.DurationVar(&p.longest, "max", 2*time.Minute, "the longest `TIME` to be silent for")
			flags.Float64Var(&p.precision, "precision", 5, "how close to come to the timeout, in `PERCENT`")
			flags.IntVar(&p.parallel, "parallel", 8, "open no more than `N` connections at once")
			flags.DurationVar(&p.timeout, "timeout", 5*time.Second, "how much `TIME` to give each pong, and each opening")
			flags.DurationVar(&p.tcpKeepalive, "tcp-keepalive", 0, "have TCP probe every `TIME`, to see whether that is enough; 0: off")
			flags.BoolVar(&p.json, "json", false, "print a JSON object for each connection, and one for the result")
			return p.run
		},
	}
}

// statusProbeError is that of errors, for which 1 would look like a result.
const statusProbeError = 2

// A probeCall is what the command line asks for.
type probeCall struct {
	opening      opening
	longest      time.Duration
	precision    float64 // in per cent
	parallel     int
	timeout      time.Duration
	tcpKeepalive time.Duration
	json         bool

	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// maxParallel keeps a slip of the finger from becoming an attack.
const maxParallel = 64

// check checks the flags.
func (p *probeCall) check() error {
	switch {
	case p.longest < time.Second:
		return errors.New("--max is less than 1s")
	case !(p.precision >= 1 && p.precision <= 50):
		return errors.New("--precision is not between 1 and 50 per cent")
	case p.parallel < 1 || p.parallel > maxParallel:
		return fmt.Errorf("--parallel is not between 1 and %d", maxParallel)
	case p.timeout <= 0:
		return errors.New("--timeout is not more than 0")
	case p.tcpKeepalive < 0:
		return errors.New("--tcp-keepalive is negative")
	}
	return nil
}

// run runs the command. What is known is written also after Ctrl-C and behind
// an error.
func (p *probeCall) run(ctx context.Context, operands []string, std stdio) (status int) {
	if err := p.check(); err != nil {
		fmt.Fprintf(std.err, "tandem probe: %v\n", err)
		return statusUsage
	}
	if p.dial == nil {
		p.dial = p.dialer().DialContext
	}
	url := operands[0]
	s := &search{longest: p.longest, precision: p.precision / 100, parallel: p.parallel}
	report := p.newReport(url, std.out)
	report.begin()
	try := func(ctx context.Context, silence time.Duration) (outcome, error) { return p.try(ctx, url, silence) }
	err := (&probing{search: s, try: try, report: report.trial}).run(ctx)
	report.end(s, err)
	switch {
	case err != nil:
		fmt.Fprintf(std.err, "tandem probe: %s\n", escape(explainRefusal(err)))
		return statusProbeError
	case !s.complete():
		return statusFailed
	}
	return statusOK
}
