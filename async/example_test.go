package async_test

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

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// echo sends every message back, until the client closes the connection.
func echo(ctx context.Context, conn *wsasync.ServerConn) error {
	for msg, err := range conn.Messages(ctx) {
		if err != nil {
			return err
		}
		if err := conn.Send(ctx, msg); err != nil {
			return err
		}
	}
	return nil
}

// hello sends a message and prints the answer.
func hello(ctx context.Context, url string) error {
	conn, err := wsasync.Connect(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SendText(ctx, "hello"); err != nil {
		return err
	}
	msg, err := conn.Recv(ctx)
	if err != nil {
		return err
	}
	fmt.Println(msg)
	return nil
}

func Example() {
	ctx := context.Background()
	server, err := wsasync.Serve(ctx, echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	if err := hello(ctx, "ws://"+server.Addr().String()+"/"); err != nil {
		log.Fatal(err)
	}
	// Output: hello
}

// Options are a struct: what is not set has a good default.
func ExampleConnect() {
	ctx := context.Background()
	server, err := wsasync.Serve(ctx, echo, "localhost:0", &wsasync.ServerOptions{
		Subprotocols: []string{"chat.v2", "chat.v1"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	conn, err := wsasync.Connect(ctx, "ws://"+server.Addr().String()+"/", &wsasync.ClientOptions{
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
	ctx := context.Background()
	website := httptest.NewServer(http.NotFoundHandler())
	defer website.Close()

	_, err := wsasync.Connect(ctx, "ws"+strings.TrimPrefix(website.URL, "http"), nil)
	var refused *protocol.InvalidStatusError
	if errors.As(err, &refused) {
		fmt.Println(refused.Response.StatusCode, strings.TrimSpace(string(refused.Body)))
	}
	fmt.Println(errors.Is(err, protocol.ErrHandshake))
	// Output:
	// 404 404 page not found
	// true
}

// A server ends with the context that it was given: it closes its connections
// with code 1001.
func ExampleServe() {
	ctx, stop := context.WithCancel(context.Background())
	server, err := wsasync.Serve(ctx, echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	conn, err := wsasync.Connect(context.Background(), "ws://"+server.Addr().String()+"/", nil)
	if err != nil {
		log.Fatal(err)
	}

	stop()
	fmt.Println(server.Wait())
	<-conn.Done()
	var closed *protocol.CloseError
	if errors.As(conn.Err(), &closed) {
		fmt.Println(closed.Code())
	}
	// Output:
	// <nil>
	// 1001 (going away)
}

// In a web server: http.ServeMux finds the handler, and the values of its
// wildcards are the connection's.
func ExampleNewHandler() {
	ctx := context.Background()
	greeter, err := wsasync.NewHandler(func(ctx context.Context, conn *wsasync.ServerConn) error {
		return conn.SendText(ctx, "welcome to "+conn.PathValue("room"))
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /rooms/{room}", greeter)
	website := httptest.NewServer(mux)
	defer website.Close()
	defer greeter.Shutdown(ctx) // net/http does not know of the connections

	conn, err := wsasync.Connect(ctx, "ws"+strings.TrimPrefix(website.URL, "http")+"/rooms/attic", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	msg, err := conn.Recv(ctx)
	fmt.Println(msg, err)
	// Output: welcome to attic <nil>
}

// A connection can be opened over one that exists already, here one that was
// made by a dialer of the application's.
func ExampleClientOptions_netConn() {
	ctx := context.Background()
	server, err := wsasync.Serve(ctx, echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	var dialer net.Dialer
	netConn, err := dialer.DialContext(ctx, "tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	conn, err := wsasync.Connect(ctx, "ws://inner.example/", &wsasync.ClientOptions{NetConn: netConn})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn.Request().Host)
	// Output: inner.example
}
