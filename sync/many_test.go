//go:build !race

// A hundred thousand connections are too many for the race detector.

package sync_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// manyConns are the connections of TestManyConnections: clients on one thread,
// and servers that never ping.
type manyConns struct {
	thread  keepalive.Thread
	clients []*wssync.ClientConn
	servers []*wssync.ServerConn

	opened time.Time
	slots  [500]atomic.Int64 // how many pings left in each tenth of a second
	late   atomic.Int64      // by how many ns the latest ping was
}

const tenth = 100 * time.Millisecond

// pingSent is a hook. Those of several connections may be called at once.
func (m *manyConns) pingSent(_ keepalive.Conn, late time.Duration) {
	m.slots[time.Since(m.opened)/tenth].Add(1)
	for old := m.late.Load(); int64(late) > old && !m.late.CompareAndSwap(old, int64(late)); {
		old = m.late.Load()
	}
}

// open opens n connections within a second.
func (m *manyConns) open(n int) {
	m.opened = time.Now()
	opts := &wssync.PipeOptions{
		Client: wssync.ClientOptions{
			KeepaliveThread: &m.thread,
			Hooks:           &keepalive.Hooks{PingSent: m.pingSent},
			Compression:     protocol.Deflate{Disabled: true}, // zeros fill a link
		},
		Server: wssync.ServerOptions{Keepalive: keepalive.Config{Interval: -1}, MaxQueue: 1},
	}
	for range n {
		client, server := wssync.Pipe(opts)
		m.clients, m.servers = append(m.clients, client), append(m.servers, server)
		time.Sleep(time.Second / time.Duration(n))
	}
}

func (m *manyConns) close() {
	for i := range m.clients {
		m.clients[i].CloseNow()
		m.servers[i].CloseNow()
	}
}

// TestManyConnections has a thread see to a hundred thousand connections that
// were opened within a second. All are pinged in time and answered, never many
// at once, and one whose peer does not read delays nobody and is given up
// alone.
func TestManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, intervals = 100_000, 2
		var m manyConns
		defer m.close()
		m.open(n)
		stuck := m.clients[0]
		for range 2 { // one fills the peer's queue, the other the link
			go stuck.SendBinary(make([]byte, 1<<20)) // ends when the peer is given up
		}
		time.Sleep(intervals * (keepalive.DefaultInterval + keepalive.DefaultSlack)) // each ping may be so late
		synctest.Wait()
		m.expectInTime(t, n*tenth/keepalive.DefaultInterval)
		for i, conn := range m.clients[1:] {
			s := conn.KeepaliveStats()
			if s.PongsReceived < intervals || s.PongsReceived < s.PingsSent || conn.Err() != nil {
				t.Fatalf("connection %d: %+v, %v", i, s, conn.Err())
			}
		}
		expectStuck(t, stuck)
		if got := m.thread.Len(); got != n-1 {
			t.Errorf("%d are on the thread, want all but one of %d", got, n)
		}
	})
}

// expectInTime looks when pings left, of which share would leave in each tenth
// of a second if they were spread evenly.
func (m *manyConns) expectInTime(t *testing.T, share time.Duration) {
	t.Helper()
	if late := time.Duration(m.late.Load()); late > keepalive.DefaultSlack {
		t.Errorf("a ping was %v late", late)
	}
	for i := range m.slots {
		if got := m.slots[i].Load(); got > 2*int64(share) {
			t.Errorf("%d pings left from %v on, more than twice %d", got, time.Duration(i)*tenth, share)
		}
	}
}

func expectStuck(t *testing.T, conn *wssync.ClientConn) {
	t.Helper()
	var timeout *keepalive.TimeoutError
	if err := conn.Err(); !errors.As(err, &timeout) || timeout.Cause != keepalive.PeerNotReading {
		t.Errorf("the connection whose peer does not read: %v", err)
	}
}
