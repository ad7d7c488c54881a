package protocol

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// HeaderValues returns the values of all lines of a header field, in their
// order. Names like "Sec-WebSocket-Key" have two spellings in a Go program:
// that of RFC 6455, which our own requests and responses carry because the
// keys of an [http.Header] go out as they are, and "Sec-Websocket-Key", into
// which net/http turns what it receives and what [http.Header.Get] looks for.
// HeaderValues finds both, for a name that is given in either spelling.
func HeaderValues(h http.Header, name string) []string {
	canonical, spelling := spellings(name)
	values := h[canonical]
	if spelling != canonical && len(h[spelling]) > 0 {
		values = append(values[:len(values):len(values)], h[spelling]...)
	}
	return values
}

// spellings returns the canonical spelling of a header name and that on the wire.
// Those of the handshake are not made anew for each.
func spellings(name string) (canonical, onWire string) {
	switch name {
	case headerKey:
		return "Sec-Websocket-Key", headerKey
	case headerAccept:
		return "Sec-Websocket-Accept", headerAccept
	case headerVersion:
		return "Sec-Websocket-Version", headerVersion
	case headerProtocol:
		return "Sec-Websocket-Protocol", headerProtocol
	case headerExtensions:
		return "Sec-Websocket-Extensions", headerExtensions
	case "Upgrade", "Connection", "Origin":
		return name, name
	}
	canonical = http.CanonicalHeaderKey(name)
	if rest, ok := strings.CutPrefix(canonical, "Sec-Websocket-"); ok {
		return canonical, "Sec-WebSocket-" + rest
	}
	return canonical, canonical
}

// isTokenByte reports whether a token may contain the byte: any visible ASCII
// character but the separators (RFC 9110, section 5.6.2).
func isTokenByte(b byte) bool { return tokenBytes[b] }

var tokenBytes = func() (table [256]bool) {
	for b := byte('!'); b < 0x7f; b++ {
		table[b] = !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, rune(b))
	}
	return table
}()

// isToken reports whether s is a token, which is never empty.
func isToken(s string) bool {
	sc := scanner{s: s}
	return sc.token() != "" && sc.atEnd()
}

// equalFoldASCII reports whether two strings are the same but for the case of
// ASCII letters. strings.EqualFold also takes the Kelvin sign for a k.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}

// trimSpace cuts the optional whitespace of RFC 9110, section 5.6.3.
func trimSpace(s string) string { return strings.Trim(s, " \t") }

// listContains reports whether one element of a comma-separated list is the
// token, in any case. What else is in the list may be malformed: it is for
// somebody else.
func listContains(values []string, token string) bool {
	for _, value := range values {
		for element := range strings.SplitSeq(value, ",") {
			if equalFoldASCII(trimSpace(element), token) {
				return true
			}
		}
	}
	return false
}

// maxListElements is how many elements of a list we care to look at. Honest
// peers send a handful; a header of a megabyte has room for half a million.
const maxListElements = 128

var (
	errEmptyList   = errors.New("nothing in it")
	errLongList    = fmt.Errorf("more than %d elements", maxListElements)
	errNotAToken   = errors.New("expected a token")
	errNoComma     = errors.New("expected a comma")
	errQuotedValue = errors.New("expected a token between the quotes")
)

// parseList has item read each element of a comma-separated list that may
// stretch over several header lines (RFC 9110, section 5.6.1: 1#element; empty
// elements are passed over). Each byte is looked at once.
func parseList(values []string, item func(*scanner) error) error {
	elements := 0
	for _, value := range values {
		sc := scanner{s: value}
		for sc.nextElement() {
			if elements++; elements > maxListElements {
				return errLongList
			}
			if err := item(&sc); err != nil {
				return fmt.Errorf("%w at byte %d", err, sc.pos)
			}
			if sc.skipSpace(); !sc.atEnd() && !sc.at(',') {
				return fmt.Errorf("%w at byte %d", errNoComma, sc.pos)
			}
		}
	}
	if elements == 0 {
		return errEmptyList
	}
	return nil
}

// parseTokens reads a list of tokens.
func parseTokens(values []string) (tokens []string, err error) {
	err = parseList(values, func(sc *scanner) error {
		token := sc.token()
		if token == "" {
			return errNotAToken
		}
		tokens = append(tokens, token)
		return nil
	})
	return tokens, err
}

// A scanner walks through a header value.
type scanner struct {
	s   string
	pos int
}

func (sc *scanner) atEnd() bool { return sc.pos == len(sc.s) }

func (sc *scanner) at(b byte) bool { return !sc.atEnd() && sc.s[sc.pos] == b }

// skip passes over the byte if it is next.
func (sc *scanner) skip(b byte) bool {
	if !sc.at(b) {
		return false
	}
	sc.pos++
	return true
}

func (sc *scanner) skipSpace() {
	for sc.skip(' ') || sc.skip('\t') {
	}
}

// nextElement goes to the next element of a list that is not empty.
func (sc *scanner) nextElement() bool {
	for sc.skip(' ') || sc.skip('\t') || sc.skip(',') {
	}
	return !sc.atEnd()
}

// count returns how often the byte comes before the next comma.
func (sc *scanner) count(b byte) (n int) {
	for i := sc.pos; i < len(sc.s) && sc.s[i] != ','; i++ {
		if sc.s[i] == b {
			n++
		}
	}
	return n
}

// token returns the token that is next, "" when none is.
func (sc *scanner) token() string {
	start := sc.pos
	for !sc.atEnd() && isTokenByte(sc.s[sc.pos]) {
		sc.pos++
	}
	return sc.s[start:sc.pos]
}

// quotedToken returns the token in the quoted string whose opening quote was
// passed, "" when there is something else in it. RFC 6455, section 9.1, allows
// nothing else; even then characters may be escaped.
func (sc *scanner) quotedToken() string {
	var token []byte
	for !sc.skip('"') {
		sc.skip('\\')
		if sc.atEnd() || !isTokenByte(sc.s[sc.pos]) {
			return ""
		}
		token = append(token, sc.s[sc.pos])
		sc.pos++
	}
	return string(token)
}
