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
// [testing/synctest]. There is no opening handshake. nil options are good
// ones.
func Pipe(opts *PipeOptions) (*ClientConn, *ServerConn) {
	if opts == nil {
		opts = new(PipeOptions)
	}
	a, b := link.NewPipe()
	client, server := new(ClientConn), new(ServerConn)
	served := serve.Options(opts.Server)
	client.start(a, nil, opts.Client.core().Link(), opts.Client.thread())
	server.start(b, nil, served.Link(), new(keepalive.Thread))
	return client, server
}
