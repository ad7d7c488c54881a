package keepalive_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coder/websocket"

	"github.com/tandemws/tandem/keepalive"
)

// A connection of github.com/coder/websocket is watched as it is. Here the
// application receives, so CloseRead is not needed; a peer that does not read
// plays one that is gone.
func ExampleWatch_coder() {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		conn.Write(r.Context(), websocket.MessageText, []byte("hello"))
		<-release // and no Read, so pings are not answered
	}))
	defer server.Close()
	defer close(release)

	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.CloseNow()

	watched := make(chan error, 1)
	go func() {
		watched <- keepalive.Watch(ctx, conn, keepalive.Config{Interval: 20 * time.Millisecond, Timeout: 100 * time.Millisecond})
	}()
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			break // Watch has closed the connection
		}
		fmt.Printf("received %s\n", message)
	}

	var timeout *keepalive.TimeoutError
	if errors.As(<-watched, &timeout) {
		fmt.Println("given up, cause:", timeout.Cause)
	}
	// Output:
	// received hello
	// given up, cause: unknown
}
