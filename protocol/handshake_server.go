package protocol

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Acceptor is a server's side of the opening handshake (RFC 6455, section
// 4.2). The zero value accepts every client that is not a web page of another
// origin. Its methods do not change it and may be called concurrently, if
// SelectSubprotocol may.
type Acceptor struct {
	// Subprotocols that the server speaks, in order of preference: the first
	// that the client offers too is chosen. If there are any, a client that
	// offers none of them is refused with status 400.
	Subprotocols []string

	// SelectSubprotocol, if not nil, chooses in place of that rule. offered
	// has what the client offers, in its order of preference; the result is
	// one of them, or "" to go on without a subprotocol. An error refuses the
	// client with status 400, and its text is fit for the answer's body.
	SelectSubprotocol func(r *http.Request, offered []string) (string, error)

	// Extensions that the server speaks. What a client offers and none of them
	// accepts is declined.
	Extensions []ServerExtensionFactory

	// Header has further fields for the response, such as Set-Cookie. Those of
	// the handshake itself are refused by Validate and left out by Accept. A
	// Server field takes the place of the one that names this SDK; with no value
	// it leaves that out.
	Header http.Header

	// Origins are the web pages that may connect from elsewhere, as browsers
	// name them: "https://example.com", with the port if it is not the
	// scheme's. "https://*.example.com" means the pages of all subdomains, at
	// any depth, and not that of example.com itself; "http://localhost:*" those
	// on any port. "null" means pages without an origin and "*" all pages.
	//
	// Pages of the server's own origin may always connect, and so may programs
	// that are not browsers and send no Origin header. Behind a proxy that ends
	// TLS the server cannot tell http from https, and takes a page of either
	// for its own, unless the request's URL has the scheme "https", which
	// middleware that knows the proxy may set.
	//
	// A browser sends its user's cookies with a handshake, whichever page
	// asked for it: think of that before you write "*" (section 10.2).
	Origins []string
}

// Validate reports settings that could never work, as a [*HandshakeError]
// that blames the caller: malformed or repeated subprotocols, malformed origins,
// and header fields that cannot be sent or are the handshake's. Accept does not
// look for them.
func (a *Acceptor) Validate() error {
	if reason, ok := checkSubprotocols(a.Subprotocols); !ok {
		return localError("4.2.2", reason, ErrSubprotocol)
	}
	for _, s := range a.Origins {
		if _, ok := parseOriginPattern(s); !ok && s != anyOrigin && s != nullOrigin {
			return localError("6454, section 6.2", quote(s)+` is no origin like "https://example.com" or "https://*.example.com"`, ErrOrigin)
		}
	}
	for _, name := range sortedNames(a.Header) {
		if isHandshakeField(http.CanonicalHeaderKey(name)) {
			return localError("4.2.2", "header "+name+" belongs to the handshake", nil)
		}
	}
	return checkHeader(a.Header)
}

// Accept checks a client's request and returns what was agreed and the header
// of the response with status 101; see [AppendResponse]. Further fields may be
// added to it. Its names are spelt as RFC 6455 spells them. r is not changed.
//
// The error is a [*HandshakeError] with the status to answer with. It wraps
// [ErrUpgrade] with status 405, 426 or 505, [ErrOrigin] with 403,
// [ErrSubprotocol] or [ErrExtension] with 400, or what SelectSubprotocol
// returned; a request that is malformed otherwise has status 400.
func (a *Acceptor) Accept(r *http.Request) (Agreement, http.Header, error) {
	var what acceptance
	if err := a.agree(r, &what); err != nil {
		return Agreement{}, nil, err
	}
	return what.Agreement, a.responseHeader(keyOf(r), &what), nil
}

// AppendAccept is [Acceptor.Accept] and [AppendResponse] in one (RFC 6455, section
// 4.2.2), for whoever adds nothing to the header: unless the Acceptor does, none is
// made. now is what the Date header says. An error is one of theirs, and dst is
// returned as it was.
func (a *Acceptor) AppendAccept(dst []byte, r *http.Request, now time.Time) (Agreement, []byte, error) {
	var what acceptance
	err := a.agree(r, &what)
	if err == nil {
		dst, err = a.appendAgreed(dst, r, now, &what)
	}
	if err != nil {
		what.Agreement = Agreement{}
	}
	return what.Agreement, dst, err
}

// An acceptance is what a request comes to.
type acceptance struct {
	Agreement
	extensions string // value of the response's header
}

// agree checks a request and notes what is agreed.
func (a *Acceptor) agree(r *http.Request, what *acceptance) (err error) {
	if err := checkRequest(r); err != nil {
		return err
	}
	if err := a.checkOrigin(r); err != nil {
		return err
	}
	what.Extensions, what.extensions, err = a.acceptExtensions(r.Header)
	if err == nil {
		what.Subprotocol, err = a.subprotocol(r)
	}
	return err
}

// appendAgreed appends the response to a request. It is not inlined, for the room
// that it takes on the stack is not to lie below agree.
//
//go:noinline
func (a *Acceptor) appendAgreed(dst []byte, r *http.Request, now time.Time, what *acceptance) ([]byte, error) {
	if len(a.Header) > 0 || hasControl(what.extensions) {
		return AppendResponse(dst, a.responseHeader(keyOf(r), what), now)
	}
	b := appendDateField(append(dst, statusLine...), now)
	b = append(b, "Connection: Upgrade\r\nSec-WebSocket-Accept: "...)
	b = append(appendAcceptKey(b, keyOf(r)), "\r\n"...)
	b = appendField(b, headerExtensions, what.extensions)
	b = appendField(b, headerProtocol, what.Subprotocol)
	return append(b, "Server: "+product+"\r\nUpgrade: websocket\r\n\r\n"...), nil
}

// keyOf returns the key of a request that was checked.
func keyOf(r *http.Request) string { return trimSpace(HeaderValues(r.Header, headerKey)[0]) }

// responseHeader returns the header of a response that accepts. Its values lie in
// one piece of memory.
func (a *Acceptor) responseHeader(key string, what *acceptance) http.Header {
	values := []string{"websocket", "Upgrade", acceptKey(key), a.Server(), what.Subprotocol, what.extensions}
	header := http.Header{
		"Upgrade":    values[0:1:1],
		"Connection": values[1:2:2],
		headerAccept: values[2:3:3],
		"Server":     values[3:4:4],
	}
	if what.Subprotocol != "" {
		header[headerProtocol] = values[4:5:5]
	}
	if what.extensions != "" {
		header[headerExtensions] = values[5:6:6]
	}
	AddHeader(header, a.Header)
	return header
}

// Server returns the value of the response's Server header, which names this
// SDK unless Header has another; "" if it is left out. It is for responses that
// refuse a handshake; Accept has put it into its own.
func (a *Acceptor) Server() string {
	for name, values := range a.Header {
		if http.CanonicalHeaderKey(name) == "Server" {
			return strings.Join(values, ", ")
		}
	}
	return product
}

// IsUpgrade reports whether a request asks for WebSocket, rather than for a page
// or a health check that is to be answered otherwise. [Acceptor.Accept] tells
// whether it may have it.
func IsUpgrade(r *http.Request) bool { return checkUpgrade(r) == nil }

// checkRequest checks what does not depend on the server's settings (section
// 4.2.1): first whether this is about WebSocket at all, then the details.
func checkRequest(r *http.Request) error {
	for _, check := range []func(*http.Request) error{
		checkMethod, checkHTTPVersion, checkUpgrade, checkVersion, checkKey, checkTarget, checkHost, checkNoBody,
	} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

// clientError returns an error that blames the client.
func clientError(status int, reason string, err error) *HandshakeError {
	return &HandshakeError{Status: status, Reason: reason, Section: "4.2.1", Err: err}
}

func badRequest(reason string) *HandshakeError {
	return clientError(http.StatusBadRequest, reason, nil)
}

// upgradeRequired tells a client what to upgrade to (RFC 9110, section
// 15.5.22) and which version of it (RFC 6455, section 4.4).
func upgradeRequired(reason string) *HandshakeError {
	e := clientError(http.StatusUpgradeRequired, reason, ErrUpgrade)
	e.Header = http.Header{
		"Upgrade":     {"websocket"},
		"Connection":  {"Upgrade"},
		headerVersion: {version},
	}
	return e
}

func checkMethod(r *http.Request) error {
	if r.Method == http.MethodGet {
		return nil
	}
	e := clientError(http.StatusMethodNotAllowed, "method "+quote(r.Method)+" instead of GET", ErrUpgrade)
	e.Header = http.Header{"Allow": {http.MethodGet}}
	return e
}

// checkHTTPVersion refuses HTTP/2 and later too: they have no Upgrade, and their
// responses must not tell of one (RFC 9113, section 8.2.2).
func checkHTTPVersion(r *http.Request) error {
	if r.ProtoMajor == 1 && r.ProtoMinor >= 1 {
		return nil
	}
	return clientError(http.StatusHTTPVersionNotSupported, quote(r.Proto)+" instead of HTTP/1.1", ErrUpgrade)
}

func checkUpgrade(r *http.Request) error {
	if !listContains(HeaderValues(r.Header, "Connection"), "upgrade") {
		return upgradeRequired(`no "Upgrade" in the Connection header; this is a WebSocket server`)
	}
	if !listContains(HeaderValues(r.Header, "Upgrade"), "websocket") {
		return upgradeRequired(`no "websocket" in the Upgrade header; this is a WebSocket server`)
	}
	return nil
}

func checkVersion(r *http.Request) error {
	values := HeaderValues(r.Header, headerVersion)
	if len(values) != 1 {
		return badRequest(oneExpected(headerVersion, values))
	}
	if trimSpace(values[0]) != version {
		e := upgradeRequired("WebSocket version " + quote(values[0]) + " instead of 13")
		e.Section = "4.4"
		return e
	}
	return nil
}

func oneExpected(name string, values []string) string {
	return strconv.Itoa(len(values)) + " " + name + " headers instead of one"
}

// checkKey checks that the key encodes 16 bytes. Its size is checked first,
// because package base64 passes over line breaks.
func checkKey(r *http.Request) error {
	values := HeaderValues(r.Header, headerKey)
	if len(values) != 1 {
		return badRequest(oneExpected(headerKey, values))
	}
	key := trimSpace(values[0])
	if len(key) == base64.StdEncoding.EncodedLen(nonceSize) {
		var nonce [nonceSize + 2]byte // what the encoding's size has room for
		if n, err := base64.StdEncoding.Decode(nonce[:], []byte(key)); err == nil && n == nonceSize {
			return nil
		}
	}
	return badRequest(headerKey + " header " + quote(key) + " is not 16 bytes in base64")
}

// checkTarget refuses a request target that names no resource: neither a path
// nor a URI with one. The asterisk is for other methods than GET (RFC 9112,
// section 3.2.4).
func checkTarget(r *http.Request) error {
	if u := r.URL; u != nil && (u.Opaque != "" || u.Path != "" && u.Path[0] != '/') {
		return badRequest("request target is no path")
	}
	return nil
}

func checkHost(r *http.Request) error {
	if r.Host == "" {
		return badRequest("no Host header")
	}
	if !isHost(r.Host) {
		return badRequest("Host header " + quote(r.Host) + " is no host")
	}
	return nil
}

// checkNoBody refuses a request with a body: its bytes would be taken for
// frames by us and for a body by a proxy on the way, or the other way round.
func checkNoBody(r *http.Request) error {
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return badRequest("request with a body")
	}
	return nil
}

// subprotocol chooses the subprotocol (section 4.2.2, point 5).
func (a *Acceptor) subprotocol(r *http.Request) (string, error) {
	offered, err := offeredSubprotocols(r)
	if err != nil {
		return "", err
	}
	if a.SelectSubprotocol != nil {
		return a.selectSubprotocol(r, offered)
	}
	if len(a.Subprotocols) == 0 {
		return "", nil
	}
	for _, name := range a.Subprotocols {
		if slices.Contains(offered, name) {
			return name, nil
		}
	}
	reason := "client offers none of the subprotocols " + strings.Join(a.Subprotocols, ", ")
	return "", clientError(http.StatusBadRequest, reason, ErrSubprotocol)
}

func offeredSubprotocols(r *http.Request) ([]string, error) {
	values := HeaderValues(r.Header, headerProtocol)
	if len(values) == 0 {
		return nil, nil
	}
	offered, err := parseTokens(values)
	if err != nil {
		return nil, clientError(http.StatusBadRequest, "malformed Sec-WebSocket-Protocol header: "+err.Error(), ErrSubprotocol)
	}
	if reason, ok := checkSubprotocols(offered); !ok {
		return nil, clientError(http.StatusBadRequest, reason, ErrSubprotocol)
	}
	return offered, nil
}

func (a *Acceptor) selectSubprotocol(r *http.Request, offered []string) (string, error) {
	name, err := a.SelectSubprotocol(r, offered)
	switch {
	case err != nil:
		return "", clientError(http.StatusBadRequest, "no subprotocol: "+err.Error(), err)
	case name != "" && !slices.Contains(offered, name):
		return "", localError("4.2.2", "SelectSubprotocol chose "+quote(name)+", which the client did not offer", ErrSubprotocol)
	}
	return name, nil
}

// AddHeader adds to header, that of a response which Accept has returned, the
// fields of more, which is not changed: what a program has set before it knew
// what would become of the request. The handshake's own fields stay as they
// are, since a wrong value would break the handshake.
func AddHeader(header, more http.Header) {
	for name, values := range more {
		canonical := http.CanonicalHeaderKey(name)
		if isHandshakeField(canonical) {
			continue
		}
		if canonical == "Server" || canonical == "Date" {
			name = canonical // and not twice
		}
		header[name] = slices.Clone(values)
	}
}

// ReplaceHeader is AddHeader for a header that was changed as a whole: fields
// that more does not have any more are removed, but for the handshake's own.
func ReplaceHeader(header, more http.Header) {
	maps.DeleteFunc(header, func(name string, _ []string) bool {
		return !isHandshakeField(http.CanonicalHeaderKey(name))
	})
	AddHeader(header, more)
}

// AppendResponse appends the response 101 Switching Protocols with header to
// dst, as it goes over the wire (section 4.2.2). now is for the Date header. A
// field with no value, or only an empty one, is left out: that is how to leave
// out Date and Server.
//
// The error is a [*HandshakeError] that blames the caller: a field with a
// malformed name or a control character in its value, one of a body's, which a
// 101 response cannot have, or a second one of the handshake's. dst is then
// returned as it was.
func AppendResponse(dst []byte, header http.Header, now time.Time) ([]byte, error) {
	names := sortedNames(header)
	if err := checkFields(header, names); err != nil {
		return dst, err
	}
	if err := checkResponseHeader(header); err != nil {
		return dst, err
	}
	b := append(dst, statusLine...)
	if _, given := header["Date"]; !given {
		b = appendDateField(b, now)
	}
	for _, name := range names {
		for _, value := range header[name] {
			b = appendField(b, name, value)
		}
	}
	return append(b, "\r\n"...), nil
}

const statusLine = "HTTP/1.1 101 Switching Protocols\r\n"

func appendDateField(dst []byte, now time.Time) []byte {
	return append(appendDate(append(dst, "Date: "...), now.UTC()), "\r\n"...)
}

// appendDate appends a time in UTC in the format http.TimeFormat (RFC 9110,
// section 5.6.7). Time.AppendFormat needs so much of the stack that a goroutine
// of net/http would have to get a larger one for each handshake.
func appendDate(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b := append(append(dst, t.Weekday().String()[:3]...), ", "...)
	b = append(append2(b, day), ' ')
	b = append(append(b, month.String()[:3]...), ' ')
	b = append(strconv.AppendInt(b, int64(year), 10), ' ')
	b = append(append2(b, hour), ':')
	b = append(append2(b, minute), ':')
	return append(append2(b, second), " GMT"...)
}

// append2 appends two digits.
func append2(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// checkResponseHeader looks at a header to which fields may have been added, by
// whoever spells them in another way too: no client would accept the handshake
// with two of its fields (section 11.3).
func checkResponseHeader(header http.Header) error {
	for _, name := range fieldsOfBodies {
		if len(HeaderValues(header, name)) > 0 {
			return localError("9110, section 8.6", name+" header in a response without a body", nil)
		}
	}
	for _, name := range fieldsOfHandshake {
		if len(HeaderValues(header, name)) > 1 {
			return localError("4.2.2", "several "+name+" headers", nil)
		}
	}
	return nil
}

// The fields that checkResponseHeader looks for.
var (
	fieldsOfBodies    = []string{"Content-Length", "Transfer-Encoding"}
	fieldsOfHandshake = []string{"Upgrade", headerAccept, headerProtocol, headerExtensions}
)

// appendField appends one header line. No field of ours means something when
// it is empty.
func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return append(append(append(append(dst, name...), ": "...), value...), "\r\n"...)
}
