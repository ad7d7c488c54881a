package sync

import (
	"github.com/tandemws/tandem/internal/serve"
	"github.com/tandemws/tandem/protocol"
)

// A ShutdownOption changes how a server ends.
type ShutdownOption func(*shutdownOptions)

type shutdownOptions = serve.Farewell

// WithCloseCode has connections closed with this code and reason in place of
// 1001. Those that cannot be sent are [protocol.ErrInvalidClose], and nothing
// happens.
func WithCloseCode(code protocol.CloseCode, reason string) ShutdownOption {
	return func(o *shutdownOptions) { o.Close = protocol.Close{Code: code, Reason: reason} }
}

// KeepConnections leaves open connections to end by themselves: nobody is let
// in any more, and their handlers are waited for. At the timeout what is left
// goes on; it can be waited for with Done, or closed with another Shutdown.
func KeepConnections() ShutdownOption {
	return func(o *shutdownOptions) { o.Keep = true }
}

func farewell(opts []ShutdownOption) (o shutdownOptions) {
	for _, opt := range opts {
		opt(&o)
	}
	return o
}
