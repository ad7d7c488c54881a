package sync_test

import (
	"fmt"
	"log"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	wssync "github.com/tandemws/tandem/sync"
)

// A handler is tested with no network. In a test it also runs in virtual time;
// see TestIdleForADay beside this example.
func ExamplePipe() {
	client, server := wssync.Pipe(nil)
	handled := make(chan error, 1)
	go func() { handled <- echo(server) }()

	if err := client.SendText("hello"); err != nil {
		log.Fatal(err)
	}
	msg, err := client.Recv()
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
		client, server := wssync.Pipe(&wssync.PipeOptions{
			Client: wssync.ClientOptions{Keepalive: keepalive.Config{Interval: time.Minute}},
			Server: wssync.ServerOptions{Keepalive: keepalive.Config{Interval: -1}},
		})
		go echo(server)

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
