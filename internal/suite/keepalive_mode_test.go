package suite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
)

// TestIdleMode has a peer that says something at 7 s and 20 s: it is pinged an
// interval after the last byte, that of its pongs included, and given up as
// ever when it says nothing.
func TestIdleMode(t *testing.T) {
	const s = time.Second
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.Keepalive.Mode = keepalive.ModeIdle
			conn, w := e.watched(t, firstOf(2))
			for _, at := range []time.Duration{7 * s, 20 * s} {
				w.until(at)
				w.post(w.Text("hello"))
			}
			givenUp(t, conn, w.opened, 35*s)
			w.expectPings(t, 4*s, 17*s, 30*s)
		})
	})
}

// TestPongMode has a peer that never says anything: it gets pongs and is never
// given up; and pings as soon as that is changed.
func TestPongMode(t *testing.T) {
	const s = time.Second
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.Keepalive.Mode = keepalive.ModePong
			conn, w := e.watched(t, never)
			w.until(3600 * s)
			if n := len(w.pongs()); n != 360 {
				t.Errorf("%d pongs in an hour, want one each 10 s", n)
			}
			if sent := conn.KeepaliveStats().PingsSent; sent != 0 {
				t.Errorf("%d pings counted", sent)
			}
			alive(t, conn)
			conn.SetKeepalive(every10s)
			givenUp(t, conn, w.opened, 3609*s)
			w.expectPings(t, 3604*s)
		})
	})
}
