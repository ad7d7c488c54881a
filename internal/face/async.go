package face

import (
	"context"
	"io"
	"iter"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// Async is package async.
type Async struct{}

func (Async) Name() string { return "async" }

func (Async) Connect(url string, opts *Options) (Conn, error) {
	conn, err := wsasync.Connect(context.Background(), url, asyncClient(opts))
	if err != nil {
		return nil, err
	}
	return &asyncConn{Conn: &conn.Conn}, nil
}

// Reconnect stops when a context ends.
func (Async) Reconnect(url string, opts *Options) (iter.Seq2[Conn, error], func()) {
	ctx, cancel := context.WithCancel(context.Background())
	return func(yield func(Conn, error) bool) {
		for conn, err := range wsasync.Reconnect(ctx, url, asyncClient(opts)) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&asyncConn{Conn: &conn.Conn}, nil) {
				return
			}
		}
	}, cancel
}

func (Async) Serve(handler func(Conn) error, addr string, opts *Options) (Server, error) {
	server, err := wsasync.Serve(context.Background(), asyncHandler(handler), addr, asyncServer(opts))
	if err != nil {
		return nil, err
	}
	return asyncServing{server}, nil
}

func (Async) Route(routes map[string]func(Conn) error, addr string, opts *Options) (Server, error) {
	handlers := make(map[string]wsasync.HandlerFunc)
	for pattern, handler := range routes {
		handlers[pattern] = asyncHandler(handler)
	}
	server, err := wsasync.Route(context.Background(), handlers, addr, asyncServer(opts))
	if err != nil {
		return nil, err
	}
	return asyncServing{server}, nil
}

func (Async) BasicAuth(realm string, passwords map[string]string) Processor {
	return wsasync.BasicAuth(realm, wsasync.Credentials(passwords))
}

func (Async) NewHandler(handler func(Conn) error, opts *Options) (Handler, error) {
	h, err := wsasync.NewHandler(asyncHandler(handler), asyncServer(opts))
	if err != nil {
		return nil, err
	}
	return asyncHandling{h}, nil
}

func (Async) Pipe(client, server *Options) (Conn, Conn) {
	a, b := wsasync.Pipe(context.Background(), &wsasync.PipeOptions{Client: *asyncClient(client), Server: *asyncServer(server)})
	return &asyncConn{Conn: &a.Conn}, &asyncConn{&b.Conn, b}
}

func asyncHandler(handler func(Conn) error) wsasync.HandlerFunc {
	if handler == nil {
		return nil
	}
	return func(_ context.Context, conn *wsasync.ServerConn) error { return handler(&asyncConn{&conn.Conn, conn}) }
}

func asyncClient(opts *Options) *wsasync.ClientOptions {
	if opts == nil {
		opts = new(Options)
	}
	return &wsasync.ClientOptions{
		NetConn: opts.NetConn, UnixSocket: opts.Unix, DialContext: opts.Dial, DialTLSContext: opts.DialTLS, Host: opts.Host, TLSConfig: opts.TLS,
		Proxy: opts.Proxy, ProxyTLSConfig: opts.ProxyTLS, ProxyConnectHeader: opts.ProxyHeader, ProxyDigestAuth: opts.ProxyDigest,
		MaxRedirects: opts.MaxRedirects, Jar: opts.Jar, DigestAuth: opts.Digest,
		Header: opts.Header, Subprotocols: opts.Protocol, Logger: opts.logger(), Reconnect: opts.Reconnect,
		OpenTimeout: opts.OpenTimeout, CloseTimeout: opts.CloseTimeout, WriteTimeout: opts.WriteTimeout,
		Keepalive: opts.Keepalive, Hooks: opts.Hooks,
		Extensions: opts.offered(), Compression: opts.Compression,
		MaxMessageSize: opts.MaxMessageSize, MaxQueue: opts.MaxQueue, MaxQueueBytes: opts.MaxQueueBytes,
		MaxFragments: opts.MaxFragments, MaxControlFrames: opts.MaxControlFrames, MessageTimeout: opts.MessageTimeout,
		MaxFragmentSize: opts.MaxFragmentSize, Hold: opts.Hold,
	}
}

// asyncServer does not name the fields again: they are those of package sync,
// or this does not compile.
func asyncServer(opts *Options) *wsasync.ServerOptions {
	server := wsasync.ServerOptions(*syncServer(opts))
	return &server
}

type asyncConn struct {
	*wsasync.Conn
	server *wsasync.ServerConn // nil on a client
}

func (c *asyncConn) Path() string                 { return c.server.Path() }
func (c *asyncConn) Username() string             { return c.server.Username() }
func (c *asyncConn) PathValue(name string) string { return c.server.PathValue(name) }

// bounded returns a context that ends after the timeout, or one that does not.
func bounded(timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), timeout)
}

func (c *asyncConn) Recv(timeout time.Duration) (protocol.Message, error) {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return c.Conn.Recv(ctx)
}

func (c *asyncConn) RecvAppend(dst []byte) (protocol.MessageType, []byte, error) {
	return c.Conn.RecvAppend(context.Background(), dst)
}

func (c *asyncConn) RecvReader() (protocol.MessageType, io.Reader, error) {
	return c.Conn.RecvReader(context.Background())
}

func (c *asyncConn) Messages() iter.Seq2[protocol.Message, error] {
	return c.Conn.Messages(context.Background())
}

func (c *asyncConn) Send(m protocol.Message, timeout time.Duration) error {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return c.Conn.Send(ctx, m)
}

func (c *asyncConn) SendCompressed(m protocol.Message, on bool) error {
	return c.Conn.Send(context.Background(), m, wsasync.WithCompression(on))
}

func (c *asyncConn) SendWriter(typ protocol.MessageType) (io.WriteCloser, error) {
	return c.Conn.SendWriter(context.Background(), typ)
}

func (c *asyncConn) Flush() error { return c.Conn.Flush(context.Background()) }

func (c *asyncConn) Ping(payload []byte) (Pong, error) {
	pong, err := c.Conn.Ping(context.Background(), payload)
	if err != nil {
		return nil, err
	}
	return asyncPong{pong}, nil
}

func (c *asyncConn) Pong(payload []byte) error { return c.Conn.Pong(context.Background(), payload) }

func (c *asyncConn) TimeoutError() error { return context.DeadlineExceeded }

type asyncPong struct{ pong *wsasync.Pong }

func (p asyncPong) Wait(timeout time.Duration) (time.Duration, error) {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return p.pong.Wait(ctx)
}

type asyncServing struct{ *wsasync.Server }

func (s asyncServing) Len() int { return count(s.Connections()) }

func (s asyncServing) Shutdown(timeout time.Duration) error {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return s.Server.Shutdown(ctx)
}

func (s asyncServing) Drain(timeout time.Duration) error {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return s.Server.Shutdown(ctx, wsasync.KeepConnections())
}

func (s asyncServing) CloseWith(code protocol.CloseCode, reason string) error {
	return s.Server.ShutdownWith(context.Background(), code, reason)
}

type asyncHandling struct{ *wsasync.Handler }

func (h asyncHandling) Shutdown(timeout time.Duration) error {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return h.Handler.Shutdown(ctx)
}

func (h asyncHandling) Drain(timeout time.Duration) error {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return h.Handler.Shutdown(ctx, wsasync.KeepConnections())
}

func (h asyncHandling) CloseWith(timeout time.Duration, code protocol.CloseCode, reason string) error {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return h.Handler.Shutdown(ctx, wsasync.WithCloseCode(code, reason))
}
