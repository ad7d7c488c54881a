package protocol

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// An Agreement is what both sides settled in the opening handshake.
type Agreement struct {
	Subprotocol string      // "" when none was chosen (RFC 6455, section 1.9)
	Extensions  []Extension // in the order in which they change what is sent; for Config
}

// The header fields of the opening handshake (section 11.3), spelt as they go
// over the wire; see [HeaderValues].
const (
	headerKey        = "Sec-WebSocket-Key"
	headerAccept     = "Sec-WebSocket-Accept"
	headerVersion    = "Sec-WebSocket-Version"
	headerProtocol   = "Sec-WebSocket-Protocol"
	headerExtensions = "Sec-WebSocket-Extensions"
)

// version is that of the protocol that RFC 6455 defines (section 4.1).
const version = "13"

// product names this SDK in User-Agent and Server headers.
const product = "Tandem"

// nonceSize is the size in bytes of what Sec-WebSocket-Key encodes (section
// 4.1).
const nonceSize = 16

// acceptKey returns the Sec-WebSocket-Accept for a Sec-WebSocket-Key. It
// proves that the server read the request as WebSocket; it is no secret, so
// that SHA-1 does no harm (sections 1.3 and 10.8).
func acceptKey(key string) string { return string(appendAcceptKey(nil, key)) }

// appendAcceptKey makes it of what is in its place meanwhile, where there is room.
func appendAcceptKey(dst []byte, key string) []byte {
	n := len(dst)
	dst = append(append(dst, key...), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...)
	sum := sha1.Sum(dst[n:])
	return base64.StdEncoding.AppendEncode(dst[:n], sum[:])
}

// checkSubprotocols reports what is wrong with subprotocols that one side
// lists: they are distinct tokens (section 4.1, point 10).
func checkSubprotocols(list []string) (reason string, ok bool) {
	seen := make(map[string]bool, len(list))
	for _, name := range list {
		if !isToken(name) {
			return "subprotocol " + quote(name) + " is no token", false
		}
		if seen[name] {
			return "subprotocol " + quote(name) + " is there twice", false
		}
		seen[name] = true
	}
	return "", true
}

// checkHeader reports the first field, in the order of names, that must not be
// sent: with a name that is no token, or with a control character in a value,
// which could end the line and begin another (RFC 9110, section 5.5). The
// error tells no values, for they may be secret.
func checkHeader(h http.Header) error { return checkFields(h, sortedNames(h)) }

// checkFields is checkHeader for names that are sorted already.
func checkFields(h http.Header, names []string) error {
	for _, name := range names {
		if !isToken(name) {
			return localError("9110, section 5.1", "header name "+quote(name)+" is no token", nil)
		}
		if slices.ContainsFunc(h[name], hasControl) {
			return localError("9110, section 5.5", "control character in the value of the "+name+" header", nil)
		}
	}
	return nil
}

func hasControl(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// localError returns an error that blames the caller.
func localError(section, reason string, err error) *HandshakeError {
	return &HandshakeError{Local: true, Status: http.StatusInternalServerError, Reason: reason, Section: section, Err: err}
}
