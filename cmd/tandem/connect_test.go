package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// TestConnectPipe: lines from a pipe go out, their echoes come back before the
// connection is closed at the end of the input, and only messages are on
// standard output.
func TestConnectPipe(t *testing.T) {
	url := serveTest(t, echoAsync)
	var out, errs strings.Builder
	status := run(t.Context(), []string{"connect", url}, stdio{strings.NewReader("one\n\ntwo"), &out, &errs})
	if status != statusOK {
		t.Errorf("status %d", status)
	}
	if got, want := out.String(), "< one\n< \n< two\n"; got != want {
		t.Errorf("standard output %q, want %q", got, want)
	}
	if got, want := errs.String(), "Connected to "+url+".\nConnection closed: 1000 (OK).\n"; got != want {
		t.Errorf("standard error %q, want %q", got, want)
	}
}

// A gate is a standard output that takes nothing until it is opened.
type gate struct {
	strings.Builder
	reached, open chan struct{}
}

func (g *gate) Write(data []byte) (int, error) {
	if g.Len() == 0 {
		close(g.reached)
	}
	<-g.open
	return g.Builder.Write(data)
}

// TestConnectSlowOutput: all messages that came are printed, also those that had to wait
// behind others when the input ended, with --reconnect too.
func TestConnectSlowOutput(t *testing.T) {
	const many = 1000
	var want strings.Builder
	for i := range many {
		fmt.Fprintln(&want, "<", i)
	}
	for _, args := range [][]string{{"connect"}, again()} {
		in, keys := io.Pipe()
		out := &gate{reached: make(chan struct{}), open: make(chan struct{})}
		url := serveTest(t, func(ctx context.Context, conn *wsasync.ServerConn) error {
			defer close(out.open)
			for i := range many {
				conn.SendText(ctx, fmt.Sprint(i))
			}
			<-out.reached // so the client knows that it is connected
			keys.Close()
			conn.Recv(ctx) // nothing but the client's close frame
			<-conn.Done()
			return nil
		})
		status := run(t.Context(), append(args, url), stdio{in, out, io.Discard})
		if status != statusOK || out.String() != want.String() {
			t.Errorf("%v: status %d, %d messages printed", args, status, strings.Count(out.String(), "\n"))
		}
	}
}

// TestConnectLine: a line that cannot be sent does not end the connection, one
// that is longer than any peer would take ends the input.
func TestConnectLine(t *testing.T) {
	url := serveTest(t, echoAsync)
	for _, test := range []struct{ name, in, out, errs string }{
		{"not UTF-8", "\xff\nnext\n", "< next\n", "Not sent: websocket: text message is not UTF-8\n"},
		{"too long", strings.Repeat("x", maxLine+2), "", "Cannot read: bufio.Scanner: token too long\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errs strings.Builder
			run(t.Context(), []string{"connect", url}, stdio{strings.NewReader(test.in), &out, &errs})
			if out.String() != test.out {
				t.Errorf("standard output %q, want %q", out.String(), test.out)
			}
			checkContains(t, "standard error", errs.String(), test.errs)
		})
	}
}

// TestConnectPeer: what the peer sends is shown in a harmless way, and how it
// ends decides on the exit status.
func TestConnectPeer(t *testing.T) {
	for _, test := range []struct {
		name      string
		peer      func(ctx context.Context, conn *wsasync.ServerConn)
		status    int
		out, errs string
	}{
		{"closes", func(ctx context.Context, conn *wsasync.ServerConn) {
			conn.SendText(ctx, "hello")
			conn.CloseWith(protocol.NormalClosure, "bye")
		}, statusOK, "< hello\n", "Connection closed: 1000 (OK) bye.\n"},
		{"goes away", func(_ context.Context, conn *wsasync.ServerConn) {
			conn.CloseWith(protocol.GoingAway, "")
		}, statusOK, "", "Connection closed: 1001 (going away).\n"},
		{"closes with an error and an evil reason", func(_ context.Context, conn *wsasync.ServerConn) {
			conn.CloseWith(4000, "\x1b[2J")
		}, statusFailed, "", `Connection closed: 4000 (private use) \x1b[2J.`},
		{"sends evil text", func(ctx context.Context, conn *wsasync.ServerConn) {
			conn.SendText(ctx, "\x1b[2J\r\n< from somebody else")
		}, statusOK, `< \x1b[2J\r\n< from somebody else` + "\n", "Connection closed"},
		{"sends binary data", func(ctx context.Context, conn *wsasync.ServerConn) {
			conn.SendBinary(ctx, []byte("\x00\x1b\xff"))
		}, statusOK, "< (binary) 001bff\n", "Connection closed"},
		{"drops the connection", func(_ context.Context, conn *wsasync.ServerConn) {
			conn.CloseNow()
		}, statusFailed, "", "Connection lost: websocket: no close frame received"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := serveTest(t, func(ctx context.Context, conn *wsasync.ServerConn) error {
				test.peer(ctx, conn)
				return nil
			})
			tandem := start(t, "connect", url) // nothing is typed
			tandem.wait(t, test.status)
			if got := tandem.out.String(); got != test.out {
				t.Errorf("standard output %q, want %q", got, test.out)
			}
			checkContains(t, "standard error", tandem.err.String(), test.errs)
		})
	}
}

// TestConnectInterrupt: Ctrl-C closes as the end of the input does.
func TestConnectInterrupt(t *testing.T) {
	tandem := start(t, "connect", serveTest(t, echoAsync))
	tandem.err.waitFor(t, "Connected")
	fmt.Fprintln(tandem.keys, "typed")
	tandem.out.waitFor(t, "< typed\n")
	tandem.interrupt()
	tandem.wait(t, statusOK)
	checkContains(t, "standard error", tandem.err.String(), "Connection closed: 1000 (OK).\n")
}

// TestConnectImpatient: Ctrl-C while the peer takes its time to close cuts the
// connection, so that nobody has to wait for a peer that is gone.
func TestConnectImpatient(t *testing.T) {
	url, heard := serveMute(t)
	tandem := start(t, "connect", "--timeout", "1h", url)
	tandem.keys.Close()
	<-heard // our close frame
	tandem.interrupt()
	tandem.wait(t, statusFailed)
	checkContains(t, "standard error", tandem.err.String(), "Connection lost: websocket: sent 1000 (OK); no close frame received: websocket: connection aborted")
}

// TestConnectFlags: what the flags ask for is in the opening handshake.
func TestConnectFlags(t *testing.T) {
	server := wsasync.ServerOptions{Subprotocols: []string{"b"}, Origins: []string{"https://example.com"}}
	handler, err := wsasync.NewHandler(func(ctx context.Context, conn *wsasync.ServerConn) error {
		header := conn.Request().Header
		return conn.SendText(ctx, fmt.Sprint(header["X-Name"], header["Origin"], header["Sec-Websocket-Protocol"]))
	}, &server)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewTLSServer(handler)
	defer web.Close()
	tandem := start(t, "connect", "--tls-insecure", "--header", "X-Name: one", "--header", "x-name:two",
		"--origin", "https://example.com", "--subprotocol", "a", "--subprotocol", "b",
		strings.Replace(web.URL, "https", "wss", 1))
	tandem.wait(t, statusOK)
	if got, want := tandem.out.String(), "< [one two] [https://example.com] [a, b]\n"; got != want {
		t.Errorf("standard output %q, want %q", got, want)
	}
	checkContains(t, "standard error", tandem.err.String(), "with subprotocol b.")
}

// TestConnectRefused: a server that refuses may say why.
func TestConnectRefused(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "members only\x1b[2J", http.StatusForbidden)
	}))
	defer web.Close()
	status, out, errs := call(t, "connect", strings.Replace(web.URL, "http", "ws", 1))
	if status != statusFailed || out != "" {
		t.Errorf("status %d, standard output %q", status, out)
	}
	checkContains(t, "standard error", errs, "status 403 (Forbidden) instead of 101: members only\\x1b[2J\n") // and no \n of its own
}
