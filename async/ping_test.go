package async_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
)

// TestCloseSeenAfterWait: the grace period ends while a Wait reads, so that no
// attendant is needed then. One is needed when the Wait is over, or the peer's
// close frame is not seen.
func TestCloseSeenAfterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		client, server := wsasync.Pipe(ctx, nil)
		brief, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		server.Recv(brief) // its attendant, and the pong, come late
		pong, err := client.Ping(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if rtt, err := pong.Wait(ctx); err != nil || rtt < 10*time.Millisecond {
			t.Fatalf("Wait returned %v, %v: it should last longer than the grace period", rtt, err)
		}
		begin := time.Now()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("Close took %v: nobody read on the other side", took)
		}
		client.Close()
	})
}
