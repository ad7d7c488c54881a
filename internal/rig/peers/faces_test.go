package peers

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// patience bounds each wait for a peer. It is only reached when something is
// wrong.
const patience = 30 * time.Second

// noPings turns keepalive off: its pings would be among those that a check is
// about.
var noPings = keepalive.Config{Interval: -1}

// quiet keeps what the checks provoke, such as closing with an odd code, out of
// the test's output.
var quiet = slog.New(slog.DiscardHandler)

// A conn is a connection of either face. No call waits for longer than
// patience.
type conn interface {
	Recv() (protocol.Message, error)
	Send(protocol.Message) error
	SendWriter(protocol.MessageType) (io.WriteCloser, error)
	PingAndWait(payload string) error
	SendPong(payload string) error
	CloseWith(protocol.CloseCode, string) error
	CloseNow()
	Err() error
}

// A handle serves one connection of a server. u is the request's URL.
type handle func(c conn, u *url.URL) error

// A face is one of Tandem's two, as the checks see it.
type face struct {
	name    string
	connect func(t *testing.T, url string) (conn, error)
	serve   func(t *testing.T, h handle) (address string)
	mount   func(t *testing.T, h handle) http.Handler // for a page's own server
}

var faces = []face{
	{"sync", connectSync, serveSync, mountSync},
	{"async", connectAsync, serveAsync, mountAsync},
}

// A syncConn is a connection of the blocking face.
type syncConn struct{ *wssync.Conn }

func (c syncConn) Recv() (protocol.Message, error) { return c.Conn.RecvTimeout(patience) }

func (c syncConn) Send(m protocol.Message) error {
	return c.Conn.Send(m, wssync.WithTimeout(patience))
}

func (c syncConn) PingAndWait(payload string) error {
	pong, err := c.Ping([]byte(payload))
	if err != nil {
		return err
	}
	_, err = pong.Wait(patience)
	return err
}

func (c syncConn) SendPong(payload string) error { return c.Pong([]byte(payload)) }

func connectSync(t *testing.T, url string) (conn, error) {
	c, err := wssync.Connect(url, &wssync.ClientOptions{Keepalive: noPings, Logger: quiet})
	if err != nil {
		return nil, err
	}
	t.Cleanup(c.CloseNow)
	return syncConn{&c.Conn}, nil
}

func serveSync(t *testing.T, h handle) string {
	server, err := wssync.Serve(syncHandler(h), "127.0.0.1:0", syncServerOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.Addr().String()
}

func mountSync(t *testing.T, h handle) http.Handler {
	handler, err := wssync.NewHandler(syncHandler(h), syncServerOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handler.Shutdown(patience) })
	return handler
}

func syncHandler(h handle) wssync.HandlerFunc {
	return func(c *wssync.ServerConn) error { return h(syncConn{&c.Conn}, c.Request().URL) }
}

func syncServerOptions() *wssync.ServerOptions {
	return &wssync.ServerOptions{Keepalive: noPings, Logger: quiet}
}

// An asyncConn is a connection of the face with contexts.
type asyncConn struct{ *wsasync.Conn }

// within returns a context for one call. The time-out ends it.
func within() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(patience, cancel)
	return ctx
}

func (c asyncConn) Recv() (protocol.Message, error) { return c.Conn.Recv(within()) }

func (c asyncConn) Send(m protocol.Message) error { return c.Conn.Send(within(), m) }

func (c asyncConn) SendWriter(typ protocol.MessageType) (io.WriteCloser, error) {
	return c.Conn.SendWriter(within(), typ)
}

func (c asyncConn) PingAndWait(payload string) error {
	pong, err := c.Ping(within(), []byte(payload))
	if err != nil {
		return err
	}
	_, err = pong.Wait(within())
	return err
}

func (c asyncConn) SendPong(payload string) error { return c.Pong(within(), []byte(payload)) }

func connectAsync(t *testing.T, url string) (conn, error) {
	c, err := wsasync.Connect(within(), url, &wsasync.ClientOptions{Keepalive: noPings, Logger: quiet})
	if err != nil {
		return nil, err
	}
	t.Cleanup(c.CloseNow)
	return asyncConn{&c.Conn}, nil
}

func serveAsync(t *testing.T, h handle) string {
	server, err := wsasync.Serve(context.Background(), asyncHandler(h), "127.0.0.1:0", asyncServerOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.Addr().String()
}

func mountAsync(t *testing.T, h handle) http.Handler {
	handler, err := wsasync.NewHandler(asyncHandler(h), asyncServerOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handler.Shutdown(within()) })
	return handler
}

func asyncHandler(h handle) wsasync.HandlerFunc {
	return func(_ context.Context, c *wsasync.ServerConn) error { return h(asyncConn{&c.Conn}, c.Request().URL) }
}

func asyncServerOptions() *wsasync.ServerOptions {
	return &wsasync.ServerOptions{Keepalive: noPings, Logger: quiet}
}
