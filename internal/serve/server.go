package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	"golang.org/x/sync/errgroup"
)

// A Face is what a server needs to know of the connections of its face.
type Face[C comparable] struct {
	// New makes a connection and starts its keepalive.
	New func(*Upgraded) C

	// Link returns the core of a connection.
	Link func(C) *link.Conn

	// Handle is the application's handler; nil if there is one for each route.
	Handle func(C) error

	// Thread runs the keepalive of all connections, if a thread does.
	Thread *keepalive.Thread
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

	mux *http.ServeMux // nil if there is one handler for all requests

	mu       sync.Mutex // guards the following
	conns    map[C]struct{}
	requests int                  // calls of ServeHTTP
	active   int                  // handshakes that were admitted, and handlers
	from     map[netip.Prefix]int // those of each address, if that is bounded
	froms    map[C]netip.Prefix   // where each connection is from, likewise
	closing  bool                 // nobody is let in any more
	parting  bool                 // connections are being closed
	goodbye  protocol.Close       // ... with this
	empty    bool                 // idle is closed
	idle     chan struct{}        // closed when closing and nothing is left
}

// New returns a server without listeners: its ServeHTTP is for another one's.
func New[C comparable](face Face[C], opts *Options) (*Server[C], error) {
	acceptor, err := opts.acceptor()
	if err != nil {
		return nil, err
	}
	s := &Server[C]{face: face, opts: opts, acceptor: acceptor, link: opts.Link()}
	s.link.Counters, s.link.Thread = new(link.Counters), face.Thread
	s.link.Agreements = new(link.Agreements)
	s.logger = s.link.Logger
	s.conns, s.from, s.froms = make(map[C]struct{}), make(map[netip.Prefix]int), make(map[C]netip.Prefix)
	if face.Handle == nil {
		s.mux = http.NewServeMux()
	}
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

// serve has the listeners served until Shutdown. If one fails, all end.
func (s *Server[C]) serve() {
	timeout := max(s.openTimeout(), 0)
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serveOwn),
		TLSConfig:         s.opts.TLSConfig,
		ReadHeaderTimeout: timeout,
		IdleTimeout:       timeout, // of a client that was refused and may try again
		MaxHeaderBytes:    s.opts.maxHeaderBytes(),
		Protocols:         new(http.Protocols),
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	s.link.Context = context.WithValue(context.Background(), http.ServerContextKey, s.http)
	s.link.Helper = new(link.Helper) // a handler's goroutine begins with little stack
	s.http.Protocols.SetHTTP1(true)  // in which alone Upgrade means something
	for _, listener := range s.listeners {
		s.serving.Go(func() error {
			err := s.serveOn(listener)
			if err != nil {
				s.logger.Error("websocket: a listener has failed", "address", listener.Addr(), "error", err)
				s.beginClosing()
				s.closeAll(protocol.Close{Code: protocol.GoingAway})
			}
			return err
		})
	}
	go s.awaitEnd() // ends when all else has ended
}

func (s *Server[C]) serveOn(listener net.Listener) (err error) {
	listener = &audible{listener, s.logger}
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

func (s *Server[C]) awaitEnd() {
	s.err = s.serving.Wait()
	<-s.idle
	if s.err != nil {
		s.http.Close() // which after a Shutdown has nothing left
	}
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

// Connections returns the connections whose handler runs now.
func (s *Server[C]) Connections() iter.Seq[C] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Values(slices.Collect(maps.Keys(s.conns)))
}
