package protocol

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Errors that errors.Is finds in what an opening handshake returns.
var (
	// ErrHandshake is found in every [*HandshakeError] and
	// [*InvalidStatusError].
	ErrHandshake = errors.New("websocket: opening handshake failed")

	// ErrUpgrade is found when one side does not speak WebSocket here: the
	// client did not ask for it, or the server did not agree to it.
	ErrUpgrade = errors.New("websocket: not upgraded to WebSocket")

	// ErrOrigin is found when a server refuses the web page that a browser
	// connects for (RFC 6455, section 10.2).
	ErrOrigin = errors.New("websocket: origin not allowed")

	// ErrSubprotocol is found when the two sides have no subprotocol in
	// common, or one of them did not keep to the rules (section 1.9).
	ErrSubprotocol = errors.New("websocket: no agreement on a subprotocol")

	// ErrExtension is found when a Sec-WebSocket-Extensions header is
	// malformed or names an extension that was not offered (section 9.1).
	ErrExtension = errors.New("websocket: no agreement on extensions")

	// ErrURL is found when a URL does not name a WebSocket server (section
	// 3).
	ErrURL = errors.New("websocket: not a WebSocket URL")
)

// A HandshakeError says why an opening handshake failed.
type HandshakeError struct {
	// Local reports that the caller gave what is wrong: a URL, a header, a
	// setting. Otherwise the peer is to blame.
	Local bool

	// Status is what a server answers with, and Header what it adds to that
	// answer; a client has no use for them. Error is fit to be the body,
	// unless Local is set: then it is for the server's log alone.
	Status int
	Header http.Header

	Reason  string // what was wrong
	Section string // of RFC 6455, or of the RFC it names
	Err     error  // one of the errors above or another cause, or nil
}

// Error tells the reason and the rule.
func (e *HandshakeError) Error() string {
	return fmt.Sprintf("%v: %s (RFC %s)", ErrHandshake, e.Reason, rfc(e.Section))
}

// Is reports true for [ErrHandshake].
func (e *HandshakeError) Is(target error) bool { return target == ErrHandshake }

// Unwrap returns Err.
func (e *HandshakeError) Unwrap() error { return e.Err }

// An InvalidStatusError tells a client that the server answered, but not with
// 101 Switching Protocols (RFC 6455, section 4.1).
type InvalidStatusError struct {
	// Response is the server's answer. Its Body is as it was when
	// [Offer.CheckResponse] got it, and whoever reads the connection closes it.
	Response *http.Response

	// Body is the beginning of the answer's body, often a text that says what
	// is wrong. It is nil until someone who can read the connection has
	// filled it.
	Body []byte
}

// Error tells the status.
func (e *InvalidStatusError) Error() string {
	status := strconv.Itoa(e.Response.StatusCode)
	if text := http.StatusText(e.Response.StatusCode); text != "" {
		status += " (" + text + ")"
	}
	return fmt.Sprintf("%v: the server answered with status %s instead of 101", ErrHandshake, status)
}

// Is reports true for [ErrHandshake] and [ErrUpgrade].
func (e *InvalidStatusError) Is(target error) bool {
	return target == ErrHandshake || target == ErrUpgrade
}

// quote makes a piece of what the peer or the caller sent fit for an error: on
// one line, in ASCII and not long, however many of its bytes are escaped.
func quote(s string) string {
	const enough = 64
	n := min(len(s), enough)
	quoted := strconv.QuoteToASCII(s[:n])
	for len(quoted) > 2*enough {
		n /= 2
		quoted = strconv.QuoteToASCII(s[:n])
	}
	if n < len(s) {
		quoted += "..."
	}
	return quoted
}
