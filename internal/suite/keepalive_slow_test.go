package suite

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A link that moves slowly is not dead.

// slow gives the direction in which an end sends a rate, in bytes a second.
func slow(rate int) link.Impairment { return link.Impairment{Rate: rate} }

// TestLargeMessage sends 64 MiB over a link that takes 20 s for them, with
// keepalive on both sides: the sender's pings wait behind data, and so do the
// receiver's pongs. Nobody is given up. The race detector makes do with less,
// on a link that is as much slower.
func TestLargeMessage(t *testing.T) {
	size := 64 << 20
	if Race {
		size = 8 << 20
	}
	Each(t, func(t *testing.T, s Setting) {
		s = s.Plain()
		for _, fragments := range []int{0, -1} { // from the client in many frames, from the server in one
			synctest.Test(t, func(t *testing.T) {
				for _, opts := range []*Options{&s.ClientOptions, &s.ServerOptions} {
					opts.Keepalive = keepalive.Config{Interval: 2 * time.Second, Timeout: time.Second}
					opts.MaxMessageSize = int64(size)
					opts.MaxFragmentSize = fragments
				}
				sender, receiver, clientEnd, serverEnd := s.Over(t)
				if fragments < 0 {
					sender, receiver = receiver, sender
				}
				link.Impair(clientEnd, slow(size/20))
				link.Impair(serverEnd, slow(size/20))
				message := bytes.Repeat(pattern(1<<10), size>>10)
				sent := make(chan error, 1)
				begun := time.Now()
				go func() { sent <- sender.Send(protocol.BinaryMessage(message), 0) }()
				m, err := receiver.Recv(0)
				if err != nil || !bytes.Equal(m.Data, message) {
					t.Fatalf("received %d bytes, %v", len(m.Data), err)
				}
				ok(t, <-sent)
				if d := time.Since(begun); d < 19*time.Second {
					t.Errorf("took only %v", d)
				}
				alive(t, sender)
				alive(t, receiver)
			})
		}
	})
}

var everySecond = keepalive.Config{Interval: time.Second, Timeout: 500 * time.Millisecond, Phase: 400 * time.Millisecond}

// TestSwallowed sends a message that the transport takes at once, and delivers
// in half a minute: pings wait behind it, first in the transport and then at our
// door, and the peer is not given up while anything moves. When the link then
// goes dark it is, a timeout after the last byte that was acknowledged.
func TestSwallowed(t *testing.T) {
	for _, goesDark := range []bool{false, true} {
		t.Run(fmt.Sprintf("dark=%v", goesDark), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = everySecond
					conn, w, ours, _ := e.watchedOver(t, atOnce)
					link.Impair(ours, slow(2000))
					ok(t, conn.Send(protocol.BinaryMessage(pattern(60000)), 0))
					ok(t, conn.Flush())
					took(t, w.opened, 0)
					if goesDark {
						const last = 15 * time.Second
						w.until(last + 5*time.Millisecond) // between two ticks of the path
						dark(ours)
						if cause := givenUp(t, conn, w.opened, last+everySecond.Timeout); cause.Cause != keepalive.NetworkDead {
							t.Error(cause)
						}
						return
					}
					w.until(31 * time.Second)
					alive(t, conn)
					if n := len(w.came()); n < 30 {
						t.Errorf("%d pings have arrived behind the message", n)
					}
					w.until(time.Minute)
					alive(t, conn)
				})
			})
		})
	}
}

// TestSlowPeer has a peer that sends data all the time, over a slow link, with
// its pong behind a minute of them: it lives by default, and is given up in
// strict mode.
func TestSlowPeer(t *testing.T) {
	for _, strict := range []bool{false, true} {
		t.Run(fmt.Sprintf("strict=%v", strict), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = everySecond
					e.Options.Keepalive.Strict = strict
					conn, w, _, theirs := e.watchedOver(t, atOnce)
					link.Impair(theirs, slow(1000))
					w.post(w.Text(strings.Repeat("x", 60000)))
					if strict {
						givenUp(t, conn, w.opened, everySecond.Phase+everySecond.Timeout)
						return
					}
					expect(t, conn, strings.Repeat("x", 60000))
					w.until(70 * time.Second)
					alive(t, conn)
				})
			})
		})
	}
}

// TestPingBetweenFragments sends a large message over a slow link, which takes
// a second for a fragment: pings go out between two of them, and so wait no
// longer than for one fragment and what the transport holds.
func TestPingBetweenFragments(t *testing.T) {
	const rate, fragment, held = 100000, 100000, 64 << 10
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.MaxFragmentSize = fragment
			conn, w, ours, _ := e.watchedOver(t, atOnce)
			link.Impair(ours, slow(rate))
			ok(t, conn.Send(protocol.BinaryMessage(pattern(30*fragment)), 0))
			pings := w.came()
			if len(pings) != 3 {
				t.Errorf("pings came at %v while 30 s went by", pings)
			}
			for i, at := range pings {
				due := every10s.Phase + time.Duration(i)*every10s.Interval
				if late, most := at-due, time.Second*(fragment+held)/rate+100*time.Millisecond; late < 0 || late > most {
					t.Errorf("the ping due at %v came after %v, want at most %v", due, late, most)
				}
			}
		})
	})
}
