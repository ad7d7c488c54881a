package async_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	wsasync "github.com/tandemws/tandem/async"
)

// TestPassedContext: a call with a context that has ended does nothing.
func TestPassedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := wsasync.Pipe(t.Context(), nil)
		defer server.CloseNow()
		defer client.CloseNow()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := client.Ping(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Ping returned %v", err)
		}
		if err := client.Pong(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Pong returned %v", err)
		}
		if err := client.Flush(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Flush returned %v", err)
		}
		if sent := client.KeepaliveStats().PingsSent; sent != 0 {
			t.Errorf("%d pings were sent", sent)
		}
	})
}
