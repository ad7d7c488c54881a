package async_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

type contextKey struct{}

// TestContextValues: a handler's context has the values of the request's, whoever
// has put them there, and whether the request is kept or not.
func TestContextValues(t *testing.T) {
	mark := func(r *http.Request) *http.Request {
		return r.WithContext(context.WithValue(r.Context(), contextKey{}, "mark"))
	}
	hook := func(_ http.ResponseWriter, r *http.Request) *http.Request { return mark(r) }
	choose := func(r *http.Request, _ []string) (string, error) { *r = *mark(r); return "", nil }
	change := func(r *http.Request, _ int, _ http.Header) { *r = *mark(r) }
	for _, test := range []struct {
		name string
		opts wsasync.ServerOptions
		mark any
	}{
		{"plain", wsasync.ServerOptions{}, nil},
		{"discarded", wsasync.ServerOptions{DiscardRequest: true}, nil},
		{"hook", wsasync.ServerOptions{ProcessRequest: hook}, "mark"},
		{"hook, discarded", wsasync.ServerOptions{ProcessRequest: hook, DiscardRequest: true}, "mark"},
		{"subprotocol's hook, discarded", wsasync.ServerOptions{SelectSubprotocol: choose, DiscardRequest: true}, "mark"},
		{"response's hook, discarded", wsasync.ServerOptions{ProcessResponse: change, DiscardRequest: true}, "mark"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, err := wsasync.Serve(t.Context(), valuesHandler(t, test.mark), "127.0.0.1:0", &test.opts)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			visit(t, "ws://"+server.Addr().String())
		})
	}
	t.Run("middleware", func(t *testing.T) {
		h, err := wsasync.NewHandler(valuesHandler(t, "mark"), &wsasync.ServerOptions{DiscardRequest: true})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, mark(r)) }))
		defer server.Close()
		visit(t, "ws://"+server.Listener.Addr().String())
	})
}

// valuesHandler looks at its context's values, and at those of one that is derived
// from it, before the connection has ended and after.
func valuesHandler(t *testing.T, mark any) wsasync.HandlerFunc {
	return func(ctx context.Context, conn *wsasync.ServerConn) error {
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		for _, ended := range []bool{false, true} {
			if ended {
				conn.CloseNow()
			}
			for _, ctx := range []context.Context{ctx, conn.Context(), derived} {
				checkValues(t, ctx, conn, mark)
				if _, ok := ctx.Deadline(); ok || (ctx.Err() != nil) != ended {
					t.Errorf("%v: has a deadline, or ended %t: %v", ctx, ended, ctx.Err())
				}
			}
		}
		return nil
	}
}

// checkValues looks for what net/http puts into a request's context, and for the mark.
func checkValues(t *testing.T, ctx context.Context, conn *wsasync.ServerConn, mark any) {
	if _, ok := ctx.Value(http.ServerContextKey).(*http.Server); !ok {
		t.Errorf("%v: no server", ctx)
	}
	if addr, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr); !ok || addr.String() != conn.LocalAddr().String() {
		t.Errorf("%v: address %v, want %v", ctx, addr, conn.LocalAddr())
	}
	if got := ctx.Value(contextKey{}); got != mark {
		t.Errorf("%v: %v, want %v", ctx, got, mark)
	}
}

// visit opens a connection and waits for its end.
func visit(t *testing.T, url string) {
	t.Helper()
	conn, err := wsasync.Connect(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, err := conn.Recv(t.Context()); err == nil {
		t.Error("a message from nowhere")
	}
}

// TestContextEnds: a connection's context ends with it, with the error as cause,
// whether it is looked at before or after. What is derived from it ends too, without
// a goroutine to see to it.
func TestContextEnds(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := wsasync.Pipe(t.Context(), nil)
			defer peer.CloseNow()
			ctx := conn.Context()
			if late {
				conn.CloseNow()
			}
			synctest.Wait()
			before := runtime.NumGoroutine()
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			if n := runtime.NumGoroutine(); n != before {
				t.Errorf("%d goroutines, %d before a context was derived", n, before)
			}
			called := make(chan struct{})
			context.AfterFunc(ctx, func() { close(called) })
			if !late {
				if ctx.Err() != nil || derived.Err() != nil || context.Cause(ctx) != nil {
					t.Errorf("%v, %v, %v before the end", ctx.Err(), derived.Err(), context.Cause(ctx))
				}
				conn.CloseNow()
			}
			<-called
			for _, ctx := range []context.Context{ctx, derived} {
				<-ctx.Done()
				how, ok := context.Cause(ctx).(*protocol.CloseError)
				if ctx.Err() != context.Canceled || !ok || how.Error() != conn.Err().Error() {
					t.Errorf("%v, cause %v, want %v", ctx.Err(), context.Cause(ctx), conn.Err())
				}
			}
		})
	}
}

// TestContextAtTheEnd has many look at the context for the first time while the
// connection ends: when it has, all contexts have.
func TestContextAtTheEnd(t *testing.T) {
	for range 200 {
		conn, peer := wsasync.Pipe(t.Context(), nil)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { <-conn.Context().Done() })
			all.Go(func() {
				<-conn.Done()
				if conn.Context().Err() == nil {
					t.Error("the connection has ended, and its context has not")
				}
			})
		}
		conn.CloseNow()
		peer.CloseNow()
		all.Wait()
	}
}

// TestContextPrinted prints a connection's context and one that is derived from it,
// while others use the connection.
func TestContextPrinted(t *testing.T) {
	a, b := wsasync.Pipe(t.Context(), nil)
	defer a.CloseNow()
	defer b.CloseNow()
	go func() { // ends with the connection
		for a.SendText(context.Background(), "hello") == nil {
			b.Recv(context.Background())
		}
	}()
	for range 100 {
		if text := fmt.Sprintf("%v", b.Context()); text != "async.Conn.Context" {
			t.Fatal(text)
		}
		ctx, cancel := context.WithCancel(b.Context())
		if text := fmt.Sprint(ctx); text != "async.Conn.Context.WithCancel" {
			t.Error(text)
		}
		cancel()
	}
}
