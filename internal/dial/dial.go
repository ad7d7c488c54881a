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
	"slices"
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
	DialContext dialer

	DialTLSContext dialer

	Proxy              func(*http.Request) (*url.URL, error)
	ProxyTLSConfig     *tls.Config
	ProxyConnectHeader http.Header
	ProxyDigestAuth    *url.Userinfo

	MaxRedirects int
	Jar          http.CookieJar
	DigestAuth   *url.Userinfo

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
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	extensions, err := link.ClientExtensions(opts.Extensions, opts.Compression)
	if err != nil {
		return nil, err
	}
	j := &journey{opts: opts, url: u, user: opts.DigestAuth, offer: protocol.Offer{
		Subprotocols: opts.Subprotocols, Extensions: extensions,
		Host: opts.Host, Header: opts.Header,
	}}
	if err := j.prepare(); err != nil {
		return nil, err
	}
	var openBy time.Time
	if timeout := link.Default(opts.OpenTimeout, link.DefaultOpenTimeout); timeout > 0 {
		openBy = time.Now().Add(timeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, openBy, openTimeout{})
		defer cancel()
	}
	result, err := j.run(ctx)
	if err != nil {
		return nil, explain(ctx, openBy, err)
	}
	return result, nil
}

// parseURL reads a URL with characters beyond ASCII where a person puts them.
// The error does not show what may be a password.
func parseURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, fmt.Errorf("%w: %w", protocol.ErrURL, err)
	}
	if u.Host, err = asciiHost(u.Host); err != nil {
		return nil, fmt.Errorf("%w: the name of the host: %w", protocol.ErrURL, err)
	}
	return u, nil
}

// An openTimeout is the cause when the open timeout ends a Dial. It is a
// context.DeadlineExceeded, as that of the caller's context would be, and does not
// say so: what was under way, whose error is told behind it, says that itself.
type openTimeout struct{}

func (openTimeout) Error() string { return "websocket: open timeout" }
func (openTimeout) Unwrap() error { return context.DeadlineExceeded }

// explain returns err, or why the context ended if that is what it comes from.
// openBy is the end of the open timeout; zero: there is none.
func explain(ctx context.Context, openBy time.Time, err error) error {
	cause := context.Cause(ctx)
	if cause == nil && expired(ctx) {
		cause = context.DeadlineExceeded // who saw it first was not the context
		if deadline, _ := ctx.Deadline(); deadline.Equal(openBy) {
			cause = openTimeout{}
		}
	}
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// expired reports whether the context has ended, or is about to: its deadline
// is that of the connection too, which may notice first.
func expired(ctx context.Context) bool {
	deadline, bounded := ctx.Deadline()
	return ctx.Err() != nil || bounded && !time.Now().Before(deadline)
}

// transport connects to the server that req is for, and returns what came
// already.
func transport(ctx context.Context, req *http.Request, opts *Options) (conn net.Conn, early []byte, err error) {
	conn, early, secured, err := connect(ctx, req, opts)
	if err != nil || secured || req.URL.Scheme != "https" {
		return conn, early, err
	}
	under := conn
	if len(early) > 0 {
		under = &resumed{conn, early}
	}
	secure := tls.Client(under, completeTLS(opts.TLSConfig, req.URL.Hostname()))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("websocket: TLS handshake: %w", err)
	}
	return secure, nil, nil
}

// A resumed connection begins with bytes that were read from it already.
type resumed struct {
	net.Conn
	early []byte
}

func (r *resumed) Read(p []byte) (int, error) {
	if len(r.early) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.early)
	r.early = r.early[n:]
	return n, nil
}

// connect opens the connection that carries everything, and reports whether TLS
// is on it already. A connection that was given is ours from here on.
func connect(ctx context.Context, req *http.Request, opts *Options) (conn net.Conn, early []byte, secured bool, err error) {
	if opts.NetConn != nil {
		return opts.NetConn, nil, false, nil
	}
	network, address := "tcp", hostPort(req.URL)
	if opts.UnixSocket != "" {
		network, address = "unix", opts.UnixSocket
	} else if proxy, err := chooseProxy(req, opts); err != nil {
		return nil, nil, false, err
	} else if proxy != nil {
		conn, early, err = proxy.through(ctx)
		return conn, early, false, err
	}
	dial := opts.dialer()
	if secured = opts.DialTLSContext != nil && req.URL.Scheme == "https"; secured {
		dial = checked(opts.DialTLSContext)
	}
	conn, err = dial(ctx, network, address)
	if err != nil {
		return nil, nil, false, fmt.Errorf("websocket: %w", err)
	}
	return conn, nil, secured, nil
}

// A dialer opens network connections.
type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// dialer returns what opens network connections.
func (o *Options) dialer() dialer {
	if o.DialContext != nil {
		return checked(o.DialContext)
	}
	return new(net.Dialer).DialContext
}

// errNoConn: a dialer of the caller's has broken its contract.
var errNoConn = errors.New("the dialer returned neither a connection nor an error")

// checked returns a dialer of the caller's that always returns one of the two.
func checked(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if conn == nil && err == nil {
			err = errNoConn
		}
		return conn, err
	}
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

// completeTLS returns the configuration of a handshake that leads to HTTP/1.1,
// in which alone Upgrade and CONNECT mean what we mean, and names the host
// unless the caller's does otherwise. A configuration that an http.Transport has
// had asks for HTTP/2, which the Transport has put in.
func completeTLS(config *tls.Config, host string) *tls.Config {
	config = config.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = slices.DeleteFunc(slices.Clone(config.NextProtos), func(proto string) bool { return proto == "h2" })
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{"http/1.1"}
	}
	return config
}
