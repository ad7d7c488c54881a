package async_test

import (
	"context"
	"fmt"
	"log"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
)

// A handler is tested with no network. In a test it also runs in virtual time;
// see TestIdleForADay beside this example.
func ExamplePipe() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	handled := make(chan error, 1)
	go func() { handled <- echo(server.Context(), server) }()

	if err := client.SendText(ctx, "hello"); err != nil {
		log.Fatal(err)
	}
	msg, err := client.Recv(ctx)
	fmt.Println(msg, err)
	fmt.Println(client.Close())
	fmt.Println(<-handled)
	// Output:
	// hello <nil>
	// <nil>
	// <nil>
}

// TestIdleForADay shows how an application's test gets through a day in no
// time: everything that a Pipe waits for is in the bubble.
func TestIdleForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := wsasync.Pipe(t.Context(), &wsasync.PipeOptions{
			Client: wsasync.ClientOptions{Keepalive: keepalive.Config{Interval: time.Minute}},
			Server: wsasync.ServerOptions{Keepalive: keepalive.Config{Interval: -1}},
		})
		go echo(server.Context(), server)

		// Pings are due at a random moment of each minute: not at its end.
		time.Sleep(24*time.Hour + time.Nanosecond)
		synctest.Wait()

		if got := client.KeepaliveStats().PongsReceived; got != 24*60 {
			t.Errorf("%d pongs in a day, want one a minute", got)
		}
		if err := client.Close(); err != nil {
			t.Errorf("the connection did not live: %v", err)
		}
	})
}
