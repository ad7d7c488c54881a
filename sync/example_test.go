package sync_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// echo sends every message back, until the client closes the connection.
func echo(conn *wssync.ServerConn) error {
	for msg, err := range conn.Messages() {
		if err != nil {
			return err
		}
		if err := conn.Send(msg); err != nil {
			return err
		}
	}
	return nil
}

// hello sends a message and prints the answer.
func hello(url string) error {
	conn, err := wssync.Connect(url, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SendText("hello"); err != nil {
		return err
	}
	msg, err := conn.Recv()
	if err != nil {
		return err
	}
	fmt.Println(msg)
	return nil
}

func Example() {
	server, err := wssync.Serve(echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	if err := hello("ws://" + server.Addr().String() + "/"); err != nil {
		log.Fatal(err)
	}
	// Output: hello
}

// Options are a struct: what is not set has a good default.
func ExampleConnect() {
	server, err := wssync.Serve(echo, "localhost:0", &wssync.ServerOptions{
		Subprotocols: []string{"chat.v2", "chat.v1"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	conn, err := wssync.Connect("ws://"+server.Addr().String()+"/", &wssync.ClientOptions{
		Header:       http.Header{"Authorization": {"Bearer secret"}},
		Subprotocols: []string{"chat.v1"},
		OpenTimeout:  5 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn.Subprotocol(), conn.State())
	// Output: chat.v1 open
}

// What a server answered that refused to open a connection.
func ExampleConnect_refused() {
	website := httptest.NewServer(http.NotFoundHandler())
	defer website.Close()

	_, err := wssync.Connect("ws"+strings.TrimPrefix(website.URL, "http"), nil)
	var refused *protocol.InvalidStatusError
	if errors.As(err, &refused) {
		fmt.Println(refused.Response.StatusCode, strings.TrimSpace(string(refused.Body)))
	}
	fmt.Println(errors.Is(err, protocol.ErrHandshake))
	// Output:
	// 404 404 page not found
	// true
}

// A server closes its connections with code 1001 when it ends.
func ExampleServe() {
	server, err := wssync.Serve(echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	conn, err := wssync.Connect("ws://"+server.Addr().String()+"/", nil)
	if err != nil {
		log.Fatal(err)
	}

	fmt.Println(server.Close())
	fmt.Println(server.Wait())
	_, err = conn.Recv()
	var closed *protocol.CloseError
	if errors.As(err, &closed) {
		fmt.Println(closed.Code())
	}
	// Output:
	// <nil>
	// <nil>
	// 1001 (going away)
}

// In a web server: http.ServeMux finds the handler, and the values of its
// wildcards are the connection's.
func ExampleNewHandler() {
	greeter, err := wssync.NewHandler(func(conn *wssync.ServerConn) error {
		return conn.SendText("welcome to " + conn.PathValue("room"))
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /rooms/{room}", greeter)
	website := httptest.NewServer(mux)
	defer website.Close()
	defer greeter.Shutdown(time.Second) // net/http does not know of the connections

	conn, err := wssync.Connect("ws"+strings.TrimPrefix(website.URL, "http")+"/rooms/attic", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	msg, err := conn.Recv()
	fmt.Println(msg, err)
	// Output: welcome to attic <nil>
}

// Several connections may share one keepalive thread.
func ExampleClientOptions_keepaliveThread() {
	server, err := wssync.Serve(echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	opts := &wssync.ClientOptions{KeepaliveThread: new(keepalive.Thread)}
	for range 3 {
		conn, err := wssync.Connect("ws://"+server.Addr().String()+"/", opts)
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
	}
	fmt.Println(opts.KeepaliveThread.Len(), "connections on one thread")
	// Output: 3 connections on one thread
}

// A connection can be opened over one that exists already, here one that was
// made by a dialer of the application's.
func ExampleClientOptions_netConn() {
	server, err := wssync.Serve(echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	var dialer net.Dialer
	netConn, err := dialer.DialContext(context.Background(), "tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	conn, err := wssync.Connect("ws://inner.example/", &wssync.ClientOptions{NetConn: netConn})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn.Request().Host)
	// Output: inner.example
}
