// Package dial opens a client's connection: from a URL to a transport, over
// TLS if need be, through the opening handshake, to what package link makes a
// connection of.
package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// Options are what the options of both faces come to; they are documented
// there. Zero means the default and negative means off.
type Options struct {
	Header       http.Header
	Host         string
	Subprotocols []string
	Extensions   []protocol.ClientExtensionFactory
	Compression  protocol.Deflate

	TLSConfig   *tls.Config
	NetConn     net.Conn
	UnixSocket  string
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	Reconnect reconnect.Config

	OpenTimeout  time.Duration
	CloseTimeout time.Duration
	WriteTimeout time.Duration
	Keepalive    keepalive.Config
	Hooks        *keepalive.Hooks

	MaxMessageSize   int64
	MaxQueue         int
	MaxQueueBytes    int
	MaxFragments     int
	MaxControlFrames int
	MessageTimeout   time.Duration

	MaxFragmentSize int
	Hold            time.Duration

	Logger *slog.Logger
}

// Link returns the options of the connection.
func (o *Options) Link() *link.Options {
	return link.Options{
		Role:             protocol.Client,
		MaxMessageSize:   o.MaxMessageSize,
		MaxQueue:         o.MaxQueue,
		MaxQueueBytes:    o.MaxQueueBytes,
		CloseTimeout:     o.CloseTimeout,
		WriteTimeout:     o.WriteTimeout,
		MaxFragments:     o.MaxFragments,
		MaxControlFrames: o.MaxControlFrames,
		MessageTimeout:   o.MessageTimeout,
		MaxFragmentSize:  o.MaxFragmentSize,
		Hold:             o.Hold,
		Keepalive:        o.Keepalive,
		Logger:           o.Logger,
	}.WithDefaults()
}

// A Result is a connection whose opening handshake is over.
type Result struct {
	Conn      net.Conn
	Early     []byte         // what the server sent behind its response
	Response  *http.Response // with the request in it
	Agreement protocol.Agreement
}

// Dial opens a connection to rawURL. The context, and the open timeout, hold
// for all of it and no longer.
func Dial(ctx context.Context, rawURL string, opts *Options) (*Result, error) {
	result, err := dial(ctx, rawURL, opts)
	if err != nil && opts.NetConn != nil {
		opts.NetConn.Close() // it is ours, however early we have failed
	}
	return result, err
}

func dial(ctx context.Context, rawURL string, opts *Options) (*Result, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", protocol.ErrURL, err)
	}
	extensions, err := link.ClientExtensions(opts.Extensions, opts.Compression)
	if err != nil {
		return nil, err
	}
	offer := protocol.Offer{
		Subprotocols: opts.Subprotocols, Extensions: extensions,
		Host: opts.Host, Header: opts.Header,
	}
	req, err := offer.Request(u)
	if err != nil {
		return nil, err
	}
	if timeout := link.Default(opts.OpenTimeout, link.DefaultOpenTimeout); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, errOpenTimeout)
		defer cancel()
	}
	result, err := open(ctx, req, &offer, opts)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return result, nil
}

// errOpenTimeout is the cause when the open timeout ends a Dial. It is a
// context.DeadlineExceeded, as that of the caller's context would be.
var errOpenTimeout = fmt.Errorf("websocket: open timeout: %w", context.DeadlineExceeded)

// explain returns err, or why the context ended if that is what it comes from.
func explain(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if at, bounded := ctx.Deadline(); bounded && cause == nil && !time.Now().Before(at) {
		cause = context.DeadlineExceeded // who saw it first was not the context
	}
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

func open(ctx context.Context, req *http.Request, offer *protocol.Offer, opts *Options) (*Result, error) {
	conn, err := transport(ctx, req, opts)
	if err != nil {
		return nil, err
	}
	result, err := handshake(ctx, conn, req, offer)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return result, nil
}

// transport connects to the server that req is for.
func transport(ctx context.Context, req *http.Request, opts *Options) (net.Conn, error) {
	conn, err := connect(ctx, req, opts)
	if err != nil || req.URL.Scheme != "https" {
		return conn, err
	}
	secure := tls.Client(conn, tlsConfig(req, opts))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("websocket: TLS handshake: %w", err)
	}
	return secure, nil
}

// connect opens the connection that carries everything. A connection that was
// given is ours from here on.
func connect(ctx context.Context, req *http.Request, opts *Options) (net.Conn, error) {
	if opts.NetConn != nil {
		return opts.NetConn, nil
	}
	dial := opts.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	network, address := "tcp", hostPort(req.URL)
	if opts.UnixSocket != "" {
		network, address = "unix", opts.UnixSocket
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("websocket: %w", err)
	}
	return conn, nil
}

// hostPort returns the address of the URL's server, with the scheme's port if
// it has none (RFC 6455, section 3).
func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// tlsConfig returns the configuration of a handshake that leads to HTTP/1.1,
// in which alone Upgrade means something, and names the URL's host unless the
// caller's does otherwise.
func tlsConfig(req *http.Request, opts *Options) *tls.Config {
	config := opts.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = req.URL.Hostname()
	}
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{"http/1.1"}
	}
	return config
}
