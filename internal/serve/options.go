// Package serve is a server's side: from net/http through the opening
// handshake to a connection of either face, with tracking and shutdown. It is
// generic over the face's connection.
package serve

import (
	"crypto/tls"
	"log/slog"
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

	Listeners []net.Listener
	TLSConfig *tls.Config

	OpenTimeout  time.Duration
	CloseTimeout time.Duration
	WriteTimeout time.Duration
	Keepalive    keepalive.Config
	Hooks        *keepalive.Hooks
	Enforcement  keepalive.Enforcement

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
