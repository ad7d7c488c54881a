package suite

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// TestDerivedContext makes calls with a context that is derived from the
// connection's, as a handler does that bounds them. It ends with the connection,
// and yet the error is how that ended, also of calls that were waiting.
func TestDerivedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := wsasync.Pipe(t.Context(), nil)
		ctx, cancel := context.WithTimeout(client.Context(), time.Hour)
		defer cancel()
		calls := []func() error{
			func() error { return client.SendText(ctx, "text") },
			func() error { return client.SendBinary(ctx, pattern(1<<20), wsasync.WithCompression(false)) },
			func() error { _, err := client.SendWriter(ctx, protocol.Text); return err },
			func() error { return client.Flush(ctx) },
			func() error { _, err := client.Ping(ctx, nil); return err },
			func() error { return client.Pong(ctx, nil) },
			func() error { _, err := client.Recv(ctx); return err },
		}
		var waiting sync.WaitGroup
		waiting.Go(func() { client.SendBinary(ctx, pattern(1<<20), wsasync.WithCompression(false)) }) // the peer does not receive
		synctest.Wait()
		for _, call := range calls {
			waiting.Go(func() {
				if err := call(); err != nil { // a ping leaves between fragments
					is(t, err, protocol.ErrClosed)
				}
			})
			synctest.Wait()
		}
		server.CloseNow()
		<-client.Done()
		waiting.Wait()
		for _, call := range calls {
			is(t, call(), protocol.ErrClosed)
		}
	})
}
