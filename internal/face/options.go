package face

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// Options are those that the tests use, of a client or a server. nil and zero
// stand for the defaults, but nobody gets what is logged.
type Options struct {
	NetConn      net.Conn          // a client's
	Unix         string            // a client's: a socket to connect to
	Dial         Dialer            // a client's
	DialTLS      Dialer            // a client's
	Host         string            // a client's
	Proxy        Chooser           // a client's
	ProxyTLS     *tls.Config       // a client's
	ProxyHeader  http.Header       // a client's
	ProxyDigest  *url.Userinfo     // a client's
	MaxRedirects int               // a client's
	Jar          http.CookieJar    // a client's
	Digest       *url.Userinfo     // a client's
	TLS          *tls.Config       // a client's or a server's
	Listener     net.Listener      // a server's; nil: those of Listeners
	Listeners    []net.Listener    // a server's
	Origins      []string          // a server's
	Select       Selector          // a server's choice of a subprotocol
	Process      Processor         // a server's
	Respond      Responder         // a server's
	Fallback     http.Handler      // a server's
	Header       http.Header       // for the request or the response
	Protocol     []string          // subprotocols
	Log          io.Writer         // gets what is logged; nil: nobody does
	Thread       *keepalive.Thread // a sync client's; nil: its own

	Reconnect                               reconnect.Config // a client's
	CloseTimeout, WriteTimeout, OpenTimeout time.Duration
	Keepalive                               keepalive.Config
	Hooks                                   *keepalive.Hooks
	Enforcement                             keepalive.Enforcement // a server's
	MaxMessageSize                          int64
	Extensions                              []Extension
	Compression                             protocol.Deflate
	MaxQueue, MaxQueueBytes                 int
	MaxFragments, MaxControlFrames          int
	MessageTimeout                          time.Duration
	MaxFragmentSize                         int
	Hold                                    time.Duration
	DiscardRequest                          bool

	MaxConnections, MaxPerAddress int // a server's, as all below
	MaxHeaderBytes, MaxURLBytes   int
	FirstMessageTimeout           time.Duration
}

// An Extension is one that clients offer and servers accept.
type Extension interface {
	protocol.ClientExtensionFactory
	protocol.ServerExtensionFactory
}

func (o *Options) offered() (list []protocol.ClientExtensionFactory) {
	for _, ext := range o.Extensions {
		list = append(list, ext)
	}
	return list
}

func (o *Options) accepted() (list []protocol.ServerExtensionFactory) {
	for _, ext := range o.Extensions {
		list = append(list, ext)
	}
	return list
}

// A Dialer opens a client's network connection.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// A Chooser chooses a proxy.
type Chooser func(*http.Request) (*url.URL, error)

// A Selector chooses a subprotocol.
type Selector func(r *http.Request, offered []string) (string, error)

// A Processor looks at a request.
type Processor func(w http.ResponseWriter, r *http.Request) *http.Request

// A Responder looks at the header of a response.
type Responder func(r *http.Request, status int, header http.Header)

func (o *Options) listeners() []net.Listener {
	if o.Listener == nil {
		return o.Listeners
	}
	return []net.Listener{o.Listener}
}

func (o *Options) logger() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
