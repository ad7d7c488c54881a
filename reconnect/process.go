package reconnect

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/tandemws/tandem/protocol"
)

// ErrNetConn: the options have a NetConn, which is one connection and cannot be
// opened a second time. A DialContext can.
var ErrNetConn = errors.New("websocket: a given NetConn cannot be connected again")

// ProcessError is the default of [Config.ProcessError]. What the way to the
// server did is worth another attempt, and it returns nil: errors of the
// network, names that are not found, TLS, an open timeout, the end of the
// connection before an answer, and the answers 500, 502, 503 and 504. What the
// server or the caller has said would be the same the next time, and it returns
// err: a wrong URL or option, any other status, an answer that is not
// WebSocket.
//
// A certificate that is not trusted counts as TLS, for servers that start may
// not have theirs yet. A client that wants to end then says so before it asks
// this function.
func ProcessError(err error) error {
	if transient(err) {
		return nil
	}
	return err
}

// transient reports whether the error may be gone the next time.
func transient(err error) bool {
	var refused *protocol.InvalidStatusError
	switch {
	case errors.As(err, &refused):
		return refused.Response != nil && isServerTrouble(refused.Response.StatusCode)
	case errors.Is(err, protocol.ErrHandshake), errors.Is(err, protocol.ErrURL):
		return isNetwork(err) // it came in the middle of the handshake
	}
	return true
}

// isServerTrouble reports whether a status tells that a server, or a gateway
// before it, cannot answer now.
func isServerTrouble(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// isNetwork reports whether the network is what has failed.
func isNetwork(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network)
}
