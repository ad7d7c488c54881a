package dial

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// opening returns an Opener of connections in memory, which does something
// before it returns one. Their other end closes as a server does.
func opening(t *testing.T, opened *[]*link.Conn, before func()) Opener[int] {
	return func(context.Context) (int, *link.Conn, error) {
		before()
		ours, theirs := link.NewPipe()
		client, server := new(link.Conn), new(link.Conn)
		client.Init(ours, nil, link.Options{Role: protocol.Client}.WithDefaults())
		server.Init(theirs, nil, link.Options{Role: protocol.Server}.WithDefaults())
		t.Cleanup(func() { server.Abort(link.ErrAborted); <-server.Done() })
		*opened = append(*opened, client)
		return len(*opened), client, nil
	}
}

// quiet are options for a loop that goes on at once.
var quiet = &Options{Reconnect: reconnect.Config{InitialDelay: -1}, Logger: slog.New(slog.DiscardHandler)}

// TestReconnectTooLate: a connection that is there when the context has ended
// is nobody's, and closed.
func TestReconnectTooLate(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	var opened []*link.Conn
	for conn, err := range Reconnect(ctx, "ws://tandem.test", quiet, opening(t, &opened, func() { cancel(enough) })) {
		if conn != 0 || err != enough {
			t.Errorf("connection %d, error %v; want %v", conn, err, enough)
		}
	}
	if len(opened) != 1 || !errors.Is(opened[0].Err(), protocol.ErrClosedOK) {
		t.Errorf("%d connections, the last one is open or ended badly", len(opened))
	}
}

// TestReconnectGoexit: the connection is closed also if the body ends its
// goroutine, as a test that fails does.
func TestReconnectGoexit(t *testing.T) {
	var opened []*link.Conn
	done := make(chan struct{})
	go func() { // ends in the body of the loop
		defer close(done)
		for range Reconnect(t.Context(), "ws://tandem.test", quiet, opening(t, &opened, func() {})) {
			runtime.Goexit()
		}
	}()
	<-done
	if len(opened) != 1 || !errors.Is(opened[0].Err(), protocol.ErrClosedOK) {
		t.Errorf("%d connections, the last one is open or ended badly", len(opened))
	}
}

// TestHost: the log has no more than the host of a URL.
func TestHost(t *testing.T) {
	for rawURL, want := range map[string]string{
		"wss://user:secret@tandem.test:8443/secret?secret": "tandem.test:8443",
		"wss://user:secret@%zz/":                           "",
		"tandem.test":                                      "",
	} {
		if got := host(rawURL); got != want {
			t.Errorf("%s: %q, want %q", rawURL, got, want)
		}
	}
}
