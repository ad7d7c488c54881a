package suite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestFirstPing has the first ping come at the phase, and not later than the
// interval whatever is asked for; and then one every interval.
func TestFirstPing(t *testing.T) {
	const interval = 10 * time.Second
	for _, test := range []struct{ phase, first time.Duration }{
		{1, 1}, {3 * time.Second, 3 * time.Second}, {interval, interval}, {2 * interval, interval}, {-1, interval},
	} {
		t.Run(test.phase.String(), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = keepalive.Config{Interval: interval, Timeout: 5 * time.Second, Phase: test.phase}
					conn, w := e.watched(t, atOnce)
					w.until(test.first - 1)
					w.expectPings(t)
					w.until(e.comes(test.first + 2*interval))
					w.expectPings(t, test.first, e.comes(test.first+interval), e.comes(test.first+2*interval))
					alive(t, conn)
				})
			})
		})
	}
}

// comes returns when a ping comes that is due then, after a wait: in async, all
// that are due within the same five milliseconds come at their end.
func (e End) comes(due time.Duration) time.Duration {
	if _, async := e.Face.(Async); !async {
		return due
	}
	return (due + keepalive.DefaultSlack - 1).Truncate(keepalive.DefaultSlack)
}

// TestFirstPingSpread opens many connections at once whose first pings come
// at different times, all over the interval. That all of 60 miss the first or
// the last third of it happens once in 10^10 runs.
func TestFirstPingSpread(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			const interval = 9 * time.Second
			e.Options.Keepalive = keepalive.Config{Interval: interval}
			var watchers []*watcher
			for range 60 {
				_, w := e.watched(t, atOnce)
				watchers = append(watchers, w)
			}
			time.Sleep(interval)
			seen := map[time.Duration]bool{}
			early, late := false, false
			for _, w := range watchers {
				first := w.came()
				if len(first) != 1 {
					t.Fatalf("pings at %v, want one within (0, %v]", first, interval)
				}
				seen[first[0]] = true
				early, late = early || first[0] < interval/3, late || first[0] > interval*2/3
			}
			if len(seen) < 50 || !early || !late {
				t.Errorf("%d different phases, early %v, late %v", len(seen), early, late)
			}
		})
	})
}

// TestPingsForADay has pings come every interval for a day, without drift
// although the interval is odd, and counts them.
func TestPingsForADay(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			const interval, phase = 60*time.Second + 7, 3 * time.Second
			e.Options.Keepalive = keepalive.Config{Interval: interval, Timeout: 5 * time.Second, Phase: phase}
			conn, w := e.watched(t, after(time.Second))
			time.Sleep(24 * time.Hour)
			pings := w.came()
			if want := int((24*time.Hour-phase)/interval) + 1; len(pings) != want {
				t.Fatalf("%d pings, want %d", len(pings), want)
			}
			for i, at := range pings {
				if at != e.comes(phase+time.Duration(i)*interval) {
					t.Fatalf("ping %d came after %v", i, at)
				}
			}
			stats := conn.KeepaliveStats()
			if stats.PingsSent != uint64(len(pings)) || stats.PongsReceived != uint64(len(pings)) ||
				stats.LastRTT != time.Second || stats.SmoothedRTT != time.Second || stats.MinRTT != time.Second {
				t.Errorf("%+v", stats)
			}
		})
	})
}

// TestBothKeepAlive has two ends that both ping, idle for a day.
func TestBothKeepAlive(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.Keepalive = keepalive.Config{Interval: 2 * time.Minute, Phase: 7 * time.Second}
			s.ServerOptions.Keepalive = keepalive.Config{Interval: 5 * time.Minute, Phase: 5 * time.Minute}
			client, server, _, _ := s.Over(t)
			time.Sleep(24 * time.Hour)
			alive(t, client)
			alive(t, server)
			for conn, want := range map[Conn]uint64{client: 720, server: 288} {
				if stats := conn.KeepaliveStats(); stats.PingsSent != want || stats.PongsReceived != want {
					t.Errorf("%d pings, %d pongs, want %d", stats.PingsSent, stats.PongsReceived, want)
				}
			}
		})
	})
}

// TestRTT measures the round trip: the peer takes 70 ms, and each direction
// carries ten bytes in ten milliseconds, which is enough for a ping or a pong.
func TestRTT(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = keepalive.Config{Interval: 10 * time.Second, Phase: 10 * time.Second}
			conn, w, ours, theirs := e.watchedOver(t, after(70*time.Millisecond))
			if rtt := conn.Latency(); rtt != 0 {
				t.Errorf("latency %v before the first pong", rtt)
			}
			w.until(11 * time.Second)
			if rtt := conn.Latency(); rtt != 70*time.Millisecond {
				t.Errorf("latency %v, want 70ms", rtt)
			}
			link.Impair(ours, link.Impairment{Rate: 1000})
			link.Impair(theirs, link.Impairment{Rate: 1000})
			w.until(21 * time.Second)
			stats := conn.KeepaliveStats()
			if conn.Latency() != 90*time.Millisecond || stats.LastRTT != 90*time.Millisecond || stats.MinRTT != 70*time.Millisecond ||
				stats.SmoothedRTT != 72500*time.Microsecond { // RFC 6298: 7/8 of 70 ms and 1/8 of 90
				t.Errorf("%+v", stats)
			}
			if want := w.opened.Add(20*time.Second + 90*time.Millisecond); !stats.LastByte.Equal(want) {
				t.Errorf("last byte at %v, want %v", stats.LastByte, want)
			}
		})
	})
}

// TestTimeout gives up a peer that stops answering: with a timeout shorter and
// longer than the interval, and as long.
func TestTimeout(t *testing.T) {
	const interval, phase = 10 * time.Second, 4 * time.Second
	for _, timeout := range []time.Duration{3 * time.Second, interval, 25 * time.Second} {
		t.Run(timeout.String(), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = keepalive.Config{Interval: interval, Timeout: timeout, Phase: phase}
					conn, w := e.watched(t, firstOf(2))
					unanswered := phase + 2*interval
					cause := givenUp(t, conn, w.opened, unanswered+timeout)
					if cause.Cause != keepalive.PeerStuck || !cause.PingSent || cause.Waited != timeout ||
						cause.SinceByte != timeout+interval || !cause.PingDue.Equal(w.opened.Add(unanswered)) {
						t.Errorf("%v: %+v", cause, *cause)
					}
					want := []time.Duration{phase, phase + interval}
					for at := unanswered; at < unanswered+timeout; at += interval {
						want = append(want, at)
					}
					w.expectPings(t, want...)
					<-w.ended
					if got := w.others(); len(got) != 1 || got[0] != `close "\x03\xf3keepalive ping timeout"` {
						t.Errorf("the peer received %v", got)
					}
				})
			})
		})
	}
}

// TestKeepaliveOff sends no pings, and gives nobody up.
func TestKeepaliveOff(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = keepalive.Config{Interval: noPings, Timeout: time.Second}
			conn, w := e.watched(t, never)
			time.Sleep(24 * time.Hour)
			w.expectPings(t)
			alive(t, conn)
		})
	})
}

// TestNoTimeout pings a peer that never answers, for ever: it keeps the path
// open. When the peer does not even read, nothing piles up: the pings that it
// reads in the end are no more than the connection remembers.
func TestNoTimeout(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = keepalive.Config{Interval: 10 * time.Second, Timeout: -1, Phase: 10 * time.Second}
			conn, w, ours, _ := e.watchedOver(t, never)
			time.Sleep(time.Hour)
			alive(t, conn)
			if n := len(w.came()); n != 360 {
				t.Errorf("%d pings in an hour, want 360", n)
			}
			link.Impair(ours, link.Impairment{Dark: true})
			go conn.Send(protocol.BinaryMessage(pattern(200<<10)), 0) // fills the path
			time.Sleep(24 * time.Hour)
			alive(t, conn)
			link.Impair(ours, link.Impairment{})
			time.Sleep(time.Second)
			if n := len(w.came()); n < 361 || n > 360+65 {
				t.Errorf("%d pings were written after a day without any, want at most 65", n-360)
			}
			if stats := conn.KeepaliveStats(); stats.PongsReceived != 0 || stats.LastRTT != 0 {
				t.Errorf("%+v", stats)
			}
		})
	})
}
