package sync

import (
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/internal/serve"
	"github.com/tandemws/tandem/keepalive"
)

// PipeOptions are the settings of the two ends of a [Pipe]. What concerns the
// opening of a connection is not used.
type PipeOptions struct {
	Client ClientOptions
	Server ServerOptions
}

// Pipe returns the two ends of a connection in memory, for tests: it needs no
// network, behaves as over TCP, and works in the virtual time of
// [testing/synctest]. There is no opening handshake,
// but for the extensions. nil options are good
// ones.
func Pipe(opts *PipeOptions) (*ClientConn, *ServerConn) {
	if opts == nil {
		opts = new(PipeOptions)
	}
	a, b := link.NewPipe()
	client, server := new(ClientConn), new(ServerConn)
	client.link.SetHooks(client, opts.Client.Hooks)
	server.link.SetHooks(server, opts.Server.Hooks)
	dialed, served := opts.Client.core(), serve.Options(opts.Server)
	ours, theirs := link.Negotiate(dialed.Extensions, dialed.Compression, served.Extensions, served.Compression)
	near, far := dialed.Link(), served.Link()
	near.Thread, far.Thread = opts.Client.thread(), new(keepalive.Thread)
	client.start(a, nil, near, ours)
	server.start(b, nil, far, theirs)
	return client, server
}
