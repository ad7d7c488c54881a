// Package serve is a server's side: from net/http through the opening
// handshake to a connection of either face, with tracking and shutdown. It is
// generic over the face's connection.
package serve

import (
	"crypto/tls"
	"log/slog"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// Options are what the options of both faces come to; they are documented
// there. Zero means the default and negative means off.
type Options struct {
	Header            http.Header
	Subprotocols      []string
	SelectSubprotocol func(r *http.Request, offered []string) (string, error)
	Extensions        []protocol.ServerExtensionFactory
	Compression       protocol.Deflate
	Origins           []string

	ProcessRequest  func(w http.ResponseWriter, r *http.Request) *http.Request
	ProcessResponse func(r *http.Request, status int, header http.Header)
	Fallback        http.Handler

	Listeners []net.Listener
	TLSConfig *tls.Config

	MaxConnections           int
	MaxConnectionsPerAddress int
	MaxHeaderBytes           int
	MaxURLBytes              int

	OpenTimeout         time.Duration
	FirstMessageTimeout time.Duration
	CloseTimeout        time.Duration
	WriteTimeout        time.Duration
	Keepalive           keepalive.Config
	Hooks               *keepalive.Hooks
	Enforcement         keepalive.Enforcement

	MaxMessageSize   int64
	MaxQueue         int
	MaxQueueBytes    int
	MaxFragments     int
	MaxControlFrames int
	MessageTimeout   time.Duration

	MaxFragmentSize int
	Hold            time.Duration

	DiscardRequest bool

	Logger *slog.Logger
}

// acceptor returns what decides on opening handshakes.
func (o *Options) acceptor() (*protocol.Acceptor, error) {
	extensions, err := link.ServerExtensions(o.Extensions, o.Compression)
	if err != nil {
		return nil, err
	}
	a := &protocol.Acceptor{
		Subprotocols:      o.Subprotocols,
		SelectSubprotocol: o.SelectSubprotocol,
		Extensions:        extensions,
		Origins:           o.Origins,
		Header:            o.Header,
	}
	return a, a.Validate()
}

// Link returns the options of the server's connections.
func (o *Options) Link() *link.Options {
	return link.Options{
		Role:             protocol.Server,
		MaxMessageSize:   o.MaxMessageSize,
		MaxQueue:         o.MaxQueue,
		MaxQueueBytes:    o.MaxQueueBytes,
		FirstMessage:     o.FirstMessageTimeout,
		CloseTimeout:     o.CloseTimeout,
		WriteTimeout:     o.WriteTimeout,
		MaxFragments:     o.MaxFragments,
		MaxControlFrames: o.MaxControlFrames,
		MessageTimeout:   o.MessageTimeout,
		MaxFragmentSize:  o.MaxFragmentSize,
		Hold:             o.Hold,
		Enforcement:      o.Enforcement,
		Keepalive:        o.Keepalive,
		Logger:           o.Logger,
	}.WithDefaults()
}

// maxHeaderBytes returns the bound as net/http wants it, which takes 4 KiB more
// than it is told, and knows no way to have none.
func (o *Options) maxHeaderBytes() int {
	const more = 4 << 10
	most := link.Default(o.MaxHeaderBytes, DefaultMaxHeaderBytes)
	if most < 0 {
		return math.MaxInt - more
	}
	return max(most-more, 1)
}
