package sync_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// Keepalive pings by itself; an application pings to measure, or to be sure at
// one moment.
func ExampleConn_Ping() {
	client, server := wssync.Pipe(nil)
	defer client.Close()
	defer server.Close()

	pong, err := client.Ping(nil)
	if err != nil {
		log.Fatal(err)
	}
	rtt, err := pong.Wait(5 * time.Second)
	fmt.Println(rtt >= 0, err)
	fmt.Println(client.Latency() > 0) // of this ping, or of a later one of keepalive
	// Output:
	// true <nil>
	// true
}

// A connection that has become important is watched more closely.
func ExampleConn_SetKeepalive() {
	client, server := wssync.Pipe(nil)
	defer client.Close()
	defer server.Close()

	client.SetKeepalive(keepalive.Config{
		Interval: 5 * time.Millisecond,
		Timeout:  10 * time.Second,
	})
	for client.KeepaliveStats().PongsReceived < 3 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("alive")
	// Output: alive
}

// What keepalive has seen so far, for a page of statistics.
func ExampleConn_KeepaliveStats() {
	client, server := wssync.Pipe(&wssync.PipeOptions{
		Client: wssync.ClientOptions{Keepalive: keepalive.Config{Interval: -1}}, // no pings but ours
	})
	defer client.Close()
	defer server.Close()
	for range 3 {
		pong, err := client.Ping(nil)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := pong.Wait(5 * time.Second); err != nil {
			log.Fatal(err)
		}
	}

	stats := client.KeepaliveStats()
	fmt.Println(stats.PingsSent, "pings,", stats.PongsReceived, "pongs")
	fmt.Println(stats.MinRTT <= stats.SmoothedRTT)
	// Output:
	// 3 pings, 3 pongs
	// true
}

// silent opens connections and then never says anything, not even a pong.
func silent(w http.ResponseWriter, r *http.Request) {
	_, header, err := new(protocol.Acceptor).Accept(r)
	if err != nil {
		log.Fatal(err)
	}
	response, err := protocol.AppendResponse(nil, header, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		log.Fatal(err)
	}
	conn.Write(response)
}

// A peer that is not there any more is noticed within Interval + Timeout.
func ExampleConnect_timeoutError() {
	server := httptest.NewServer(http.HandlerFunc(silent))
	defer server.Close()

	conn, err := wssync.Connect("ws"+strings.TrimPrefix(server.URL, "http"), &wssync.ClientOptions{
		Keepalive: keepalive.Config{Interval: 20 * time.Millisecond, Timeout: 50 * time.Millisecond},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = conn.Recv()

	var lost *keepalive.TimeoutError
	if errors.As(err, &lost) {
		// lost.Cause says more where the operating system does.
		fmt.Println("no answer to a ping for", lost.PingTimeout)
	}
	<-conn.Done()
	// Output: no answer to a ping for 50ms
}
