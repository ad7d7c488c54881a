package face

import (
	"io"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// Sync is package sync.
type Sync struct{}

func (Sync) Name() string { return "sync" }

func (Sync) Connect(url string, opts *Options) (Conn, error) {
	conn, err := wssync.Connect(url, syncClient(opts))
	if err != nil {
		return nil, err
	}
	return &syncConn{Conn: &conn.Conn}, nil
}

// Reconnect stops when a channel is closed.
func (Sync) Reconnect(url string, opts *Options) (iter.Seq2[Conn, error], func()) {
	client := syncClient(opts)
	stop := make(chan struct{})
	client.Stop = stop
	return func(yield func(Conn, error) bool) {
		for conn, err := range wssync.Reconnect(url, client) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&syncConn{Conn: &conn.Conn}, nil) {
				return
			}
		}
	}, sync.OnceFunc(func() { close(stop) })
}

func (Sync) Serve(handler func(Conn) error, addr string, opts *Options) (Server, error) {
	server, err := wssync.Serve(syncHandler(handler), addr, syncServer(opts))
	if err != nil {
		return nil, err
	}
	return syncServing{server}, nil
}

func (Sync) Route(routes map[string]func(Conn) error, addr string, opts *Options) (Server, error) {
	handlers := make(map[string]wssync.HandlerFunc)
	for pattern, handler := range routes {
		handlers[pattern] = syncHandler(handler)
	}
	server, err := wssync.Route(handlers, addr, syncServer(opts))
	if err != nil {
		return nil, err
	}
	return syncServing{server}, nil
}

func (Sync) BasicAuth(realm string, passwords map[string]string) Processor {
	return wssync.BasicAuth(realm, wssync.Credentials(passwords))
}

func (Sync) NewHandler(handler func(Conn) error, opts *Options) (Handler, error) {
	h, err := wssync.NewHandler(syncHandler(handler), syncServer(opts))
	if err != nil {
		return nil, err
	}
	return syncHandling{h}, nil
}

func (Sync) Pipe(client, server *Options) (Conn, Conn) {
	a, b := wssync.Pipe(&wssync.PipeOptions{Client: *syncClient(client), Server: *syncServer(server)})
	return &syncConn{Conn: &a.Conn}, &syncConn{&b.Conn, b}
}

func syncHandler(handler func(Conn) error) wssync.HandlerFunc {
	if handler == nil {
		return nil
	}
	return func(conn *wssync.ServerConn) error { return handler(&syncConn{&conn.Conn, conn}) }
}

func syncClient(opts *Options) *wssync.ClientOptions {
	if opts == nil {
		opts = new(Options)
	}
	return &wssync.ClientOptions{
		NetConn: opts.NetConn, UnixSocket: opts.Unix, DialContext: opts.Dial, DialTLSContext: opts.DialTLS, Host: opts.Host, TLSConfig: opts.TLS,
		Proxy: opts.Proxy, ProxyTLSConfig: opts.ProxyTLS, ProxyConnectHeader: opts.ProxyHeader, ProxyDigestAuth: opts.ProxyDigest,
		MaxRedirects: opts.MaxRedirects, Jar: opts.Jar, DigestAuth: opts.Digest,
		Header: opts.Header, Subprotocols: opts.Protocol, Logger: opts.logger(), Reconnect: opts.Reconnect,
		OpenTimeout: opts.OpenTimeout, CloseTimeout: opts.CloseTimeout, WriteTimeout: opts.WriteTimeout,
		Keepalive: opts.Keepalive, Hooks: opts.Hooks, KeepaliveThread: opts.Thread,
		Extensions: opts.offered(), Compression: opts.Compression,
		MaxMessageSize: opts.MaxMessageSize, MaxQueue: opts.MaxQueue, MaxQueueBytes: opts.MaxQueueBytes,
		MaxFragments: opts.MaxFragments, MaxControlFrames: opts.MaxControlFrames, MessageTimeout: opts.MessageTimeout,
		MaxFragmentSize: opts.MaxFragmentSize, Hold: opts.Hold,
	}
}

func syncServer(opts *Options) *wssync.ServerOptions {
	if opts == nil {
		opts = new(Options)
	}
	return &wssync.ServerOptions{
		Listeners: opts.listeners(), TLSConfig: opts.TLS, Origins: opts.Origins, SelectSubprotocol: opts.Select,
		ProcessRequest: opts.Process, ProcessResponse: opts.Respond, Fallback: opts.Fallback,
		MaxConnections: opts.MaxConnections, MaxConnectionsPerAddress: opts.MaxPerAddress,
		MaxHeaderBytes: opts.MaxHeaderBytes, MaxURLBytes: opts.MaxURLBytes, FirstMessageTimeout: opts.FirstMessageTimeout,
		Header: opts.Header, Subprotocols: opts.Protocol, Logger: opts.logger(),
		OpenTimeout: opts.OpenTimeout, CloseTimeout: opts.CloseTimeout, WriteTimeout: opts.WriteTimeout,
		Keepalive: opts.Keepalive, Hooks: opts.Hooks, Enforcement: opts.Enforcement,
		Extensions: opts.accepted(), Compression: opts.Compression,
		MaxMessageSize: opts.MaxMessageSize, MaxQueue: opts.MaxQueue, MaxQueueBytes: opts.MaxQueueBytes,
		MaxFragments: opts.MaxFragments, MaxControlFrames: opts.MaxControlFrames, MessageTimeout: opts.MessageTimeout,
		MaxFragmentSize: opts.MaxFragmentSize, Hold: opts.Hold, DiscardRequest: opts.DiscardRequest,
	}
}

type syncConn struct {
	*wssync.Conn
	server *wssync.ServerConn // nil on a client
}

func (c *syncConn) Path() string                 { return c.server.Path() }
func (c *syncConn) Username() string             { return c.server.Username() }
func (c *syncConn) PathValue(name string) string { return c.server.PathValue(name) }

func (c *syncConn) Recv(timeout time.Duration) (protocol.Message, error) {
	if timeout == 0 {
		return c.Conn.Recv()
	}
	return c.Conn.RecvTimeout(timeout)
}

func (c *syncConn) Send(m protocol.Message, timeout time.Duration) error {
	if timeout == 0 {
		return c.Conn.Send(m)
	}
	return c.Conn.Send(m, wssync.WithTimeout(timeout))
}

func (c *syncConn) SendCompressed(m protocol.Message, on bool) error {
	return c.Conn.Send(m, wssync.WithCompression(on))
}

func (c *syncConn) SendWriter(typ protocol.MessageType) (io.WriteCloser, error) {
	return c.Conn.SendWriter(typ)
}

func (c *syncConn) Ping(payload []byte) (Pong, error) {
	pong, err := c.Conn.Ping(payload)
	if err != nil {
		return nil, err
	}
	return pong, nil
}

func (c *syncConn) TimeoutError() error { return os.ErrDeadlineExceeded }

type syncServing struct{ *wssync.Server }

func (s syncServing) Len() int { return count(s.Connections()) }

func (s syncServing) Shutdown(timeout time.Duration) error { return s.Server.Shutdown(timeout) }

func (s syncServing) Drain(timeout time.Duration) error {
	return s.Server.Shutdown(timeout, wssync.KeepConnections())
}

type syncHandling struct{ *wssync.Handler }

func (h syncHandling) Shutdown(timeout time.Duration) error { return h.Handler.Shutdown(timeout) }

func (h syncHandling) Drain(timeout time.Duration) error {
	return h.Handler.Shutdown(timeout, wssync.KeepConnections())
}

func (h syncHandling) CloseWith(timeout time.Duration, code protocol.CloseCode, reason string) error {
	return h.Handler.Shutdown(timeout, wssync.WithCloseCode(code, reason))
}

func count[T any](seq iter.Seq[T]) (n int) {
	for range seq {
		n++
	}
	return n
}
