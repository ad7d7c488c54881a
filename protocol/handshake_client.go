package protocol

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// An Offer is what a client proposes in its opening handshake (RFC 6455,
// section 4.1). The zero value is a good offer. Its methods do not change it
// and may be called concurrently, if Nonce may.
type Offer struct {
	// Subprotocols that the client speaks, in order of preference: distinct
	// tokens (section 1.9).
	Subprotocols []string

	// Extensions are offered to the server in this order of preference.
	Extensions []ClientExtensionFactory

	// Host is the value of the Host header; "" means that of the URL.
	Host string

	// Header has further fields for the request, such as Origin, Cookie or
	// User-Agent; an empty User-Agent sends none. Those that belong to the
	// handshake are refused.
	Header http.Header

	// Nonce is where the 16 random bytes of Sec-WebSocket-Key come from; nil
	// means crypto/rand.
	Nonce io.Reader
}

// Request returns the request that opens a connection to u, a URL with the
// scheme ws or wss, or http or https, which mean the same (section 3). A user
// name and a password in it become an Authorization header, unless Header has
// one. Request can be called again for another attempt or another URL.
//
// The request is one for [http.Request.Write]: its URL has the scheme http or
// https, and its header names are spelt as RFC 6455 spells them, so use
// [HeaderValues] to look them up. u and the Offer share no memory with it.
//
// Errors are a [*HandshakeError] that blames the caller; it wraps [ErrURL],
// [ErrSubprotocol], [ErrExtension] or the error of Nonce.
func (o *Offer) Request(u *url.URL) (*http.Request, error) {
	target, err := targetURL(u)
	if err != nil {
		return nil, err
	}
	header, err := o.header(u)
	if err != nil {
		return nil, err
	}
	host := o.Host
	if host == "" {
		host = hostHeader(target)
	}
	if !isHost(host) {
		return nil, localError("4.1", "host "+quote(host), ErrURL)
	}
	return &http.Request{
		Method: http.MethodGet,
		URL:    target,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header,
		Host:   host,
	}, nil
}

// header builds the header fields of the request in the spelling of the RFC.
func (o *Offer) header(u *url.URL) (http.Header, error) {
	header, err := o.furtherHeader()
	if err != nil {
		return nil, err
	}
	if header.Get("Authorization") == "" {
		if err := authorize(header, u.User); err != nil {
			return nil, err
		}
	}
	if reason, ok := checkSubprotocols(o.Subprotocols); !ok {
		return nil, localError("4.1", reason, ErrSubprotocol)
	}
	if len(o.Subprotocols) > 0 {
		header[headerProtocol] = []string{strings.Join(o.Subprotocols, ", ")}
	}
	if err := o.offerExtensions(header); err != nil {
		return nil, err
	}
	key, err := o.key()
	if err != nil {
		return nil, err
	}
	header["Upgrade"] = []string{"websocket"}
	header["Connection"] = []string{"Upgrade"}
	header[headerKey] = []string{key}
	header[headerVersion] = []string{version}
	return header, nil
}

// furtherHeader returns a copy of the caller's fields, checked, with our
// User-Agent if there is none.
func (o *Offer) furtherHeader() (http.Header, error) {
	if err := checkHeader(o.Header); err != nil {
		return nil, err
	}
	header := http.Header{"User-Agent": {product}}
	for _, name := range sortedNames(o.Header) {
		key, canonical := name, http.CanonicalHeaderKey(name)
		if isHandshakeField(canonical) {
			return nil, localError("4.1", "header "+name+" belongs to the handshake", nil)
		}
		if canonical == "User-Agent" || canonical == "Authorization" {
			key = canonical // net/http and we look for this spelling
		}
		header[key] = slices.Clone(o.Header[name])
	}
	return header, nil
}

// isHandshakeField reports whether the value of a field is for the handshake
// to say, or for net/http, which takes Host from elsewhere and gives a request
// without a body no field of a body's.
func isHandshakeField(canonical string) bool {
	switch canonical {
	case "Upgrade", "Connection", "Host", "Content-Length", "Transfer-Encoding", "Trailer":
		return true
	}
	return strings.HasPrefix(canonical, "Sec-Websocket-")
}

// key returns a new value for Sec-WebSocket-Key.
func (o *Offer) key() (string, error) {
	source := o.Nonce
	if source == nil {
		source = rand.Reader
	}
	var nonce [nonceSize]byte
	if _, err := io.ReadFull(source, nonce[:]); err != nil {
		return "", localError("4.1", fmt.Sprintf("no nonce for %s: %v", headerKey, err), err)
	}
	return base64.StdEncoding.EncodeToString(nonce[:]), nil
}

// authorize adds the credentials of a URL (RFC 7617, section 2).
func authorize(header http.Header, user *url.Userinfo) error {
	if user == nil || user.String() == "" {
		return nil
	}
	password, _ := user.Password()
	if strings.Contains(user.Username(), ":") {
		return localError("7617, section 2", "colon in the user name", ErrURL)
	}
	if hasControl(user.Username()) || hasControl(password) {
		return localError("7617, section 2", "control character in the user name or password", ErrURL)
	}
	credentials := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
	header["Authorization"] = []string{"Basic " + credentials}
	return nil
}

// CheckResponse checks the server's answer to req, a request of this Offer,
// and returns what was agreed. It reads no body.
//
// The error is an [*InvalidStatusError] when the status is not 101, else a
// [*HandshakeError] that blames the server; it wraps [ErrUpgrade],
// [ErrExtension], [ErrSubprotocol] or nothing. The client then must not go on
// with the connection (section 4.1).
func (o *Offer) CheckResponse(req *http.Request, resp *http.Response) (Agreement, error) {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return Agreement{}, &InvalidStatusError{Response: resp}
	}
	if err := checkUpgraded(resp); err != nil {
		return Agreement{}, err
	}
	if err := checkAccept(req, resp); err != nil {
		return Agreement{}, err
	}
	extensions, err := o.checkExtensions(resp.Header)
	if err != nil {
		return Agreement{}, err
	}
	subprotocol, err := o.checkSubprotocol(resp)
	return Agreement{subprotocol, extensions}, err
}

// serverError returns an error that blames the server.
func serverError(reason string, err error) *HandshakeError {
	return &HandshakeError{Reason: reason, Section: "4.1", Err: err}
}

// checkUpgraded checks that the server switches to WebSocket and nothing else
// (section 4.1, the client's points 2 and 3 on the response).
func checkUpgraded(resp *http.Response) error {
	if resp.ProtoMajor != 1 || resp.ProtoMinor < 1 {
		return serverError("response with version "+quote(resp.Proto)+", which cannot upgrade", ErrUpgrade)
	}
	upgrade := HeaderValues(resp.Header, "Upgrade")
	if len(upgrade) != 1 || !equalFoldASCII(trimSpace(upgrade[0]), "websocket") {
		return serverError("Upgrade header is "+quote(strings.Join(upgrade, ", "))+` instead of "websocket"`, ErrUpgrade)
	}
	if !listContains(HeaderValues(resp.Header, "Connection"), "upgrade") {
		return serverError(`no "Upgrade" in the Connection header`, ErrUpgrade)
	}
	return nil
}

// checkAccept checks the server's proof that it read our key (point 4).
func checkAccept(req *http.Request, resp *http.Response) error {
	keys := HeaderValues(req.Header, headerKey)
	if len(keys) != 1 {
		return localError("4.1", "request with "+strconv.Itoa(len(keys))+" Sec-WebSocket-Key headers", nil)
	}
	values := HeaderValues(resp.Header, headerAccept)
	switch {
	case len(values) == 0:
		return serverError("no Sec-WebSocket-Accept header", nil)
	case len(values) > 1:
		return serverError("several Sec-WebSocket-Accept headers", nil)
	case trimSpace(values[0]) != acceptKey(keys[0]):
		return serverError("Sec-WebSocket-Accept header is "+quote(values[0])+", which does not fit our key", nil)
	}
	return nil
}

// checkSubprotocol returns the one subprotocol that the server chose of ours,
// "" if it chose none (point 6). Unlike an offer, a choice is no list: a single
// token in a single header (sections 4.3 and 11.3.4).
func (o *Offer) checkSubprotocol(resp *http.Response) (string, error) {
	values := HeaderValues(resp.Header, headerProtocol)
	if len(values) == 0 {
		return "", nil
	}
	chosen := trimSpace(strings.Join(values, ", "))
	switch {
	case !isToken(chosen):
		return "", serverError("server chose "+quote(chosen)+" instead of one subprotocol", ErrSubprotocol)
	case !slices.Contains(o.Subprotocols, chosen):
		return "", serverError("server chose subprotocol "+quote(chosen)+", which was not offered", ErrSubprotocol)
	}
	return chosen, nil
}
