package suite

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestGoroutines counts what idle connections cost a server whose handlers sit
// in Recv: one goroutine each, and in sync one thread for the server; the timers
// of async have none of their own while they wait. The clients are played by hand and cost none.
func TestGoroutines(t *testing.T) {
	const n = 100
	for _, test := range []struct {
		face    Face
		each    int // goroutines of a connection
		further int // of the server
	}{{Sync{}, 1, 1}, {Async{}, 1, 0}} {
		t.Run(test.face.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := NewNetwork()
				server, err := test.face.Serve(func(conn Conn) error {
					_, err := conn.Recv(0)
					return err
				}, "", &Options{Listener: network})
				ok(t, err)
				synctest.Wait()
				before := goroutines(t)
				peers := make([]*Raw, n)
				for i := range peers {
					conn, err := network.Dial(t.Context(), "", "")
					ok(t, err)
					peers[i] = newRaw(conn, protocol.Client)
					peers[i].connect(t)
				}
				time.Sleep(time.Second) // what is short-lived has ended
				synctest.Wait()
				if got, most := goroutines(t)-before, n*test.each+test.further; got > most {
					t.Errorf("%d goroutines for %d connections, want at most %d", got, n, most)
				}
				for _, peer := range peers {
					peer.Close()
				}
				synctest.Wait()
				if got := goroutines(t) - before; got > 0 {
					t.Errorf("%d goroutines are left after the end", got)
				}
				ok(t, server.Close())
			})
		})
	}
}

// goroutines counts those of the caller's bubble: others may be about to end
// outside, after tests with real sockets.
func goroutines(t *testing.T) int {
	t.Helper()
	own := make([]byte, 100)
	header, _, _ := strings.Cut(string(own[:runtime.Stack(own, false)]), "\n")
	at := strings.Index(header, "synctest bubble")
	if at < 0 {
		t.Fatalf("not in a bubble: %s", header)
	}
	all := make([]byte, 4<<20)
	all = all[:runtime.Stack(all, true)]
	return strings.Count(string(all), header[at:])
}
