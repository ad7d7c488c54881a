package suite

import (
	"testing"
	"testing/synctest"
	"time"
)

// Pongs that come early, late, twice, or for something else.

// TestPongs has a peer answer in many ways. By default every byte is proof of
// life, so what a pong says matters in strict mode alone. The pings come at
// 4 s, 14 s, 24 s; lost is when the peer is given up, 0 if it is not.
func TestPongs(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for _, test := range []struct {
		name         string
		how          answer
		lost, strict time.Duration
		pongs        uint64 // that counted, in strict mode, after 42 s
	}{
		{"at once", atOnce, 0, 0, 4},
		{"just in time", after(5*s - 1), 0, 0, 4},
		{"too late", after(5*s + 1), 9 * s, 9 * s, 0},
		{"twice", twice, 0, 0, 4},
		{"wrong", func(w *watcher, _ int, _ string) { w.pong("wrong") }, 0, 9 * s, 0},
		{"empty", func(w *watcher, _ int, _ string) { w.pong("") }, 0, 9 * s, 0},
		{"longer", func(w *watcher, _ int, payload string) { w.pong(payload + "!") }, 0, 9 * s, 0},
		{"data", func(w *watcher, _ int, _ string) { w.post(w.Text("pong")) }, 0, 9 * s, 0},
		{"ping", func(w *watcher, _ int, payload string) { w.post(w.Frame(9, true, payload)) }, 0, 9 * s, 0},
		{"half a frame", func(w *watcher, i int, _ string) { w.post(w.Text("a longer message")[2*i : 2*i+2]) }, 0, 9 * s, 0},
		{"not any more", firstOf(2), 29 * s, 29 * s, 2},
		{"2nd late", second(after(6 * s)), 19 * s, 19 * s, 1},
		{"2nd just in time", second(after(5*s - ms)), 0, 0, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				for strict, lost := range map[bool]time.Duration{false: test.lost, true: test.strict} {
					synctest.Test(t, func(t *testing.T) {
						e.Options.Keepalive = every10s
						e.Options.Keepalive.Strict = strict
						conn, w := e.watched(t, test.how)
						if lost > 0 {
							givenUp(t, conn, w.opened, lost)
						} else {
							w.until(42 * s)
							alive(t, conn)
						}
						if got := conn.KeepaliveStats().PongsReceived; lost == 0 && strict && got != test.pongs {
							t.Errorf("%d pongs counted, want %d", got, test.pongs)
						}
					})
				}
			})
		})
	}
}

func twice(w *watcher, _ int, payload string) {
	w.pong(payload)
	w.pong(payload)
}

// second answers at once but for the second ping.
func second(how answer) answer {
	return func(w *watcher, i int, payload string) {
		if i == 1 {
			how(w, i, payload)
		} else {
			w.pong(payload)
		}
	}
}

// TestOlderPong has a peer that is one ping behind: each pong is for the ping
// before. That is proof of life for the older ping, and none for the newer one.
func TestOlderPong(t *testing.T) {
	for _, test := range []struct{ timeout, lost time.Duration }{
		{8 * time.Second, 4*time.Second + 8*time.Second}, // nothing came for the first ping
		{15 * time.Second, 0},
	} {
		t.Run(test.timeout.String(), func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = every10s
					e.Options.Keepalive.Strict, e.Options.Keepalive.Timeout = true, test.timeout
					last := ""
					conn, w := e.watched(t, func(w *watcher, i int, payload string) {
						if i > 0 {
							w.pong(last)
						}
						last = payload
					})
					if test.lost > 0 {
						givenUp(t, conn, w.opened, test.lost)
						return
					}
					w.until(time.Hour)
					alive(t, conn)
					if stats := conn.KeepaliveStats(); stats.PingsSent != 360 || stats.PongsReceived != 359 || stats.MinRTT != 10*time.Second {
						t.Errorf("%+v", stats)
					}
				})
			})
		})
	}
}

// TestNewerPong has a peer that answers every third ping: its pong settles the
// older ones too (RFC 6455, section 5.5.3).
func TestNewerPong(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.Keepalive.Strict, e.Options.Keepalive.Timeout = true, 21*time.Second
			conn, w := e.watched(t, func(w *watcher, i int, payload string) {
				if i%3 == 2 {
					w.pong(payload)
				}
			})
			w.until(time.Hour)
			alive(t, conn)
			if stats := conn.KeepaliveStats(); stats.PingsSent != 360 || stats.PongsReceived != 120 || stats.LastRTT != 0 {
				t.Errorf("%+v", stats)
			}
		})
	})
}

// TestEarlyPong has pongs come before any ping, and no answer to the ping: what
// came before it proves nothing.
func TestEarlyPong(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			conn, w := e.watched(t, never)
			for range 39 {
				time.Sleep(100 * time.Millisecond)
				w.pong("early")
				w.pong("")
			}
			givenUp(t, conn, w.opened, 9*time.Second)
			if stats := conn.KeepaliveStats(); stats.PongsReceived != 0 || !stats.LastByte.Equal(w.opened.Add(3900*time.Millisecond)) {
				t.Errorf("%+v", stats)
			}
		})
	})
}

// TestOwnPing has the application ping too, every three seconds and with the
// same payload. The peer answers those pings alone, and that settles the older
// ones of keepalive's.
func TestOwnPing(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = every10s
			e.Options.Keepalive.Strict = true
			conn, w := e.watched(t, func(w *watcher, _ int, payload string) {
				if payload == "own" {
					w.pong(payload)
				}
			})
			for range 120 {
				time.Sleep(3 * time.Second)
				pong, err := conn.Ping([]byte("own"))
				ok(t, err)
				if rtt, err := pong.Wait(time.Second); err != nil || rtt != 0 {
					t.Fatal(rtt, err)
				}
			}
			alive(t, conn)
			if n := len(w.came()); n != 120+36 {
				t.Errorf("%d pings, want 120 of the application's and 36 of keepalive's", n)
			}
			givenUp(t, conn, w.opened, 364*time.Second+every10s.Timeout)
		})
	})
}
