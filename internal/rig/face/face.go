// Package face lets a rig drive both faces of Tandem in the same way: what
// takes a context gets one that does not end.
package face

import (
	"context"
	"net"
	"time"

	"github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/sync"
)

// A Face is package sync or package async.
type Face struct {
	Name    string
	Connect func(url string, opts Options) (Conn, error)
	Serve   func(handler func(Conn) error, opts Options) (Server, error)
}

// Both are the two faces.
var Both = []Face{
	{"sync", connectSync, serveSync},
	{"async", connectAsync, serveAsync},
}

// Options are those of a client or a server that rigs set. The rest have their
// defaults.
type Options struct {
	Keepalive      keepalive.Config
	CloseTimeout   time.Duration
	MaxMessageSize int64
	DialContext    func(ctx context.Context, network, address string) (net.Conn, error) // a client's
	Listener       net.Listener                                                         // a server's
}

// Conn is what the connections of both faces can do.
type Conn interface {
	Recv() (protocol.Message, error)
	Send(protocol.Message) error
	Close() error
	CloseNow()
	Done() <-chan struct{}
	Err() error
	KeepaliveStats() keepalive.Stats
}

// Server is what the servers of both faces can do.
type Server interface {
	Addr() net.Addr
	Close() error
}

type syncConn struct{ *sync.Conn }

func (c syncConn) Send(m protocol.Message) error { return c.Conn.Send(m) }

type asyncConn struct{ *async.Conn }

func (c asyncConn) Recv() (protocol.Message, error) { return c.Conn.Recv(context.Background()) }
func (c asyncConn) Send(m protocol.Message) error   { return c.Conn.Send(context.Background(), m) }

func connectSync(url string, opts Options) (Conn, error) {
	conn, err := sync.Connect(url, &sync.ClientOptions{
		Keepalive:      opts.Keepalive,
		CloseTimeout:   opts.CloseTimeout,
		MaxMessageSize: opts.MaxMessageSize,
		DialContext:    opts.DialContext,
	})
	if err != nil {
		return nil, err
	}
	return syncConn{&conn.Conn}, nil
}

func connectAsync(url string, opts Options) (Conn, error) {
	conn, err := async.Connect(context.Background(), url, &async.ClientOptions{
		Keepalive:      opts.Keepalive,
		CloseTimeout:   opts.CloseTimeout,
		MaxMessageSize: opts.MaxMessageSize,
		DialContext:    opts.DialContext,
	})
	if err != nil {
		return nil, err
	}
	return asyncConn{&conn.Conn}, nil
}

func serveSync(handler func(Conn) error, opts Options) (Server, error) {
	return sync.Serve(func(conn *sync.ServerConn) error {
		return handler(syncConn{&conn.Conn})
	}, loopback, &sync.ServerOptions{
		Keepalive:      opts.Keepalive,
		CloseTimeout:   opts.CloseTimeout,
		MaxMessageSize: opts.MaxMessageSize,
		Listeners:      listeners(opts.Listener),
	})
}

func serveAsync(handler func(Conn) error, opts Options) (Server, error) {
	return async.Serve(context.Background(), func(_ context.Context, conn *async.ServerConn) error {
		return handler(asyncConn{&conn.Conn})
	}, loopback, &async.ServerOptions{
		Keepalive:      opts.Keepalive,
		CloseTimeout:   opts.CloseTimeout,
		MaxMessageSize: opts.MaxMessageSize,
		Listeners:      listeners(opts.Listener),
	})
}

// loopback is where a server listens that was given no listener.
const loopback = "127.0.0.1:0"

func listeners(listener net.Listener) []net.Listener {
	if listener == nil {
		return nil
	}
	return []net.Listener{listener}
}
