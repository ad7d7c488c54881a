package async_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// A client that stays connected. This server says three words on each
// connection and cuts it.
func ExampleReconnect() {
	ctx := context.Background()
	server, err := wsasync.Serve(ctx, func(ctx context.Context, conn *wsasync.ServerConn) error {
		for _, word := range []string{"one", "two", "three"} {
			conn.SendText(ctx, word)
		}
		conn.Flush(ctx)
		conn.CloseNow()
		return nil
	}, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	opts := &wsasync.ClientOptions{Reconnect: reconnect.Config{
		InitialDelay: 10 * time.Millisecond, // the default suits servers better
		MinDelay:     10 * time.Millisecond,
	}}
	words := 0
	for conn, err := range wsasync.Reconnect(ctx, "ws://"+server.Addr().String()+"/", opts) {
		if err != nil {
			log.Fatal(err) // not worth another attempt
		}
		for _, err := range conn.Messages(ctx) {
			if err == nil {
				words++
			}
		}
		if words >= 9 {
			break // which closes the connection
		}
	}
	fmt.Println(words, "words")
	// Output: 9 words
}

// The end of a context stops the loop, wherever it is.
func ExampleReconnect_cancel() {
	server, err := wsasync.Serve(context.Background(), echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for conn, err := range wsasync.Reconnect(ctx, "ws://"+server.Addr().String()+"/", nil) {
		if err != nil {
			fmt.Println("stopped:", err)
			break
		}
		time.AfterFunc(10*time.Millisecond, cancel)
		_, err = conn.Recv(ctx) // the server has nothing to say
		fmt.Println(err, "and", conn.State())
	}
	// Output:
	// context canceled and open
	// stopped: context canceled
}

// An error that another attempt would meet again ends the loop; what is one the
// application can decide.
func ExampleReconnect_processError() {
	website := httptest.NewServer(http.NotFoundHandler())
	defer website.Close()

	attempts := 0
	opts := &wsasync.ClientOptions{Reconnect: reconnect.Config{
		Delay: func(n int, limit time.Duration) time.Duration { return time.Millisecond },
		ProcessError: func(err error) error {
			if attempts++; attempts < 3 {
				return nil // the page may come
			}
			return err
		},
	}}
	for _, err := range wsasync.Reconnect(context.Background(), "ws"+strings.TrimPrefix(website.URL, "http"), opts) {
		fmt.Println(attempts, "attempts:", errors.Is(err, protocol.ErrUpgrade))
	}
	// Output: 3 attempts: true
}
