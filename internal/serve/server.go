package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"golang.org/x/sync/errgroup"
)

// A Face is what a server needs to know of the connections of its face.
type Face[C comparable] struct {
	// New makes a connection and starts its keepalive.
	New func(Upgraded) C

	// Link returns the core of a connection.
	Link func(C) *link.Conn

	// Handle is the application's handler.
	Handle func(C) error
}

// Upgraded is a connection whose opening handshake is over.
type Upgraded struct {
	Conn           net.Conn
	Early          []byte // what the client sent behind its request; to be copied
	Request        *http.Request
	Header         http.Header // of the response
	Agreement      protocol.Agreement
	Options        *link.Options
	Hooks          *keepalive.Hooks
	DiscardRequest bool // keep neither request nor response
}

// Response returns the response of the opening handshake.
func (up *Upgraded) Response() *http.Response {
	return &http.Response{
		Status:     "101 Switching Protocols",
		StatusCode: http.StatusSwitchingProtocols,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  up.Header,
		Body:    http.NoBody,
		Request: up.Request,
	}
}

// Server serves WebSocket connections, on listeners of its own or as a handler
// of another HTTP server.
type Server[C comparable] struct {
	face     Face[C]
	opts     *Options
	link     *link.Options
	acceptor *protocol.Acceptor
	logger   *slog.Logger

	http      *http.Server // nil for a handler
	listeners []net.Listener
	serving   errgroup.Group // a goroutine for each listener
	ended     chan struct{}  // closed when all has ended; err is why
	err       error

	mu      sync.Mutex // guards the following
	conns   map[C]struct{}
	active  int // handshakes and handlers
	closing bool
	goodbye protocol.Close // what connections are closed with, once closing
	idle    chan struct{}  // closed when closing and nothing is active
}

// New returns a server without listeners: its ServeHTTP is for another one's.
func New[C comparable](face Face[C], opts *Options) (*Server[C], error) {
	acceptor, err := opts.acceptor()
	if err != nil {
		return nil, err
	}
	s := &Server[C]{face: face, opts: opts, acceptor: acceptor, link: opts.Link()}
	s.link.Counters = new(link.Counters)
	s.logger = s.link.Logger
	s.conns = make(map[C]struct{})
	s.idle, s.ended = make(chan struct{}), make(chan struct{})
	return s, nil
}

// Listen makes s listen: on the listeners that the options have, else on addr,
// which is host:port or, for a Unix socket, unix:path.
func (s *Server[C]) Listen(addr string) error {
	if !hasCertificate(s.opts.TLSConfig) {
		return errNoCertificate
	}
	s.listeners = s.opts.Listeners
	if len(s.listeners) == 0 {
		listener, err := listen(addr)
		if err != nil {
			return fmt.Errorf("websocket: %w", err)
		}
		s.listeners = []net.Listener{listener}
	}
	s.serve()
	return nil
}

// errNoCertificate tells at once what net/http would only tell Wait.
var errNoCertificate = errors.New("websocket: no certificate in TLSConfig")

func hasCertificate(config *tls.Config) bool {
	return config == nil || len(config.Certificates) > 0 ||
		config.GetCertificate != nil || config.GetConfigForClient != nil
}

func listen(addr string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", addr)
}

// serve has the listeners served until Shutdown. If one fails, all end.
func (s *Server[C]) serve() {
	timeout := max(link.Default(s.opts.OpenTimeout, link.DefaultOpenTimeout), 0)
	s.http = &http.Server{
		Handler:           s,
		TLSConfig:         s.opts.TLSConfig,
		ReadHeaderTimeout: timeout,
		IdleTimeout:       timeout, // of a client that was refused and may try again
		Protocols:         new(http.Protocols),
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	s.http.Protocols.SetHTTP1(true) // in which alone Upgrade means something
	for _, listener := range s.listeners {
		s.serving.Go(func() error {
			err := s.serveOn(listener)
			s.beginClosing(protocol.Close{Code: protocol.GoingAway})
			return err
		})
	}
	go s.awaitEnd() // ends when all else has ended
}

func (s *Server[C]) serveOn(listener net.Listener) (err error) {
	if s.opts.TLSConfig != nil {
		err = s.http.ServeTLS(listener, "", "")
	} else {
		err = s.http.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) || s.hasBegunClosing() {
		return nil
	}
	return fmt.Errorf("websocket: listener failed: %w", err)
}

// hasBegunClosing tells a listener that failed from one that we closed.
func (s *Server[C]) hasBegunClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

func (s *Server[C]) awaitEnd() {
	s.err = s.serving.Wait()
	<-s.idle
	close(s.ended)
}

// Addrs returns the addresses that the server listens on.
func (s *Server[C]) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.listeners))
	for i, listener := range s.listeners {
		addrs[i] = listener.Addr()
	}
	return addrs
}

// Done is closed when the server has ended: no listener is open and no handler
// runs.
func (s *Server[C]) Done() <-chan struct{} { return s.ended }

// Wait waits for Done and returns nil after a shutdown, or why a listener
// failed.
func (s *Server[C]) Wait() error {
	<-s.ended
	return s.err
}

// Stats returns what was counted on all connections.
func (s *Server[C]) Stats() keepalive.Totals { return s.link.Counters.Totals() }

// Connections returns the connections that are open now.
func (s *Server[C]) Connections() iter.Seq[C] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Values(slices.Collect(maps.Keys(s.conns)))
}

// Shutdown ends the server: nobody is let in any more, open connections are
// closed with code and reason, and handlers are waited for. At the Limit what
// is left is cut, and its error returned. If code and reason cannot be sent
// nothing happens: connections would stay as they are.
func (s *Server[C]) Shutdown(l *link.Limit, code protocol.CloseCode, reason string) error {
	goodbye := protocol.Close{Code: code, Reason: reason}
	if err := goodbye.Validate(); err != nil {
		return err
	}
	s.beginClosing(goodbye)
	ctx, cancel := l.Bounded()
	defer cancel()
	if s.http != nil {
		s.http.Shutdown(ctx) // waits for requests; upgraded ones are not among them
	}
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		s.cut()
		return l.Reached()
	}
}

// ShutdownInTime is Shutdown within the close timeout, which bounds the closing
// of each connection, and a little more for the handlers to return.
func (s *Server[C]) ShutdownInTime(code protocol.CloseCode, reason string) error {
	return s.Shutdown(link.After(s.link.CloseTimeout+handlerGrace), code, reason)
}

// handlerGrace is how long handlers may take to notice that their connection
// has ended.
const handlerGrace = time.Second

// beginClosing stops accepting and starts closing every connection. Only the
// first call does anything.
func (s *Server[C]) beginClosing(goodbye protocol.Close) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.closing, s.goodbye = true, goodbye
	for _, listener := range s.listeners {
		listener.Close()
	}
	for conn := range s.conns {
		s.sayGoodbye(conn)
	}
	s.checkIdle()
}

// sayGoodbye closes a connection, in a goroutine that ends with it.
func (s *Server[C]) sayGoodbye(conn C) {
	go s.face.Link(conn).Close(nil, s.goodbye.Code, s.goodbye.Reason)
}

// cut ends everything that is left, without closing handshakes.
func (s *Server[C]) cut() {
	if s.http != nil {
		s.http.Close()
	}
	for conn := range s.Connections() {
		s.face.Link(conn).Abort(link.ErrAborted)
	}
}

// enter admits a handshake, which leave ends, or the handler that follows it.
func (s *Server[C]) enter() (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.active++
	return true
}

func (s *Server[C]) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	s.checkIdle()
}

func (s *Server[C]) checkIdle() {
	if !s.closing || s.active > 0 {
		return
	}
	close(s.idle)
	if s.http == nil {
		close(s.ended)
	}
}

// add tracks a connection. One that comes when the server is closing is closed
// as the others were.
func (s *Server[C]) add(conn C) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[conn] = struct{}{}
	if s.closing {
		s.sayGoodbye(conn)
	}
}

func (s *Server[C]) remove(conn C) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}
