package peers

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// patience bounds each wait for a peer. It is only reached when something is
// wrong.
const patience = 30 * time.Second

// options are those of our clients and servers. Keepalive is off: its pings
// would be among those that a check is about.
func options() *face.Options {
	return &face.Options{Keepalive: keepalive.Config{Interval: -1}, WriteTimeout: patience}
}

// plain are those of a connection without compression.
func plain() *face.Options {
	opts := options()
	opts.Compression.Disabled = true
	return opts
}

// A conn is a connection of either face. No call waits for longer than
// patience.
type conn struct{ face.Conn }

func (c conn) Recv() (protocol.Message, error) { return c.Conn.Recv(patience) }

func (c conn) Send(m protocol.Message) error { return c.Conn.Send(m, patience) }

func (c conn) SendPong(payload string) error { return c.Pong([]byte(payload)) }

func (c conn) PingAndWait(payload string) error {
	pong, err := c.Ping([]byte(payload))
	if err != nil {
		return err
	}
	_, err = pong.Wait(patience)
	return err
}

// A handle serves one connection of a server. u is the request's URL.
type handle func(c conn, u *url.URL) error

func (h handle) serve(c face.Conn) error { return h(conn{c}, c.Request().URL) }

// connect opens a connection, which ends with the test.
func connect(t *testing.T, f face.Face, url string, opts *face.Options) (conn, error) {
	c, err := f.Connect(url, opts)
	if err != nil {
		return conn{}, err
	}
	t.Cleanup(c.CloseNow)
	return conn{c}, nil
}

// serve starts a server, which ends with the test.
func serve(t *testing.T, f face.Face, h handle, opts *face.Options) (address string) {
	server, err := f.Serve(h.serve, "127.0.0.1:0", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.Addr().String()
}

// mount returns what a server of a page serves beside the page.
func mount(t *testing.T, f face.Face, h handle, opts *face.Options) http.Handler {
	handler, err := f.NewHandler(h.serve, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handler.Shutdown(patience) })
	return handler
}
