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

// Before a peer is given up whoever reads has to have had a turn, where the
// transport says nothing of what it knows.

// aloof is such a transport. Its reader has no turn for a while when he has read
// something.
type aloof struct {
	transport
	turn time.Duration
	deaf error // reads cannot be interrupted; errDeaf: and the transport says so
}

var errDeaf, errSilentlyDeaf = errors.New("no deadlines here"), errors.New("")

func (a *aloof) inspect() keepalive.Transport { return keepalive.Transport{} }

func (a *aloof) setReadDeadline(at time.Time) error {
	switch a.deaf {
	case errDeaf:
		return errDeaf
	case errSilentlyDeaf:
		return nil
	}
	return a.transport.setReadDeadline(at)
}

func (a *aloof) read(in *input) error {
	err := a.transport.read(in)
	if in.n > 0 {
		time.Sleep(a.turn)
	}
	return err
}

// The interval and the timeout here.
const lookInterval, lookTimeout = 11 * time.Second, 2 * time.Second

// open returns a connection over such a transport, and its peer's end.
func (a *aloof) open(strict, threaded bool) (c *Conn, peer net.Conn) {
	ours, theirs := NewPipe()
	cfg := keepalive.Config{Interval: lookInterval, Timeout: lookTimeout, Phase: lookInterval, Strict: strict}
	c = opened(ours, Options{Role: protocol.Client, Keepalive: cfg})
	a.transport = c.tr()
	c.setTransport(a) // nobody reads yet
	c.SetRunner(newRunner(c, threaded))
	c.StartKeepalive()
	return c, theirs
}

// TestReaderHasNoTurn: keepalive is on time, and who reads is not. A peer that
// answers is not given up, though its answers lie here for longer than the timeout,
// whether any byte counts or the pong alone.
func TestReaderHasNoTurn(t *testing.T) {
	for _, turn := range []time.Duration{lookTimeout / 2, lookTimeout, lookTimeout + 1, 5 * lookTimeout / 4, 2*lookTimeout + lookTimeout/5} {
		for _, strict := range []bool{false, true} {
			for _, threaded := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					c, theirs := (&aloof{turn: turn}).open(strict, threaded)
					peer := opened(theirs, Options{Role: protocol.Server})
					time.Sleep(time.Hour)
					if c.State() != protocol.Open {
						t.Errorf("turn %v, strict %t, thread %t: given up: %v", turn, strict, threaded, c.Err())
					}
					end(c, peer)
				})
			}
		}
	}
}

// TestReaderIsAskedInVain: a peer that answers nothing is given up on time by a
// reader who has nothing to do, and after one more timeout by one who never has a
// turn again, or whom nothing interrupts.
func TestReaderIsAskedInVain(t *testing.T) {
	const onTime, late = lookInterval + lookTimeout, lookInterval + 2*lookTimeout + lookTimeout/4 + 1
	for name, test := range map[string]struct {
		deaf  error
		stray bool // something comes, with which the reader is busy for ever
		want  time.Duration
	}{
		"a reader who waits":                 {nil, false, onTime},
		"a reader who has no turn":           {nil, true, late},
		"reads cannot be interrupted":        {errDeaf, false, onTime},
		"... which nobody says":              {errSilentlyDeaf, false, late},
		"... and the reader has no turn":     {errDeaf, true, onTime},
		"... nor does he, which nobody says": {errSilentlyDeaf, true, late},
	} {
		for _, receives := range []bool{false, true} {
			for _, threaded := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, receives=%t, thread=%t", name, receives, threaded), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c, theirs := (&aloof{turn: time.Hour, deaf: test.deaf}).open(false, threaded)
						if receives {
							go c.Receive(nil)
						}
						if test.stray {
							time.Sleep(lookInterval - 1)
							theirs.Write([]byte{0x8a, 0}) // a pong that belongs to no ping
						}
						checkGivenUp(t, c, test.want)
					})
				})
			}
		}
	}
}

// checkGivenUp fails the test unless the peer is given up so long after the
// connection's beginning.
func checkGivenUp(t *testing.T, c *Conn, want time.Duration) {
	time.Sleep(time.Until(c.start().Add(want - 1)))
	synctest.Wait()
	if c.State() != protocol.Open {
		t.Errorf("given up sooner than %v after the beginning", want)
	}
	time.Sleep(time.Nanosecond)
	synctest.Wait()
	c.lock()
	how := c.proto.CloseError()
	c.unlock()
	var lost *keepalive.TimeoutError
	if c.State() == protocol.Open || !errors.As(how, &lost) || lost.Cause != keepalive.Unknown {
		t.Errorf("%v after the beginning: %v, %v; want a time-out for unknown reasons", want, c.State(), how)
	}
	end(c)
}

// TestNobodyReads: only pongs count, and one has come behind a message a moment
// before the time is over. The application has the message, and nobody looks at
// what is behind it, as long as the peer is not about to be given up; or whoever
// has read both has no turn before that.
func TestNobodyReads(t *testing.T) {
	for _, turn := range []time.Duration{0, 10 * time.Millisecond} {
		for _, threaded := range []bool{false, true} {
			testNobodyReads(t, turn, threaded)
		}
	}
}

func testNobodyReads(t *testing.T, turn time.Duration, threaded bool) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := (&aloof{turn: turn}).open(true, threaded)
		peer := opened(theirs, Options{Role: protocol.Server})
		time.Sleep(lookInterval - 1)
		Impair(theirs, Impairment{Dark: true}) // all takes its time
		peer.Send(nil, protocol.TextMessage("first"))
		go c.Receive(nil)
		time.Sleep(lookTimeout - 5*time.Millisecond)
		Impair(theirs, Impairment{})
		time.Sleep(time.Minute)
		if c.State() != protocol.Open {
			t.Errorf("turn after %v, thread %t: given up: %v", turn, threaded, c.Err())
		}
		end(c, peer)
	})
}

// TestStalePoke: who was to be woken did not read. The next one who does can be
// woken all the same.
func TestStalePoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := NewPipe()
		c, peer := opened(ours, Options{Role: protocol.Client}), opened(theirs, Options{Role: protocol.Server})
		Impair(theirs, Impairment{Dark: true}) // nothing else wakes it
		c.lock()
		c.askReader(time.Now())
		c.looking(time.Now()) // in vain
		c.unlock()
		start := time.Now()
		time.AfterFunc(time.Second, func() {
			c.lock()
			defer c.unlock()
			c.fail(protocol.InternalError, "", errors.New("failed"))
		})
		if _, err := c.Receive(After(time.Hour)); err == nil || time.Since(start) > 2*time.Second {
			t.Errorf("received %v after %v", err, time.Since(start))
		}
		end(c, peer)
	})
}

// TestNobodyReadsAndNothingComes: then whoever begins to read does so for a
// moment, and the peer is given up.
func TestNobodyReadsAndNothingComes(t *testing.T) {
	for _, threaded := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, theirs := new(aloof).open(true, threaded)
			go c.Receive(nil)
			time.Sleep(lookInterval + lookTimeout - 5*time.Millisecond)
			theirs.Write([]byte("\x81\x02no")) // a message, and no pong
			checkGivenUp(t, c, lookInterval+lookTimeout+10*time.Millisecond)
		})
	}
}
