package async_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// A handler for each pattern, and a health check on the same port.
func ExampleRoute() {
	ctx := context.Background()
	health := http.NewServeMux()
	health.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fine") })
	server, err := wsasync.Route(ctx, map[string]wsasync.HandlerFunc{
		"/rooms/{room}": func(ctx context.Context, conn *wsasync.ServerConn) error {
			return conn.SendText(ctx, "welcome to "+conn.PathValue("room"))
		},
		"/echo": echo,
	}, "localhost:0", &wsasync.ServerOptions{Fallback: health})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	address := server.Addr().String()

	conn, err := wsasync.Connect(ctx, "ws://"+address+"/rooms/attic", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	msg, err := conn.Recv(ctx)
	fmt.Println(msg, err)

	resp, err := http.Get("http://" + address + "/healthz")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(string(body), err)
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// welcome to attic <nil>
	// fine <nil>
}

// Only who knows a password gets in, and the handler is told who it is.
func ExampleBasicAuth() {
	ctx := context.Background()
	server, err := wsasync.Serve(ctx, func(ctx context.Context, conn *wsasync.ServerConn) error {
		return conn.SendText(ctx, "hello "+conn.Username())
	}, "localhost:0", &wsasync.ServerOptions{
		ProcessRequest: wsasync.BasicAuth("operators", wsasync.Credentials(map[string]string{"ada": "secret"})),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	conn, err := wsasync.Connect(ctx, "ws://ada:secret@"+server.Addr().String()+"/", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	msg, err := conn.Recv(ctx)
	fmt.Println(msg, err)

	_, err = wsasync.Connect(ctx, "ws://ada:guess@"+server.Addr().String()+"/", nil)
	var refused *protocol.InvalidStatusError
	if errors.As(err, &refused) {
		fmt.Println(refused.Response.StatusCode)
	}
	// Output:
	// hello ada <nil>
	// 401
}

// A hook that looks at each request: it refuses some, and adds a field to every
// response.
func ExampleServerOptions_processRequest() {
	ctx := context.Background()
	server, err := wsasync.Serve(ctx, echo, "localhost:0", &wsasync.ServerOptions{
		ProcessRequest: func(w http.ResponseWriter, r *http.Request) *http.Request {
			w.Header().Set("X-Served-By", "attic")
			if r.Header.Get("X-Token") != "secret" {
				http.Error(w, "who are you?", http.StatusForbidden)
				return nil
			}
			return r
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	_, err = wsasync.Connect(ctx, "ws://"+server.Addr().String()+"/", nil)
	var refused *protocol.InvalidStatusError
	if errors.As(err, &refused) {
		fmt.Println(refused.Response.StatusCode, strings.TrimSpace(string(refused.Body)))
	}
	conn, err := wsasync.Connect(ctx, "ws://"+server.Addr().String()+"/", &wsasync.ClientOptions{
		Header: http.Header{"X-Token": {"secret"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn.Response().Header.Get("X-Served-By"))
	// Output:
	// 403 who are you?
	// attic
}

// A server lets its connections finish, and says goodbye to those that do not.
func ExampleKeepConnections() {
	ctx := context.Background()
	server, err := wsasync.Serve(ctx, echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	conn, err := wsasync.Connect(ctx, "ws://"+server.Addr().String()+"/", nil)
	if err != nil {
		log.Fatal(err)
	}

	brief, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	fmt.Println(server.Shutdown(brief, wsasync.KeepConnections()))
	fmt.Println(conn.State()) // nobody cut it

	fmt.Println(server.Close())
	_, err = conn.Recv(ctx)
	var closed *protocol.CloseError
	if errors.As(err, &closed) {
		fmt.Println(closed.Code())
	}
	// Output:
	// context deadline exceeded
	// open
	// <nil>
	// 1001 (going away)
}
