//lint:file-ignore SA1019 connections of nhooyr.io/websocket are the subject

package keepalive_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"nhooyr.io/websocket"

	"github.com/tandemws/tandem/keepalive"
)

// A connection of nhooyr.io/websocket is watched as it is. This one only sends,
// so CloseRead reads the pongs. A Watcher measures the latency.
func ExampleWatcher_nhooyr() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for { // whoever reads answers pings
			if _, _, err := conn.Read(r.Context()); err != nil {
				return
			}
		}
	}))
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.CloseNow()
	conn.CloseRead(context.Background())

	watcher := new(keepalive.Watcher)
	watcher.Pong = func(rtt time.Duration) {
		if watcher.Stats().PongsReceived >= 3 {
			cancel() // enough for an example
		}
	}
	err = watcher.Watch(ctx, conn, keepalive.Config{Interval: 20 * time.Millisecond})
	fmt.Println(err)

	stats := watcher.Stats()
	fmt.Println("latency known:", stats.SmoothedRTT > 0)
	fmt.Println("at least three pongs:", stats.PongsReceived >= 3)
	// Output:
	// context canceled
	// latency known: true
	// at least three pongs: true
}
