package suite

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestGoroutines counts what idle connections cost a server whose handlers sit
// in Recv: one goroutine each in sync, with one thread for the server; two each
// in async. The clients are played by hand and cost none.
func TestGoroutines(t *testing.T) {
	const n = 100
	for _, test := range []struct {
		face    Face
		each    int // goroutines of a connection
		further int // of the server
	}{{Sync{}, 1, 1}, {Async{}, 2, 0}} {
		t.Run(test.face.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := NewNetwork()
				server, err := test.face.Serve(func(conn Conn) error {
					_, err := conn.Recv(0)
					return err
				}, "", &Options{Listener: network})
				ok(t, err)
				synctest.Wait()
				before := runtime.NumGoroutine()
				peers := make([]*Raw, n)
				for i := range peers {
					conn, err := network.Dial(t.Context(), "", "")
					ok(t, err)
					peers[i] = newRaw(conn, protocol.Client)
					peers[i].connect(t)
				}
				time.Sleep(time.Second) // what is short-lived has ended
				synctest.Wait()
				if got, most := runtime.NumGoroutine()-before, n*test.each+test.further; got > most {
					t.Errorf("%d goroutines for %d connections, want at most %d", got, n, most)
				}
				for _, peer := range peers {
					peer.Close()
				}
				synctest.Wait()
				if got := runtime.NumGoroutine() - before; got > 0 {
					t.Errorf("%d goroutines are left after the end", got)
				}
				ok(t, server.Close())
			})
		})
	}
}
