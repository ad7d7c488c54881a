package sync_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// A handler for each pattern, and a health check on the same port.
func ExampleRoute() {
	health := http.NewServeMux()
	health.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fine") })
	server, err := wssync.Route(map[string]wssync.HandlerFunc{
		"/rooms/{room}": func(conn *wssync.ServerConn) error {
			return conn.SendText("welcome to " + conn.PathValue("room"))
		},
		"/echo": echo,
	}, "localhost:0", &wssync.ServerOptions{Fallback: health})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	address := server.Addr().String()

	conn, err := wssync.Connect("ws://"+address+"/rooms/attic", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	msg, err := conn.Recv()
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
	server, err := wssync.Serve(func(conn *wssync.ServerConn) error {
		return conn.SendText("hello " + conn.Username())
	}, "localhost:0", &wssync.ServerOptions{
		ProcessRequest: wssync.BasicAuth("operators", wssync.Credentials(map[string]string{"ada": "secret"})),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	conn, err := wssync.Connect("ws://ada:secret@"+server.Addr().String()+"/", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	msg, err := conn.Recv()
	fmt.Println(msg, err)

	_, err = wssync.Connect("ws://ada:guess@"+server.Addr().String()+"/", nil)
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
	server, err := wssync.Serve(echo, "localhost:0", &wssync.ServerOptions{
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

	_, err = wssync.Connect("ws://"+server.Addr().String()+"/", nil)
	var refused *protocol.InvalidStatusError
	if errors.As(err, &refused) {
		fmt.Println(refused.Response.StatusCode, strings.TrimSpace(string(refused.Body)))
	}
	conn, err := wssync.Connect("ws://"+server.Addr().String()+"/", &wssync.ClientOptions{
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
	server, err := wssync.Serve(echo, "localhost:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	conn, err := wssync.Connect("ws://"+server.Addr().String()+"/", nil)
	if err != nil {
		log.Fatal(err)
	}

	fmt.Println(server.Shutdown(10*time.Millisecond, wssync.KeepConnections()))
	fmt.Println(conn.State()) // nobody cut it

	fmt.Println(server.Close())
	_, err = conn.Recv()
	var closed *protocol.CloseError
	if errors.As(err, &closed) {
		fmt.Println(closed.Code())
	}
	// Output:
	// i/o timeout
	// open
	// <nil>
	// 1001 (going away)
}
