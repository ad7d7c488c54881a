package protocol

import (
	"errors"
	"fmt"
	"net/http"
)

// Errors that errors.Is finds in what a way through a proxy returns.
var (
	// ErrProxy is found in every [*ProxyError].
	ErrProxy = errors.New("websocket: no way through the proxy")

	// ErrProxyAuth is found when the proxy wants other credentials than it
	// was given, or any at all.
	ErrProxyAuth = errors.New("websocket: proxy authentication failed")
)

// A ProxyError tells a client that a proxy did not open a way to the server
// (RFC 6455, section 4.1, point 3). The server has seen nothing of it.
type ProxyError struct {
	// Proxy is the URL of the proxy without a password; "" if there is none,
	// because what chooses the proxy has failed.
	Proxy string

	// Response is the answer of an HTTP proxy, and Body the beginning of that
	// answer's body; nil if there was no answer that is HTTP.
	Response *http.Response
	Body     []byte

	// SOCKSReply is what a SOCKS proxy answered the request with, for example
	// 5 for connection refused (RFC 1928, section 6); 0 if it never did.
	SOCKSReply byte

	Reason string // what was wrong

	// Err is ErrProxyAuth, an error of the network or of TLS, another cause, or
	// nil. That of what chooses the proxy may show a password, which Reason
	// does not.
	Err error
}

// Error tells the proxy and the reason.
func (e *ProxyError) Error() string {
	if e.Proxy == "" {
		return fmt.Sprintf("%v: %s", ErrProxy, e.Reason)
	}
	return fmt.Sprintf("%v %s: %s", ErrProxy, e.Proxy, e.Reason)
}

// Is reports true for [ErrProxy].
func (e *ProxyError) Is(target error) bool { return target == ErrProxy }

// Unwrap returns Err.
func (e *ProxyError) Unwrap() error { return e.Err }
