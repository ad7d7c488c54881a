package sync_test

import (
	"expvar"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/tandemws/tandem/keepalive"
	wssync "github.com/tandemws/tandem/sync"
)

// A server's totals are published for expvar, and written for Prometheus.
func ExampleServer_Stats() {
	server, err := wssync.Serve(func(conn *wssync.ServerConn) error {
		<-conn.Done()
		return nil
	}, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	variable := expvar.Func(func() any { return server.Stats() }) // to expvar.Publish

	client, err := wssync.Connect("ws://"+server.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	client.Close()

	fmt.Println(strings.Contains(variable.String(), `"Opened":1`))
	totals := server.Stats()
	var text strings.Builder
	totals.WritePrometheus(&text, "websocket", "")
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "websocket_connections_opened") {
			os.Stdout.WriteString(line)
		}
	}
	// Output:
	// true
	// websocket_connections_opened_total 1
}

// Hooks see each ping of a connection. They may call its methods.
func ExampleClientOptions_hooks() {
	answered := make(chan bool, 1)
	client, server := wssync.Pipe(&wssync.PipeOptions{Client: wssync.ClientOptions{
		Keepalive: keepalive.Config{Interval: time.Hour, Phase: time.Millisecond},
		Hooks: &keepalive.Hooks{PongReceived: func(conn keepalive.Conn, rtt time.Duration) {
			answered <- rtt >= 0 && conn.KeepaliveStats().PongsReceived == 1
		}},
	}})
	defer client.Close()
	defer server.Close()

	fmt.Println(<-answered)
	// Output: true
}
