package sync

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tandemws/tandem/internal/dial"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// ClientConn is a client's connection.
type ClientConn struct{ Conn }

// ClientOptions are the settings of a client. nil and the zero value are good
// ones: in each field zero means the default, and in numbers and durations
// negative means off.
type ClientOptions struct {
	// Header has further fields for the opening handshake, such as Origin,
	// Cookie or Authorization. Those of the handshake itself are refused. An
	// empty User-Agent sends none.
	Header http.Header

	// Host is the value of the Host header; "" means that of the URL.
	Host string

	// Subprotocols are offered to the server in this order (RFC 6455,
	// section 1.9); see [Conn.Subprotocol] for its choice.
	Subprotocols []string

	// Extensions are offered to the server in this order, before compression.
	Extensions []protocol.ClientExtensionFactory

	// Compression has the settings of permessage-deflate (RFC 7692). By
	// default it is offered, with windows of 4 KiB; see [protocol.Deflate].
	Compression protocol.Deflate

	// TLSConfig is for wss URLs, those of redirects too. nil means the defaults
	// of crypto/tls. The ServerName is that of the URL unless it is set.
	// NextProtos are what it has but HTTP/2, or HTTP/1.1.
	TLSConfig *tls.Config

	// NetConn, if not nil, is used in place of a new network connection, whatever
	// UnixSocket, the dialers and Proxy say. It belongs to the connection from
	// then on, also when Connect fails.
	NetConn net.Conn

	// UnixSocket is the path of a Unix socket to connect to in place of the
	// URL's host.
	UnixSocket string

	// DialContext, if not nil, opens the network connection in place of a
	// [net.Dialer]: to the proxy, if there is one.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// DialTLSContext, if not nil, opens the connection for wss URLs in place of
	// DialContext and of TLSConfig: TLS is on it when it is returned, by
	// another library than crypto/tls for example. Through a proxy it is not
	// called.
	DialTLSContext func(ctx context.Context, network, address string) (net.Conn, error)

	// Proxy, if not nil, chooses the proxy for a request, whose URL has the
	// scheme http in place of ws and https in place of wss; a nil URL is none.
	// [http.ProxyURL] returns such a function for one proxy, with a nil URL for
	// no proxy, and [http.ProxyFromEnvironment] is one. It must be safe for
	// concurrent use if the options are used so.
	//
	// The scheme of a proxy is http or https (CONNECT), socks5, to which the
	// server's address is told, or socks5h, which looks the server's name up
	// itself. A user name and a password in its URL are for the proxy: Basic,
	// or those of SOCKS (RFC 7617 and 1929).
	//
	// By default the environment names it: WSS_PROXY or WS_PROXY, SOCKS_PROXY,
	// HTTPS_PROXY, for ws also HTTP_PROXY, ALL_PROXY, the first that is set, in
	// lower or in upper case, unless NO_PROXY has the server or the server is
	// localhost or a loopback address. There is none over NetConn and
	// UnixSocket.
	Proxy func(*http.Request) (*url.URL, error)

	// ProxyTLSConfig is for https proxies. nil means the defaults of
	// crypto/tls. The ServerName is that of the proxy's URL unless it is set.
	ProxyTLSConfig *tls.Config

	// ProxyConnectHeader has further fields for the CONNECT request to an HTTP
	// proxy.
	ProxyConnectHeader http.Header

	// ProxyDigestAuth, if not nil, is a user name and a password for HTTP
	// proxies that ask for Digest authentication, as DigestAuth is for servers.
	// Those of a proxy's URL would be sent as Basic before it asks.
	ProxyDigestAuth *url.Userinfo

	// MaxRedirects is how many redirects are followed, to ws, wss, http and
	// https URLs; never from TLS to none, and never from a UnixSocket or a
	// NetConn to another server. To another origin (scheme, host, port) go no
	// Authorization, Cookie and Host of these options, no password of the URL
	// and no DigestAuth. Default 10.
	MaxRedirects int

	// Jar, if not nil, has the cookies for requests, in addition to those of
	// Header, and gets those of all answers.
	Jar http.CookieJar

	// DigestAuth, if not nil, is a user name and a password for servers that
	// ask for Digest authentication (RFC 7616), with MD5, SHA-256 or
	// SHA-512-256. Nothing is sent before the server asks, and the password
	// never. For Basic, put them into the URL.
	DigestAuth *url.Userinfo

	// Reconnect has the settings of [Reconnect]; Connect has no use for them.
	// See package reconnect.
	Reconnect reconnect.Config

	// Stop, if not nil, ends [Reconnect] when it is closed. Connect has no use
	// for it.
	Stop <-chan struct{}

	// OpenTimeout bounds all of Connect: looking up the name, connecting, the
	// proxy, TLS and the opening handshake. Default 10 s.
	OpenTimeout time.Duration

	// CloseTimeout bounds the closing handshake. Default 10 s; it cannot be
	// turned off.
	CloseTimeout time.Duration

	// WriteTimeout bounds each write to the network. By default there is none:
	// keepalive notices a dead peer.
	WriteTimeout time.Duration

	// Keepalive is when to ping and when to give up: by default a ping every
	// 20 s, and 20 s for a sign of life.
	Keepalive keepalive.Config

	// KeepaliveThread, if not nil, is shared with other connections, which
	// saves a goroutine for each. By default the connection has its own.
	KeepaliveThread *keepalive.Thread

	// Hooks, if not nil, are told of pings, pongs, pauses and time-outs of
	// the connection.
	Hooks *keepalive.Hooks

	// MaxMessageSize is the size in bytes of the largest message that is
	// accepted. A larger one fails the connection with code 1009. Default
	// 1 MiB.
	MaxMessageSize int64

	// MaxQueue and MaxQueueBytes bound the messages that are kept for an
	// application that does not receive: when there are so many, or they have
	// so many bytes, reading pauses until a quarter is left, and the peer
	// feels it. Defaults 16 and 1 MiB.
	MaxQueue      int
	MaxQueueBytes int

	// MaxFragments is how many frames a message may come in, empty ones
	// included. One more fails the connection with code 1008. Default 131,072.
	MaxFragments int

	// MaxControlFrames is how many pings and pongs a second are accepted, and
	// how many at once; after a time in which reading was paused, those of that
	// time too. More fail the connection with code 1008. Default 1,000.
	MaxControlFrames int

	// MessageTimeout bounds how long a message may take to arrive, from its
	// first byte to its last, whatever comes in between. One that takes longer
	// fails the connection with code 1008 when its next bytes, or those of a
	// pong, are read; time in which the application does not receive counts
	// too. By default there is no bound.
	MessageTimeout time.Duration

	// MaxFragmentSize is the size in bytes above which a message is sent in
	// fragments of that size, so that pings and pongs get in between. Default
	// 256 KiB.
	MaxFragmentSize int

	// Hold is how long at most a message waits for others to leave with when
	// it is sent while more received ones are already here. Default 1 ms.
	Hold time.Duration

	// Logger gets what is worth knowing. nil means [slog.Default]. What
	// happens normally is logged at debug level.
	Logger *slog.Logger
}

// core returns the options that the core has, which are all but the thread and
// Stop.
func (o *ClientOptions) core() *dial.Options {
	return &dial.Options{
		Header:             o.Header,
		Host:               o.Host,
		Subprotocols:       o.Subprotocols,
		Extensions:         o.Extensions,
		Compression:        o.Compression,
		TLSConfig:          o.TLSConfig,
		NetConn:            o.NetConn,
		UnixSocket:         o.UnixSocket,
		DialContext:        o.DialContext,
		DialTLSContext:     o.DialTLSContext,
		Proxy:              o.Proxy,
		ProxyTLSConfig:     o.ProxyTLSConfig,
		ProxyConnectHeader: o.ProxyConnectHeader,
		ProxyDigestAuth:    o.ProxyDigestAuth,
		MaxRedirects:       o.MaxRedirects,
		Jar:                o.Jar,
		DigestAuth:         o.DigestAuth,
		OpenTimeout:        o.OpenTimeout,
		CloseTimeout:       o.CloseTimeout,
		WriteTimeout:       o.WriteTimeout,
		Hooks:              o.Hooks,
		Keepalive:          o.Keepalive,
		MaxMessageSize:     o.MaxMessageSize,
		MaxQueue:           o.MaxQueue,
		MaxQueueBytes:      o.MaxQueueBytes,
		MaxFragments:       o.MaxFragments,
		MaxControlFrames:   o.MaxControlFrames,
		MessageTimeout:     o.MessageTimeout,
		MaxFragmentSize:    o.MaxFragmentSize,
		Hold:               o.Hold,
		Logger:             o.Logger,
		Reconnect:          o.Reconnect,
	}
}

// thread returns the keepalive thread that the connection is to use.
func (o *ClientOptions) thread() *keepalive.Thread {
	if o.KeepaliveThread != nil {
		return o.KeepaliveThread
	}
	return new(keepalive.Thread)
}

// Connect opens a connection to a ws or wss URL, within the open timeout.
//
// The error tells a refusal ([*protocol.InvalidStatusError], with the server's
// answer) from an answer that is not WebSocket ([*protocol.HandshakeError],
// both are [protocol.ErrHandshake]), a redirect that is not followed
// ([*protocol.RedirectError]), a bad URL ([protocol.ErrURL]), a proxy in the
// way ([*protocol.ProxyError], with the proxy's answer) and errors of the
// network and of TLS. At the open timeout it is a [context.DeadlineExceeded].
func Connect(url string, opts *ClientOptions) (*ClientConn, error) {
	if opts == nil {
		opts = new(ClientOptions)
	}
	return connect(context.Background(), url, opts)
}

// connect is Connect, and can be cancelled.
func connect(ctx context.Context, url string, opts *ClientOptions) (*ClientConn, error) {
	core := opts.core()
	opened, err := dial.Dial(ctx, url, core)
	if err != nil {
		return nil, err
	}
	c := new(ClientConn)
	c.opening = link.Opening{Subprotocol: opened.Agreement.Subprotocol, Response: opened.Response}.Keep()
	c.link.SetHooks(c, opts.Hooks)
	shared := core.Link()
	shared.Thread = opts.thread()
	c.start(opened.Conn, opened.Early, shared, opened.Agreement.Extensions)
	return c, nil
}
