package main

import (
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/tandemws/tandem/keepalive"
)

// floor is what no library can do without: a goroutine waits for each
// connection's bytes, and one more writes a ping to each in turn, to several
// when it wakes. Nothing is looked at, and nobody is given up.
func floor(c clock) string {
	f := &pinging{late: c.late}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			conn := must(listener.Accept())
			go func() {
				must(ws.Upgrade(conn))
				f.add(conn)
				var buf [128]byte
				for {
					if _, err := conn.Read(buf[:]); err != nil {
						return
					}
				}
			}()
		}
	}()
	go f.run()
	return listener.Addr().String()
}

// pinging is connections in the order in which they are pinged.
type pinging struct {
	late *lateness

	mu    sync.Mutex
	conns []pinged
}

type pinged struct {
	conn  net.Conn
	phase time.Duration
}

func (f *pinging) add(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, pinged{conn, rand.N(interval)})
}

// run pings all connections once in each interval.
func (f *pinging) run() {
	begin := time.Now()
	for n := time.Duration(0); ; n++ {
		f.mu.Lock()
		conns := slices.Clone(f.conns)
		f.mu.Unlock()
		slices.SortFunc(conns, func(a, b pinged) int { return int(a.phase - b.phase) })
		for _, x := range conns {
			due := n*interval + x.phase
			if wait := due - time.Since(begin); wait > 0 {
				time.Sleep(wait + keepalive.DefaultSlack)
			}
			x.conn.Write(ws.CompiledPing)
			f.late.add(time.Since(begin) - due)
		}
		time.Sleep((n+1)*interval - time.Since(begin))
	}
}
