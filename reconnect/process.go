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
// connection before an answer, and the answers 500, 502, 503 and 504, also those
// of a proxy. What the server or the caller has said would be the same the next
// time, and it returns err: a wrong URL or option, any other status, an answer
// that is not WebSocket, a proxy that wants other credentials.
//
// A certificate that is not trusted counts as TLS, as in Python's websockets: a
// server that starts may not have its own yet. A client that wants to end then says so before it asks
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
	var noWay *protocol.ProxyError
	switch {
	case errors.As(err, &refused):
		return isServerTrouble(refused.Response)
	case errors.As(err, &noWay):
		return isProxyTrouble(noWay)
	case errors.Is(err, protocol.ErrHandshake), errors.Is(err, protocol.ErrURL):
		return isNetwork(err) // it came in the middle of the handshake
	}
	return true
}

// isProxyTrouble reports whether a proxy may open a way the next time: it could
// not reach the server now, or could not be reached itself.
func isProxyTrouble(e *protocol.ProxyError) bool {
	switch {
	case errors.Is(e, protocol.ErrProxyAuth):
		return false
	case e.Response != nil:
		return isServerTrouble(e.Response)
	case e.SOCKSReply != 0:
		return isSOCKSTrouble(e.SOCKSReply)
	}
	return isNetwork(e.Err)
}

// isSOCKSTrouble reports whether the reply of a SOCKS proxy is about the network
// or the server, and not about the request (RFC 1928, section 6).
func isSOCKSTrouble(reply byte) bool {
	const failure, networkUnreachable, hostUnreachable, refused, expired = 1, 3, 4, 5, 6
	switch reply {
	case failure, networkUnreachable, hostUnreachable, refused, expired:
		return true
	}
	return false
}

// isServerTrouble reports whether an answer tells that a server, or a gateway
// before it, cannot answer now.
func isServerTrouble(resp *http.Response) bool {
	if resp == nil {
		return false
	}
	switch resp.StatusCode {
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
