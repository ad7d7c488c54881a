package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// again are the arguments that connect again without waiting.
func again(args ...string) []string {
	return append([]string{"connect", "--reconnect", "--max-delay", "1ms"}, args...)
}

// TestStay: a line goes to the connection that there is, and each is dropped
// behind its echo.
func TestStay(t *testing.T) {
	var nth atomic.Int32
	tandem := start(t, again(serveTest(t, func(ctx context.Context, conn *wsasync.ServerConn) error {
		conn.SendText(ctx, fmt.Sprint("connection ", nth.Add(1)))
		m, err := conn.Recv(ctx)
		if err != nil {
			return err
		}
		if err := conn.Send(ctx, m); err != nil {
			return err
		}
		conn.CloseNow()
		return nil
	}))...)
	for i := range 3 {
		tandem.out.waitFor(t, fmt.Sprint("< connection ", i+1, "\n")) // or the line is lost with the one before
		fmt.Fprintln(tandem.keys, "line", i)
		tandem.out.waitFor(t, fmt.Sprint("< line ", i, "\n"))
	}
	tandem.keys.Close()
	tandem.wait(t, statusOK)
	checkContains(t, "standard error", tandem.err.String(), "Connection lost: ")
	checkContains(t, "standard error", tandem.err.String(), "Connecting again in ")
	if n := strings.Count(tandem.err.String(), "Connected to"); n < 3 {
		t.Errorf("connected %d times", n)
	}
}

// TestStayClosed: a peer that closes normally is connected to again; a user who
// closes gets all answers first.
func TestStayClosed(t *testing.T) {
	var nth atomic.Int32
	tandem := start(t, again(serveTest(t, func(ctx context.Context, conn *wsasync.ServerConn) error {
		if nth.Add(1) == 1 {
			return conn.CloseWith(protocol.GoingAway, "come again")
		}
		return echoAsync(ctx, conn)
	}))...)
	tandem.err.waitFor(t, "Connection closed: 1001 (going away) come again.\nConnecting again in ")
	fmt.Fprintln(tandem.keys, "one")
	fmt.Fprintln(tandem.keys, "two")
	tandem.keys.Close()
	tandem.wait(t, statusOK)
	if got := tandem.out.String(); got != "< one\n< two\n" {
		t.Errorf("standard output %q", got)
	}
	if !strings.HasSuffix(tandem.err.String(), "Connection closed: 1000 (OK).\n") {
		t.Errorf("standard error %q", tandem.err.String())
	}
}

// serveAnswers starts a server that answers with these statuses, one after the
// other, and then echoes.
func serveAnswers(t *testing.T, statuses ...int) (url string) {
	t.Helper()
	var nth atomic.Int32
	opts := wsasync.ServerOptions{ProcessRequest: func(w http.ResponseWriter, r *http.Request) *http.Request {
		i := int(nth.Add(1)) - 1
		if i >= len(statuses) {
			return r
		}
		http.Error(w, "not now", statuses[i])
		return nil
	}}
	server, err := wsasync.Serve(context.Background(), echoAsync, "127.0.0.1:0", &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return "ws://" + server.Addr().String() + "/"
}

// TestStayRefused: what may pass is waited for, and the line that was typed
// meanwhile with it; what will not pass ends it.
func TestStayRefused(t *testing.T) {
	tandem := start(t, again(serveAnswers(t, 503, 502))...)
	fmt.Fprintln(tandem.keys, "patience")
	tandem.out.waitFor(t, "< patience\n")
	tandem.keys.Close()
	tandem.wait(t, statusOK)
	for _, text := range []string{"status 503 (Service Unavailable) instead of 101: not now; trying again in ", "status 502 "} {
		checkContains(t, "standard error", tandem.err.String(), text)
	}

	tandem = start(t, again(serveAnswers(t, 503, 403))...)
	tandem.wait(t, statusFailed)
	checkContains(t, "standard error", tandem.err.String(), "Cannot connect: websocket: ")
}

// TestStayWithout: Ctrl-C ends it also when there is no connection, and a line
// waits for one no longer than the timeout.
func TestStayWithout(t *testing.T) {
	tandem := start(t, "connect", "--reconnect", "--timeout", "1ms", "ws://127.0.0.1:1/")
	fmt.Fprintln(tandem.keys, "lost")
	tandem.err.waitFor(t, "Not sent: not connected\n")
	tandem.err.waitFor(t, "trying again in ")
	tandem.interrupt()
	tandem.wait(t, statusOK)
	checkContains(t, "standard error", tandem.err.String(), "Not connected.\n")
}

// TestStayImpatient: a second Ctrl-C does not wait for a peer that is gone.
func TestStayImpatient(t *testing.T) {
	url, heard := serveMute(t)
	tandem := start(t, again("--timeout", "1h", url)...)
	tandem.err.waitFor(t, "Connected")
	tandem.keys.Close()
	<-heard // our close frame
	tandem.interrupt()
	tandem.wait(t, statusOK)
	checkContains(t, "standard error", tandem.err.String(), "Connection lost: ")
}
