package link

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Runners that are late, as in a process that was stopped, or that have very
// many connections.

// onThread is package sync's runner.
type onThread struct {
	thread *keepalive.Thread
	entry  keepalive.Entry
	target keepalive.Target
	ended  func()
}

func (r *onThread) Start(first time.Time) { r.thread.Add(&r.entry, r.target, first) }
func (r *onThread) Wake()                 { r.entry.Wake() }
func (r *onThread) Stop()                 { r.entry.Stop() }

func (r *onThread) Ended(*protocol.CloseError) {
	if r.ended != nil {
		r.ended()
	}
}

// onTimer is package async's.
type onTimer struct {
	timer  keepalive.Timer
	target keepalive.Target
}

func (r *onTimer) Start(first time.Time)      { r.timer.Start(r.target, first) }
func (r *onTimer) Wake()                      { r.timer.Wake() }
func (r *onTimer) Stop()                      { r.timer.Stop() }
func (r *onTimer) Ended(*protocol.CloseError) {}

func newRunner(target keepalive.Target, threaded bool) Runner {
	if threaded {
		return &onThread{thread: new(keepalive.Thread), target: target}
	}
	return &onTimer{timer: keepalive.Timer{Slack: -1}, target: target} // on time means exactly then
}

// suspended is a connection in a process that is stopped for a while: nobody
// calls its Tick then, and it is called late.
type suspended struct {
	*Conn
	from, until time.Time // guarded by Conn.mu
}

// stop stops the process now.
func (s *suspended) stop(d time.Duration) {
	s.lock()
	defer s.unlock()
	s.from, s.until = time.Now(), time.Now().Add(d)
}

func (s *suspended) Tick(now time.Time) (time.Time, bool) {
	s.lock()
	stopped, until := !now.Before(s.from) && now.Before(s.until), s.until
	s.unlock()
	if stopped {
		return until, true
	}
	return s.Conn.Tick(now)
}

// TestSuspended stops the process for a minute, which is longer than the
// timeout: before the ping at 24 s is due, or while it is unanswered. Nothing
// is read or written meanwhile, and then all at once. It pings again before it
// judges; a peer that is really gone is given up a timeout later.
func TestSuspended(t *testing.T) {
	for _, stopped := range []time.Duration{24*time.Second - 1, 25 * time.Second, 29*time.Second - 1} {
		for _, gone := range []bool{false, true} {
			for _, role := range []protocol.Role{protocol.Client, protocol.Server} {
				for _, threaded := range []bool{false, true} {
					t.Run(fmt.Sprintf("%v/gone=%v/%v/thread=%v", stopped, gone, role, threaded), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { suspend(t, stopped, gone, role, threaded) })
					})
				}
			}
		}
	}
}

func suspend(t *testing.T, stopped time.Duration, gone bool, role protocol.Role, threaded bool) {
	const timeout, suspension = 5 * time.Second, time.Minute
	ours, theirs := NewPipe()
	cfg := keepalive.Config{Interval: 10 * time.Second, Timeout: timeout, Phase: 4 * time.Second}
	begun := time.Now()
	c, peer := opened(ours, Options{Role: role, Keepalive: cfg}), opened(theirs, Options{Role: protocol.Client + protocol.Server - role})
	target := &suspended{c, begun.Add(stopped), begun.Add(stopped + suspension)}
	c.SetRunner(newRunner(target, threaded))
	c.StartKeepalive()

	time.Sleep(23 * time.Second)
	Impair(theirs, Impairment{Dark: true}) // so that the pong is not read before
	time.Sleep(stopped - 23*time.Second)
	Impair(ours, Impairment{Dark: true})
	time.Sleep(suspension - 1)
	if n := c.KeepaliveStats().PingsSent; n > 3 || c.State() != protocol.Open {
		t.Fatalf("%d pings, %v: it was not stopped", n, c.State())
	}
	time.Sleep(time.Nanosecond)
	if gone {
		<-c.Done()
		var cause *keepalive.TimeoutError
		if d := time.Since(begun); d != stopped+suspension+timeout || !errors.As(c.Err(), &cause) || cause.Cause != keepalive.NetworkDead {
			t.Errorf("ended after %v: %v", d, c.Err())
		}
	} else {
		Impair(ours, Impairment{})
		Impair(theirs, Impairment{})
		time.Sleep(time.Hour)
		if c.State() != protocol.Open {
			t.Errorf("not open any more: %v", c.Err())
		}
	}
	end(c, peer)
}

// TestSuspendedAgainAndAgain stops the process most of the time: a peer that
// lives is not given up.
func TestSuspendedAgainAndAgain(t *testing.T) {
	for _, threaded := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := NewPipe()
			c := opened(ours, Options{Role: protocol.Client, Keepalive: keepalive.Config{Interval: 10 * time.Second, Timeout: 5 * time.Second}})
			peer := opened(theirs, Options{Role: protocol.Server})
			target := &suspended{Conn: c}
			c.SetRunner(newRunner(target, threaded))
			c.StartKeepalive()
			for i := range 50 {
				time.Sleep(time.Duration(i%7)*time.Second + 100*time.Millisecond) // a pong takes up to 100 ms
				target.stop(27 * time.Second)
				Impair(ours, Impairment{Dark: true})
				Impair(theirs, Impairment{Dark: true})
				time.Sleep(27 * time.Second)
				Impair(ours, Impairment{})
				Impair(theirs, Impairment{})
			}
			if c.State() != protocol.Open {
				t.Errorf("not open any more: %v", c.Err())
			}
			end(c, peer)
		})
	}
}

// TestThreadOfMany has 10,000 connections on one Thread, one of which is stuck:
// its peer reads nothing, and a Send holds its door. All others are pinged on
// time. Then their peers, who answer nothing, are given up on time too.
func TestThreadOfMany(t *testing.T) {
	const conns, stuck = 10000, 1234
	const interval, timeout = 10 * time.Second, 15 * time.Second
	synctest.Test(t, func(t *testing.T) {
		thread := &keepalive.Thread{Slack: -1} // on time means exactly then
		begun := time.Now()
		phase := func(i int) time.Duration { return time.Duration(i+1) * time.Millisecond }
		all, ended := make([]*Conn, conns), make([]time.Duration, conns)
		for i := range all {
			c := new(Conn)
			c.SetRunner(&onThread{thread: thread, target: c, ended: func() { ended[i] = time.Since(begun) }})
			ours, _ := NewPipe()
			opts := Options{Role: protocol.Server, Keepalive: keepalive.Config{Interval: interval, Timeout: timeout, Phase: phase(i)}}
			c.Init(ours, nil, opts.WithDefaults())
			c.StartKeepalive()
			all[i] = c
		}
		go all[stuck].Send(nil, protocol.BinaryMessage(make([]byte, 1<<20)))

		for round := range 2 {
			for i, c := range all {
				due := time.Duration(round)*interval + phase(i)
				time.Sleep(time.Until(begun.Add(due)))
				synctest.Wait()
				if at := arrived(c).Sub(begun); i != stuck && at != due {
					t.Fatalf("connection %d was pinged %v after the beginning, want %v", i, at, due)
				}
			}
		}
		for i, c := range all {
			<-c.Done()
			if ended[i] != phase(i)+timeout {
				t.Fatalf("connection %d ended %v after the beginning, want %v", i, ended[i], phase(i)+timeout)
			}
		}
	})
}

// arrived returns when the peer's end got the last byte.
func arrived(c *Conn) time.Time {
	out := c.tr().(*pipeEnd).out
	out.pipe.mu.Lock()
	defer out.pipe.mu.Unlock()
	return out.ackedAt
}

// opened returns a connection over one end of a pipe.
func opened(end net.Conn, opts Options) *Conn {
	c := new(Conn)
	c.Init(end, nil, opts.WithDefaults())
	return c
}

// end ends the connections.
func end(conns ...*Conn) {
	for _, c := range conns {
		c.Abort(ErrAborted)
		<-c.Done()
	}
}
