// Package face lets tests treat package sync and package async alike. A test
// that both faces pass is written once, against [Face] and [Conn].
package face

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// A Face is package sync or package async.
type Face interface {
	Name() string
	Connect(url string, opts *Options) (Conn, error)
	Reconnect(url string, opts *Options) (conns iter.Seq2[Conn, error], stop func())
	Serve(handler func(Conn) error, addr string, opts *Options) (Server, error)
	Route(routes map[string]func(Conn) error, addr string, opts *Options) (Server, error)
	NewHandler(handler func(Conn) error, opts *Options) (Handler, error)
	BasicAuth(realm string, passwords map[string]string) Processor
	Pipe(client, server *Options) (Conn, Conn)
	Broadcast(conns []Conn, m protocol.Message, opts BroadcastOptions) (Missed, error)
	Prepare(m protocol.Message) (Prepared, error)

	// Of connections of this face.
	NetConn(conn Conn, typ protocol.MessageType) net.Conn
	RecvJSON(conn Conn, timeout time.Duration) (any, error)
	SendJSON(conn Conn, v any) error
}

// Both are the two faces.
var Both = []Face{Sync{}, Async{}}

// Named returns the face of a name, for programs that are told one.
func Named(name string) (Face, error) {
	for _, f := range Both {
		if f.Name() == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: a face called %q", errors.ErrUnsupported, name)
}

// A Conn is a connection of either face. Where a call can wait, timeout bounds
// it: with a context that has a deadline in async, with a duration in sync;
// 0 stands for a call without a bound; TimeoutError tells which error it has.
type Conn interface {
	Recv(timeout time.Duration) (protocol.Message, error)
	RecvAppend(dst []byte) (protocol.MessageType, []byte, error)
	RecvReader() (protocol.MessageType, io.Reader, error)
	Messages() iter.Seq2[protocol.Message, error]

	Send(m protocol.Message, timeout time.Duration) error
	SendCompressed(m protocol.Message, on bool) error
	SendWriter(typ protocol.MessageType) (io.WriteCloser, error)
	Flush() error

	Ping(payload []byte) (Pong, error)
	Pong(payload []byte) error
	Latency() time.Duration
	KeepaliveStats() keepalive.Stats
	SetKeepalive(keepalive.Config)
	SetMaxMessageSize(int64)

	CloseWith(code protocol.CloseCode, reason string) error
	Close() error
	CloseNow()
	Done() <-chan struct{}
	Err() error
	State() protocol.State

	Subprotocol() string
	Request() *http.Request
	Response() *http.Response
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	ID() string

	// Path, PathValue and Username are a server's; on a client they panic.
	Path() string
	Username() string
	PathValue(name string) string

	// TimeoutError is what errors.Is finds in the error of a call that was
	// left at its bound.
	TimeoutError() error
}

// A Pong is what a ping returned.
type Pong interface {
	Wait(timeout time.Duration) (time.Duration, error)
}

// A Server is a server of either face.
type Server interface {
	Addr() net.Addr
	Addrs() []net.Addr
	Wait() error
	Done() <-chan struct{}
	Close() error
	Shutdown(timeout time.Duration) error
	Drain(timeout time.Duration) error // Shutdown with KeepConnections
	CloseWith(code protocol.CloseCode, reason string) error
	Len() int // how many connections are open
	Stats() keepalive.Totals
}

// A Handler is an http.Handler of either face.
type Handler interface {
	http.Handler
	Done() <-chan struct{}
	Shutdown(timeout time.Duration) error
	Drain(timeout time.Duration) error // Shutdown with KeepConnections
	CloseWith(timeout time.Duration, code protocol.CloseCode, reason string) error
}
