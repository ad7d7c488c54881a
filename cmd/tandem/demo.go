package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

func demoCommand() *command {
	return &command{
		name:    "demo",
		summary: "show what keepalive does when a link goes silent",
		text: `
Shows keepalive at work, on loopback and alone: a server, one sync and one async
client that ping it through a proxy, and a third client behind a slow link. After
some seconds the proxy goes silent without closing anything. Both clients have to
notice in time and say why; the third one, whose pongs wait behind a large
message, has to stay.

Exit status: 0 when all that should happen happened in time, 1 when something
did not.`,
		setup: func(*flag.FlagSet) action {
			return func(ctx context.Context, _ []string, std stdio) int {
				return runDemo(ctx, &usualPlan, std)
			}
		},
	}
}

// A demoPlan says what happens when.
type demoPlan struct {
	interval time.Duration // between two pings
	timeout  time.Duration // for a sign of life
	healthy  time.Duration // until the fault
	row      time.Duration // between two lines of output
	rate     int           // of the slow link, in bytes/s
	message  int           // bytes that go over it
	limit    time.Duration // for all of it, once everybody is connected
}

// usualPlan lasts about ten seconds. The large message is on its way for nine
// of them: long after the others have been given up, and several times as long
// as a ping may go without a sign of life.
var usualPlan = demoPlan{
	interval: 500 * time.Millisecond,
	timeout:  2 * time.Second,
	healthy:  4 * time.Second,
	row:      500 * time.Millisecond,
	rate:     256 << 10,
	message:  9 * 256 << 10,
	limit:    19 * time.Second,
}

// allowed is how long after the last byte a dead link has to be reported:
// interval + timeout, and some room for a busy machine.
func (p *demoPlan) allowed() time.Duration {
	most := p.interval + p.timeout
	return most + most/10 + 500*time.Millisecond
}

// errLimit ends a demo in which something that should happen does not.
var errLimit = errors.New("the demo takes too long")

// runDemo runs the plan and tells whether all went as it should.
func runDemo(ctx context.Context, plan *demoPlan, std stdio) (status int) {
	d := &demo{plan: plan, out: std.out}
	defer d.close()
	if err := d.open(ctx); err != nil {
		fmt.Fprintf(std.err, "tandem demo: %s\n", escape(err.Error()))
		return statusFailed
	}
	d.introduce()
	limited, cancel := context.WithTimeoutCause(ctx, plan.limit, errLimit)
	defer cancel()
	d.play(limited)
	if ctx.Err() != nil { // by the user, who has seen enough
		return statusFailed
	}
	if !d.writeFindings(d.findings()) {
		return statusFailed
	}
	return statusOK
}

// A demo is one under way. What is not said to be another's belongs to the
// goroutine that plays it.
type demo struct {
	plan  *demoPlan
	out   io.Writer
	begun time.Time

	server *demoServer
	mortal [2]*mortal // whose links will go silent: sync and async
	slow   *slowpoke

	ended   chan *ending
	arrived chan *arrival

	faultAt time.Time // zero: not yet
}

// open starts the server, the links and the clients.
func (d *demo) open(ctx context.Context) (err error) {
	if d.server, err = startDemoServer(d.plan.message); err != nil {
		return err
	}
	d.ended = make(chan *ending, len(d.mortal))
	d.arrived = make(chan *arrival, 1)
	for i, connect := range []connector{connectSync, connectAsync} {
		if d.mortal[i], err = newMortal(ctx, d, connect); err != nil {
			return err
		}
	}
	d.slow, err = newSlowpoke(ctx, d)
	d.begun = time.Now()
	return err
}

// close ends everything that was started. The order lets each goroutine see
// the end of what it waits for.
func (d *demo) close() {
	for _, m := range d.mortal {
		m.close()
	}
	d.slow.close()
	d.server.close()
}

// play lets the demo happen: until both mortals have ended and the slow client
// is done, or time is over.
func (d *demo) play(ctx context.Context) {
	rows := time.NewTicker(d.plan.row)
	defer rows.Stop()
	fault := time.After(d.plan.healthy)
	for !d.over() {
		select {
		case <-fault:
			d.strike()
		case end := <-d.ended:
			end.who.end = end
			d.tellEnd(end)
		case d.slow.end = <-d.arrived:
			d.tellArrival()
		case <-rows.C:
			d.tellRow()
		case <-ctx.Done():
			d.tell("stopped: %v", context.Cause(ctx))
			return
		}
	}
}

// over reports that nothing more will happen.
func (d *demo) over() bool {
	return d.mortal[0].end != nil && d.mortal[1].end != nil && d.slow.end != nil
}

// strike makes the links of the mortals go silent.
func (d *demo) strike() {
	for _, m := range d.mortal {
		m.pongs = m.conn.KeepaliveStats().PongsReceived
		m.link.silence()
	}
	d.faultAt = time.Now()
	d.tellFault()
}
