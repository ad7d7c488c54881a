package link

import "github.com/tandemws/tandem/protocol"

// ClientExtensions returns what a client offers: its own extensions, and
// compression behind them unless it is among them or turned off.
func ClientExtensions(own []protocol.ClientExtensionFactory, compression protocol.Deflate) ([]protocol.ClientExtensionFactory, error) {
	for _, f := range own {
		if f.Name() == compression.Name() {
			return own, nil
		}
	}
	if compression.Disabled {
		return own, nil
	}
	return append(own[:len(own):len(own)], pooled(&compression)), compression.Validate()
}

// ServerExtensions returns what a server accepts, likewise.
func ServerExtensions(own []protocol.ServerExtensionFactory, compression protocol.Deflate) ([]protocol.ServerExtensionFactory, error) {
	for _, f := range own {
		if f.Name() == compression.Name() {
			return own, nil
		}
	}
	if compression.Disabled {
		return own, nil
	}
	return append(own[:len(own):len(own)], pooled(&compression)), compression.Validate()
}

// pooled returns the settings with the defaults, which connections share then, and
// with our pools unless there are others.
func pooled(d *protocol.Deflate) *protocol.Deflate {
	d = d.WithDefaults()
	if d.Pools == nil {
		d.Pools = Pools
	}
	return d
}

// Negotiate agrees on extensions without a handshake, for the two ends of a
// pipe. Settings that could never work lead to none.
func Negotiate(client []protocol.ClientExtensionFactory, offered protocol.Deflate, server []protocol.ServerExtensionFactory, accepted protocol.Deflate) (ours, theirs []protocol.Extension) {
	client, err := ClientExtensions(client, offered)
	if err != nil {
		return nil, nil
	}
	if server, err = ServerExtensions(server, accepted); err != nil {
		return nil, nil
	}
	if ours, theirs, err = protocol.Negotiate(client, server); err != nil {
		return nil, nil
	}
	return ours, theirs
}
