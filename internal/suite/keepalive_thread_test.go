package suite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// The thread that sync's connections have, each client its own or shared.

// frozen is a clock that stands still for a while, as seen by a process that is
// stopped, and then is right again.
type frozen struct{ from, until time.Time }

func (f *frozen) now() time.Time {
	if now := time.Now(); now.Before(f.from) || !now.Before(f.until) {
		return now
	}
	return f.from
}

// TestLateThread stops the thread of two clients for a minute, in which the
// ping of each is due and nothing gets through: both ping again before they
// judge, and only the one whose peer has gone gives up.
func TestLateThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &frozen{time.Now().Add(20 * time.Second), time.Now().Add(80 * time.Second)}
		thread := &keepalive.Thread{Now: clock.now}
		e := End{Face: Sync{}, Role: protocol.Client, Options: Options{Keepalive: every10s, Thread: thread}}
		alone, w, ours1, theirs1 := e.watchedOver(t, atOnce)
		living, _, ours2, theirs2 := e.watchedOver(t, atOnce)
		w.until(20 * time.Second)
		dark(ours1, theirs1, ours2, theirs2)
		w.until(80 * time.Second)
		link.Impair(ours2, link.Impairment{})
		link.Impair(theirs2, link.Impairment{})
		alive(t, alone)
		// The thread looks at its clock every 4 s while that stands still, for
		// so long it is until the ping at 24 s; so it goes on at 80 s.
		givenUp(t, alone, w.opened, 80*time.Second+every10s.Timeout)
		time.Sleep(time.Hour)
		alive(t, living)
		if n := thread.Len(); n != 1 {
			t.Errorf("%d connections are on the thread, want the one that lives", n)
		}
	})
}

// TestSharedThread has clients share a thread, one of which is stuck in a Send:
// the others are pinged on time, and closing one does not end the rest.
func TestSharedThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		thread := &keepalive.Thread{Slack: -1} // on time means exactly then
		e := End{Face: Sync{}, Role: protocol.Client, Options: Options{Keepalive: every10s, Thread: thread}}
		stuck, _ := e.Against(t)
		go stuck.Send(protocol.BinaryMessage(pattern(1<<20)), 0)
		var watchers []*watcher
		for range 20 {
			conn, w := e.watched(t, atOnce)
			watchers = append(watchers, w)
			if len(watchers)%2 == 0 {
				conn.CloseNow()
			}
		}
		time.Sleep(15 * time.Second)
		for i, w := range watchers {
			if i%2 == 0 {
				w.expectPings(t, 4*time.Second, 14*time.Second)
			} else {
				w.expectPings(t)
			}
		}
		if n := thread.Len(); n != 10 {
			t.Errorf("%d connections are on the thread, want 10", n)
		}
	})
}
