package async

import (
	"context"

	"github.com/tandemws/tandem/internal/dial"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/internal/serve"
)

// PipeOptions are the settings of the two ends of a [Pipe]. What concerns the
// opening of a connection is not used.
type PipeOptions struct {
	Client ClientOptions
	Server ServerOptions
}

// Pipe returns the two ends of a connection in memory, for tests: it needs no
// network, behaves as over TCP, and works in the virtual time of
// [testing/synctest]. There is no opening handshake, but for the extensions.
// ctx gives both ends' contexts their values. nil options are good ones.
func Pipe(ctx context.Context, opts *PipeOptions) (*ClientConn, *ServerConn) {
	if opts == nil {
		opts = new(PipeOptions)
	}
	a, b := link.NewPipe()
	client, server := new(ClientConn), new(ServerConn)
	dialed, served := dial.Options(opts.Client), serve.Options(opts.Server)
	ours, theirs := link.Negotiate(dialed.Extensions, dialed.Compression, served.Extensions, served.Compression)
	opening := link.Opening{Path: "/", Context: context.WithoutCancel(orBackground(ctx))}.Keep()
	client.opening, server.opening = opening, opening
	client.link.SetHooks(client, opts.Client.Hooks)
	server.link.SetHooks(server, opts.Server.Hooks)
	client.start(a, nil, dialed.Link(), ours)
	server.start(b, nil, served.Link(), theirs)
	return client, server
}
