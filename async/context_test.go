package async_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/suite"
	"github.com/tandemws/tandem/protocol"
)

// against is a client whose server is played by hand.
func against(t *testing.T) (*wsasync.ClientConn, *suite.Raw) {
	t.Helper()
	var client *wsasync.ClientConn
	peer := suite.Serving(t, func(conn net.Conn) (err error) {
		client, err = wsasync.Connect(t.Context(), "ws://tandem.test/", &wsasync.ClientOptions{NetConn: conn})
		return err
	})
	t.Cleanup(client.CloseNow)
	return client, peer
}

// soon returns a context that is cancelled in a moment, when its call waits.
func soon() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Microsecond, cancel)
	return ctx
}

// TestCancelledRecvAppend cancels RecvAppend after each single byte of a stream
// of messages: nothing is lost, and nothing is left in the caller's memory.
func TestCancelledRecvAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, peer := against(t)
		want := []string{"one", "", "pieces", strings.Repeat("long ", 500), "last"}
		stream := peer.Text(want[0])
		stream = append(stream, peer.Text(want[1])...)
		stream = append(stream, peer.Frame(protocol.OpText, false, "pie")...)
		stream = append(stream, peer.Frame(protocol.OpContinuation, true, "ces")...)
		stream = append(stream, peer.Text(want[3])...)
		stream = append(stream, peer.Text(want[4])...)
		var got []string
		for i := range stream {
			peer.Send(t, stream[i:i+1])
			_, data, err := client.RecvAppend(soon(), append(make([]byte, 0, 100), "dst:"...))
			text, found := strings.CutPrefix(string(data), "dst:")
			switch {
			case !found:
				t.Fatalf("RecvAppend has made %.20q of what it was given", data)
			case err == nil:
				got = append(got, text)
			case !errors.Is(err, context.Canceled) || text != "":
				t.Fatalf("%.20q, %v", text, err)
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("received %.50q", got)
		}
	})
}

// TestCancelledRecvReader cancels RecvReader as long as no message has begun,
// and a Read in the middle of one, of which the rest is then skipped.
func TestCancelledRecvReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, peer := against(t)
		stream := peer.Text("message")
		for i := range 2 { // the header
			peer.Send(t, stream[i:i+1])
			if _, _, err := client.RecvReader(soon()); i == 0 && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		peer.Send(t, stream[2:6])
		if m, err := client.Recv(soon()); !errors.Is(err, context.Canceled) {
			t.Fatalf("received %v, %v", m, err)
		}
		peer.Send(t, stream[6:], peer.Frame(protocol.OpText, false, "half"))
		_, r, err := client.RecvReader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		if n, err := r.Read(buf); err != nil || string(buf[:n]) != "half" {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
		time.AfterFunc(time.Second, cancel)
		if n, err := r.Read(buf); n != 0 || !errors.Is(err, context.Canceled) {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
		peer.Send(t, peer.Frame(protocol.OpContinuation, true, " and half"), peer.Text("next"))
		if m, err := client.Recv(t.Context()); err != nil || string(m.Data) != "next" {
			t.Fatalf("received %q, %v", m.Data, err)
		}
	})
}

// TestCancelledWriter cancels the context of a writer between two fragments.
// What can be written without waiting still is, so that the message can end.
func TestCancelledWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, peer := against(t)
		ctx, cancel := context.WithCancel(t.Context())
		w, err := client.SendWriter(ctx, protocol.Text)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "begun")
		cancel()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := client.SendText(t.Context(), "next"); err != nil {
			t.Fatal(err)
		}
		peer.Expect(t, protocol.OpText, "begun")
		peer.Expect(t, protocol.OpContinuation, "")
		peer.Expect(t, protocol.OpText, "next")
		if err := client.SendText(ctx, "never"); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
}

type key struct{}

// TestConnContext looks at the connections' own contexts: they have values,
// survive the context of Connect, and end with the connection and its error.
func TestConnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		network := suite.NewNetwork()
		causes := make(chan error, 1)
		server, err := wsasync.Serve(t.Context(), func(ctx context.Context, conn *wsasync.ServerConn) error {
			if ctx.Value(key{}) != nil || ctx.Done() != conn.Context().Done() {
				t.Error("the handler's context is not the connection's")
			}
			_, err := conn.Recv(ctx) // its own context: the call returns the close error
			var closed *protocol.CloseError
			if !errors.As(err, &closed) {
				t.Errorf("error %v", err)
			}
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return nil
		}, "", &wsasync.ServerOptions{Listeners: []net.Listener{network}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := wsasync.Connect(ctx, "ws://tandem.test/", &wsasync.ClientOptions{DialContext: network.Dial})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if client.Context().Err() != nil || client.Context().Value(key{}) != "value" {
			t.Errorf("context of an open connection: %v", client.Context().Err())
		}
		if err := client.CloseWith(4000, "done"); err != nil {
			t.Fatal(err)
		}
		for _, cause := range []error{context.Cause(client.Context()), <-causes} {
			var closed *protocol.CloseError
			if !errors.As(cause, &closed) || closed.Rcvd.Code != 4000 {
				t.Errorf("cause %v", cause)
			}
		}
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestServeContext ends the context of Serve: the server shuts down with 1001.
func TestServeContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		network := suite.NewNetwork()
		server, err := wsasync.Serve(ctx, func(ctx context.Context, conn *wsasync.ServerConn) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, "", &wsasync.ServerOptions{Listeners: []net.Listener{network}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := wsasync.Connect(ctx, "ws://tandem.test/", &wsasync.ClientOptions{DialContext: network.Dial})
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, cancel)
		var closed *protocol.CloseError
		if _, err := client.Recv(t.Context()); !errors.As(err, &closed) || closed.Rcvd.Code != protocol.GoingAway {
			t.Errorf("error %v", err)
		}
		if err := server.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestConnectCancelled cancels Connect while the server keeps it waiting, and
// before it begins.
func TestConnectCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, url := range []string{"ws://tandem.test/", "wss://tandem.test/"} {
			network := suite.NewNetwork()
			silent := make(chan net.Conn, 1)
			go func() { // ends when it has accepted
				conn, _ := network.Accept()
				silent <- conn
			}()
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("changed my mind")
			time.AfterFunc(time.Second, func() { cancel(why) })
			begun := time.Now()
			_, err := wsasync.Connect(ctx, url, &wsasync.ClientOptions{DialContext: network.Dial})
			if !errors.Is(err, why) || time.Since(begun) != time.Second {
				t.Errorf("%s: %v after %v", url, err, time.Since(begun))
			}
			(<-silent).Close()
			if _, err := wsasync.Connect(ctx, url, &wsasync.ClientOptions{DialContext: network.Dial}); !errors.Is(err, why) {
				t.Errorf("%s: %v", url, err)
			}
		}
	})
}

// TestContextAllocates counts what calls with a context that can end cost: it
// is watched once, however many calls have it.
func TestContextAllocates(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	client, server := wsasync.Pipe(t.Context(), nil)
	defer client.CloseNow()
	defer server.CloseNow()
	buf, m := make([]byte, 0, 100), protocol.BinaryMessage(make([]byte, 100))
	echo := func(ctx context.Context) float64 {
		return testing.AllocsPerRun(200, func() {
			if err := client.Send(ctx, m); err != nil {
				t.Fatal(err)
			}
			if _, _, err := server.RecvAppend(ctx, buf); err != nil {
				t.Fatal(err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pipe := echo(context.Background()) // what the transport in memory allocates
	if allocs := echo(ctx); allocs > pipe {
		t.Errorf("%v allocations a message, %v without a context that can end", allocs, pipe)
	}
}

// TestNilContext makes every call with a nil context, which stands for one that
// never ends.
func TestNilContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var none context.Context
		client, server := wsasync.Pipe(none, nil)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(client.SendText(none, "one"))
		w, err := client.SendWriter(none, protocol.Text)
		must(err)
		must(w.Close())
		must(client.Pong(none, nil))
		must(client.Flush(none))
		pong, err := client.Ping(none, nil)
		must(err)
		_, err = pong.Wait(none)
		must(err)
		_, err = server.Recv(none)
		must(err)
		_, r, err := server.RecvReader(none)
		must(err)
		_, err = io.ReadAll(r)
		must(err)
		must(client.Shutdown(none, protocol.NormalClosure, ""))
		for _, err := range server.Messages(none) {
			t.Error(err)
		}
		<-server.Done()

		if _, err := wsasync.Connect(none, "no URL", nil); err == nil {
			t.Error("connected")
		}
	})
	var none context.Context
	serving, err := wsasync.Serve(none, func(context.Context, *wsasync.ServerConn) error { return nil }, "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := serving.Shutdown(none); err != nil {
		t.Error(err)
	}
}

// TestRequestValues has middleware give the request's context a value: the
// handler's context has it, and does not end with the request's, which has ended.
func TestRequestValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := suite.NewNetwork()
		handler, err := wsasync.NewHandler(func(ctx context.Context, conn *wsasync.ServerConn) error {
			for _, of := range []context.Context{ctx, conn.Context(), conn.Request().Context()} {
				if of.Value(key{}) != "of the request" {
					t.Errorf("value %v", of.Value(key{}))
				}
			}
			if err := errors.Join(ctx.Err(), conn.Request().Context().Err()); err != nil {
				t.Errorf("ended with the request: %v", err)
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(context.WithValue(r.Context(), key{}, "of the request"))
			cancel()
			handler.ServeHTTP(w, r.WithContext(ctx))
		})}
		go server.Serve(network) // ends with Close
		defer server.Close()
		client, err := wsasync.Connect(t.Context(), "ws://tandem.test/", &wsasync.ClientOptions{DialContext: network.Dial})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.CloseWith(4000, "done"); err != nil {
			t.Fatal(err)
		}
		if err := handler.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
