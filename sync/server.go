package sync

import (
	"crypto/tls"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/internal/serve"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// ServerConn is a server's connection.
type ServerConn struct {
	Conn
}

// ServerOptions are the settings of a server. nil and the zero value are good
// ones: in each field zero means the default, and in numbers and durations
// negative means off.
type ServerOptions struct {
	// Header has further fields for the response of the opening handshake.
	// Those of the handshake itself are refused; an http.ResponseWriter's that
	// middleware has set come on top of them. {"Server": nil} leaves out the
	// Server header, which names this SDK otherwise.
	Header http.Header

	// Subprotocols that the server speaks, in order of preference. If there
	// are any, a client that offers none of them is refused (RFC 6455,
	// section 1.9).
	Subprotocols []string

	// SelectSubprotocol, if not nil, chooses in place of that rule: one of
	// offered, or "" for none. An error refuses the client, with status 400 and
	// the error's text.
	SelectSubprotocol func(r *http.Request, offered []string) (string, error)

	// Extensions that clients may use, before compression.
	Extensions []protocol.ServerExtensionFactory

	// Compression has the settings of permessage-deflate (RFC 7692). By
	// default it is accepted, with windows of 4 KiB; see [protocol.Deflate].
	Compression protocol.Deflate

	// Origins are the web pages that may connect from elsewhere, such as
	// "https://example.com"; "https://*.example.com" for all its subdomains,
	// "http://localhost:*" for all ports, "null" for pages without an origin, or
	// "*" for all. Pages of the server's own origin may always, and programs
	// that are not browsers. Others are refused with status 403. A browser sends
	// its user's cookies whichever page connects: think of that before "*". See
	// [protocol.Acceptor] for the rules.
	Origins []string

	// ProcessRequest, if not nil, is called with each request before it is
	// looked at, to refuse it, to answer with something else than WebSocket or
	// to find out who sent it. It returns the request to go on with: r, or one
	// made of it, with values in its context for the handler. If it has answered
	// with w, or taken the connection with [http.ResponseController], it returns
	// nil. [Route] goes by the path that the client has sent.
	//
	// Fields that it sets in w.Header go into the response whatever follows.
	// The request's context ends at OpenTimeout. Requests that go to Fallback
	// do not come here. It may be called concurrently, as all hooks. A hook that
	// panics is told of in the log, and its client gets no answer. See [BasicAuth]
	// for one that is ready to use.
	ProcessRequest func(w http.ResponseWriter, r *http.Request) *http.Request

	// ProcessResponse, if not nil, may change the header of the response to an
	// opening handshake: status is 101, or that of a refusal. What belongs to
	// the handshake stays as it is. Names that RFC 6455 defines are spelt as
	// there; see [protocol.HeaderValues].
	ProcessResponse func(r *http.Request, status int, header http.Header)

	// Fallback, if not nil, answers the requests that do not ask for WebSocket:
	// health checks, metrics, a page. By default they are refused with status
	// 426. Reading a request's body may take no longer than OpenTimeout.
	Fallback http.Handler

	// Listeners, if there are any, are served in place of a new one. They are
	// closed with the server.
	Listeners []net.Listener

	// TLSConfig makes the server one for wss URLs.
	TLSConfig *tls.Config

	// MaxConnections bounds the connections, those included that are opening
	// and those whose handler still runs. More are refused with status 503. By
	// default there is no bound.
	MaxConnections int

	// MaxConnectionsPerAddress bounds those of one remote address, likewise:
	// of an IPv4 address, or of the first 64 bits of an IPv6 address. The
	// address is the request's RemoteAddr, which behind a proxy is the proxy's
	// unless middleware or ProcessRequest has replaced it. By default there is
	// no bound.
	MaxConnectionsPerAddress int

	// MaxHeaderBytes bounds the size in bytes of a request, its line included; a
	// larger one is refused with status 431. Default 64 KiB. A Handler leaves
	// that to its HTTP server.
	MaxHeaderBytes int

	// MaxURLBytes bounds the size in bytes of a request's path and query. A
	// longer one is refused with status 414. Default 8 KiB.
	MaxURLBytes int

	// OpenTimeout bounds the opening handshake: from accepting a connection
	// to having read the request, and again ProcessRequest and writing the
	// response. Default 10 s.
	OpenTimeout time.Duration

	// FirstMessageTimeout bounds the time from the opening handshake to the
	// beginning of the client's first message, in which it may have to say who
	// it is. A client that takes longer is closed with code 1008; the error is
	// [ErrFirstMessageTimeout]. By default there is no bound.
	FirstMessageTimeout time.Duration

	// CloseTimeout bounds the closing handshake. Default 10 s; it cannot be
	// turned off.
	CloseTimeout time.Duration

	// WriteTimeout bounds each write to the network. By default there is none:
	// keepalive notices a dead peer.
	WriteTimeout time.Duration

	// Keepalive is when to ping and when to give up: by default a ping every
	// 20 s, and 20 s for a sign of life.
	Keepalive keepalive.Config

	// Hooks, if not nil, are told of pings, pongs, pauses and time-outs of
	// each connection.
	Hooks *keepalive.Hooks

	// Enforcement, if its MinInterval is set, bounds how often clients ping. A
	// connection whose client pings too often is closed with code 1008; the
	// error is a [*keepalive.EnforcementError]. By default there is no bound.
	Enforcement keepalive.Enforcement

	// MaxMessageSize is the size in bytes of the largest message that is
	// accepted. A larger one fails the connection with code 1009. Default
	// 1 MiB.
	MaxMessageSize int64

	// MaxQueue and MaxQueueBytes bound the messages that are kept for a
	// handler that does not receive: when there are so many, or they have so
	// many bytes, reading pauses until a quarter is left, and the peer feels
	// it. Defaults 16 and 1 MiB.
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

	// DiscardRequest lets go of the opening handshake's request and response
	// when the handler starts, which saves about 1.6 kB a connection. The
	// path, path values, subprotocol and addresses stay.
	DiscardRequest bool

	// Logger gets what is worth knowing, handlers' errors and panics above
	// all. nil means [slog.Default]. What happens normally is logged at debug
	// level.
	Logger *slog.Logger
}

// A HandlerFunc serves one connection.
//
// When it returns nil the connection is closed with code 1000. If it returns
// an error or panics, that is logged and the code is 1011; an error that only
// tells how the connection was closed is neither.
type HandlerFunc func(conn *ServerConn) error

// A Server accepts connections and runs a handler for each.
type Server struct {
	core *serve.Server[*ServerConn]
}

// Serve listens on addr and runs handler for each connection, in a goroutine
// of its own. It returns once it is listening; [Server.Wait] blocks. addr is
// "host:port", with port 0 for any, or "unix:path"; it is not used when the
// options have listeners. A socket that nobody listens on any more is replaced.
func Serve(handler HandlerFunc, addr string, opts *ServerOptions) (*Server, error) {
	if handler == nil {
		return nil, serve.ErrNoHandler
	}
	core, err := newCore(handler, opts)
	if err != nil {
		return nil, err
	}
	if err := core.Listen(addr); err != nil {
		return nil, err
	}
	return &Server{core}, nil
}

// Route is [Serve] with a handler for each pattern of [http.ServeMux], such as
// "/rooms/{room}"; [ServerConn.PathValue] has the values of the wildcards. A
// request that matches no pattern goes to the options' Fallback if it does not
// ask for WebSocket, and else is answered with status 404; or redirected, as
// http.ServeMux does, if another path would match, with a slash at its end for
// example. ProcessRequest sees it first. The error tells of patterns that are
// malformed or in conflict, too.
func Route(routes map[string]HandlerFunc, addr string, opts *ServerOptions) (*Server, error) {
	core, err := newCore(nil, opts)
	if err != nil {
		return nil, err
	}
	for pattern, handler := range routes {
		if err := core.Handle(pattern, handler); err != nil {
			return nil, err
		}
	}
	if err := core.Listen(addr); err != nil {
		return nil, err
	}
	return &Server{core}, nil
}

// Addrs returns the addresses that the server listens on.
func (s *Server) Addrs() []net.Addr { return s.core.Addrs() }

// Addr returns the address that the server listens on, the first if there are
// several.
func (s *Server) Addr() net.Addr { return s.core.Addrs()[0] }

// Wait waits until the server has ended and returns nil after a shutdown, or
// why a listener failed.
func (s *Server) Wait() error { return s.core.Wait() }

// Done is closed when the server has ended: no listener is open and no handler
// runs.
func (s *Server) Done() <-chan struct{} { return s.core.Done() }

// Stats returns what was counted on all connections since the start, those that
// have ended included.
func (s *Server) Stats() keepalive.Totals { return s.core.Stats() }

// Connections returns the connections that are open now, and those that have ended
// while their handler still runs; [Conn.State] tells which.
func (s *Server) Connections() iter.Seq[*ServerConn] { return s.core.Connections() }

// Close ends the server: it stops listening, refuses opening handshakes with
// status 503, closes open connections with code 1001, within the close timeout,
// and waits for their handlers, a second longer at most; then the error is an
// [os.ErrDeadlineExceeded]. A handler calls it in another goroutine, for it would
// wait for itself.
func (s *Server) Close() error { return s.CloseWith(protocol.GoingAway, "") }

// CloseWith is Close with another code and reason. Those that cannot
// be sent are [protocol.ErrInvalidClose], and nothing happens.
func (s *Server) CloseWith(code protocol.CloseCode, reason string) error {
	return s.core.ShutdownInTime(code, reason)
}

// Shutdown is Close for at most timeout: then what is left is cut, and the
// error is an [os.ErrDeadlineExceeded].
func (s *Server) Shutdown(timeout time.Duration, opts ...ShutdownOption) error {
	return s.core.Shutdown(link.After(timeout), farewell(opts))
}

// A Handler upgrades requests of another HTTP server to WebSocket.
type Handler struct {
	core *serve.Server[*ServerConn]
}

// NewHandler returns an [http.Handler] that runs handler for each connection.
// Its ServeHTTP returns when the handler does. Options for listening are not
// used. The HTTP server does not know of the connections, so call Shutdown
// when it ends.
func NewHandler(handler HandlerFunc, opts *ServerOptions) (*Handler, error) {
	if handler == nil {
		return nil, serve.ErrNoHandler
	}
	core, err := newCore(handler, opts)
	if err != nil {
		return nil, err
	}
	return &Handler{core}, nil
}

// ServeHTTP performs the opening handshake and runs the handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.core.ServeHTTP(w, r) }

// Stats returns what was counted on all connections since the start, those that
// have ended included.
func (h *Handler) Stats() keepalive.Totals { return h.core.Stats() }

// Connections returns the connections that are open now, and those that have ended
// while their handler still runs; [Conn.State] tells which.
func (h *Handler) Connections() iter.Seq[*ServerConn] { return h.core.Connections() }

// Shutdown refuses new connections with status 503, closes the open ones with
// code 1001 and waits for their handlers. At the timeout what is left is cut,
// and the error is an [os.ErrDeadlineExceeded].
func (h *Handler) Shutdown(timeout time.Duration, opts ...ShutdownOption) error {
	return h.core.Shutdown(link.After(timeout), farewell(opts))
}

// Done is closed when Shutdown was called and no handler runs any more.
func (h *Handler) Done() <-chan struct{} { return h.core.Done() }

// newCore returns a server for the handler, nil if there are routes, that is not
// yet listening. Its connections share one keepalive thread.
func newCore(handler HandlerFunc, opts *ServerOptions) (*serve.Server[*ServerConn], error) {
	if opts == nil {
		opts = new(ServerOptions)
	}
	core := serve.Options(*opts)
	return serve.New(serve.Face[*ServerConn]{
		New:    newServerConn,
		Link:   func(c *ServerConn) *link.Conn { return &c.link },
		Handle: handler,
		Thread: new(keepalive.Thread),
	}, &core)
}

func newServerConn(up *serve.Upgraded) *ServerConn {
	c := new(ServerConn)
	c.opening = up.Opening()
	c.link.SetHooks(c, up.Hooks)
	c.start(up.Conn, up.Early, up.Options, up.Agreement.Extensions)
	return c
}

// Username returns the user name that [BasicAuth] has checked, "" if none was.
func (c *ServerConn) Username() string { return c.opening.Get().Username }

// Path returns the path of the request's URL, unescaped and without the query,
// which [Conn.Request] has.
func (c *ServerConn) Path() string { return c.opening.Get().Path }

// PathValue returns the value of a wildcard in the [http.ServeMux] pattern that
// the request matched, "" if there is none of that name.
func (c *ServerConn) PathValue(name string) string { return c.opening.PathValue(name) }
