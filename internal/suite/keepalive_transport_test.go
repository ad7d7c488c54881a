package suite

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Keepalive over TLS and over wrapped connections, of which nobody tells what
// became of the bytes.

// TestKeepaliveOverTLS has a link with TLS go dark while the application does
// nothing, receives, or is stuck in a Send: the peer is given up on time.
func TestKeepaliveOverTLS(t *testing.T) {
	for name, call := range map[string]func(*testing.T, Conn){
		"nothing": calls["nothing"], "recv": calls["recv"], "send": calls["send"], "all": calls["all"],
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				for _, byServer := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						s.ServerOptions.TLS, s.ClientOptions.TLS = Certificate(t)
						s.ClientOptions.Keepalive, s.ServerOptions.Keepalive = every10s, keepalive.Config{Interval: noPings}
						if byServer {
							s.ClientOptions.Keepalive, s.ServerOptions.Keepalive = s.ServerOptions.Keepalive, s.ClientOptions.Keepalive
						}
						opened := time.Now()
						conn, other, clientEnd, serverEnd := s.Over(t)
						if byServer {
							conn, other = other, conn
						}
						time.Sleep(17 * time.Second)
						dark(clientEnd, serverEnd)
						var calling sync.WaitGroup
						calling.Go(func() { call(t, conn) })
						givenUp(t, conn, opened, 29*time.Second)
						calling.Wait()
						took(t, opened, 29*time.Second)
						alive(t, other)
						other.CloseNow()
					})
				}
			})
		})
	}
}

// TestKeepaliveOverWrapped is TestDeadLink over a connection of which only Read
// and Write are known.
func TestKeepaliveOverWrapped(t *testing.T) {
	for _, name := range []string{"nothing", "recv", "send", "all"} {
		t.Run(name, func(t *testing.T) {
			EachEnd(t, func(t *testing.T, e End) {
				synctest.Test(t, func(t *testing.T) {
					e.Options.Keepalive = every10s
					ours, theirs := link.NewPipe()
					conn, raw := e.AgainstOver(t, plain{ours}, theirs)
					w := watch(raw, atOnce)
					w.until(17 * time.Second)
					dark(ours, theirs)
					var calling sync.WaitGroup
					calling.Go(func() { calls[name](t, conn) })
					cause := givenUp(t, conn, w.opened, 29*time.Second)
					calling.Wait()
					took(t, w.opened, 29*time.Second)
					if cause.Transport.Known {
						t.Errorf("%+v", cause.Transport)
					}
				})
			})
		})
	}
}

// TestSlowWrapped sends a large message over a slow link whose transport tells
// nothing: that our write moves is enough, if the timeout leaves time for what
// the transport holds behind it.
func TestSlowWrapped(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			e.Options.Keepalive = keepalive.Config{Interval: time.Second, Timeout: 2 * time.Second}
			e.Options.MaxFragmentSize = -1
			ours, theirs := link.NewPipe()
			conn, raw := e.AgainstOver(t, plain{ours}, theirs)
			watch(raw, atOnce)
			link.Impair(ours, slow(100000))
			ok(t, conn.Send(protocol.BinaryMessage(pattern(1<<20)), 0))
			time.Sleep(time.Minute)
			alive(t, conn)
		})
	})
}
