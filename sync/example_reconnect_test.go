package sync_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
	wssync "github.com/tandemws/tandem/sync"
)

// A client that stays connected. This server says three words on each
// connection and cuts it.
func ExampleReconnect() {
	server, err := wssync.Serve(func(conn *wssync.ServerConn) error {
		for _, word := range []string{"one", "two", "three"} {
			conn.SendText(word)
		}
		conn.Flush()
		conn.CloseNow()
		return nil
	}, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	opts := &wssync.ClientOptions{Reconnect: reconnect.Config{
		InitialDelay: 10 * time.Millisecond, // the default suits servers better
		MinDelay:     10 * time.Millisecond,
	}}
	words := 0
	for conn, err := range wssync.Reconnect("ws://"+server.Addr().String()+"/", opts) {
		if err != nil {
			log.Fatal(err) // not worth another attempt
		}
		for _, err := range conn.Messages() {
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

// Another goroutine stops the loop, wherever it is: the body's Recv returns.
func ExampleReconnect_stop() {
	server, err := wssync.Serve(echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	stop := make(chan struct{}) // the Done of a context will do as well
	opts := &wssync.ClientOptions{Stop: stop}
	for conn, err := range wssync.Reconnect("ws://"+server.Addr().String()+"/", opts) {
		if err != nil {
			log.Fatal(err)
		}
		time.AfterFunc(10*time.Millisecond, func() { close(stop) })
		_, err = conn.Recv() // the server has nothing to say
		fmt.Println("closed:", errors.Is(err, protocol.ErrClosedOK))
	}
	fmt.Println("stopped")
	// Output:
	// closed: true
	// stopped
}

// An error that another attempt would meet again ends the loop; what is one the
// application can decide.
func ExampleReconnect_processError() {
	website := httptest.NewServer(http.NotFoundHandler())
	defer website.Close()

	attempts := 0
	opts := &wssync.ClientOptions{Reconnect: reconnect.Config{
		Delay: func(n int, limit time.Duration) time.Duration { return time.Millisecond },
		ProcessError: func(err error) error {
			if attempts++; attempts < 3 {
				return nil // the page may come
			}
			return err
		},
	}}
	for _, err := range wssync.Reconnect("ws"+strings.TrimPrefix(website.URL, "http"), opts) {
		fmt.Println(attempts, "attempts:", errors.Is(err, protocol.ErrUpgrade))
	}
	// Output: 3 attempts: true
}
