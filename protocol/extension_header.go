package protocol

import "net/http"

// An ExtensionHeader is one element of a Sec-WebSocket-Extensions header: in a
// request, an extension that the client offers, or one way to use it, in order
// of preference; in a response, one that the server accepts (RFC 6455, section
// 9.1).
type ExtensionHeader struct {
	Name   string // a token, for example "permessage-deflate"
	Params []Param
}

// A Param is a parameter of an [ExtensionHeader].
type Param struct {
	Name  string // a token
	Value string // a token, "" when the parameter has no value
}

// ParseExtensions reads the values of all lines of a Sec-WebSocket-Extensions
// header, for example those that [HeaderValues] returns; no values, no
// extensions. What the parameters mean is left to each extension.
//
// Section 9.1 demands that the connection fails when a value is malformed: the
// error is a [*HandshakeError] that wraps [ErrExtension]. More than 128
// extensions, or parameters of one, are refused likewise.
func ParseExtensions(values []string) ([]ExtensionHeader, error) {
	if len(values) == 0 {
		return nil, nil
	}
	list := make([]ExtensionHeader, 0, 2) // as many as most clients offer, and one more
	err := parseList(values, func(sc *scanner) error {
		ext, err := scanExtension(sc)
		list = append(list, ext)
		return err
	})
	if err != nil {
		return nil, &HandshakeError{
			Status:  http.StatusBadRequest,
			Reason:  "malformed Sec-WebSocket-Extensions header: " + err.Error(),
			Section: "9.1",
			Err:     ErrExtension,
		}
	}
	return list, nil
}

// scanExtension reads a name and its parameters:
//
//	extension = extension-token *( ";" extension-param )
func scanExtension(sc *scanner) (ext ExtensionHeader, err error) {
	if ext.Name = sc.token(); ext.Name == "" {
		return ext, errNotAToken
	}
	for sc.skipSpace(); sc.skip(';'); sc.skipSpace() {
		param, err := scanParam(sc)
		if err != nil {
			return ext, err
		}
		if ext.Params == nil {
			ext.Params = make([]Param, 0, min(1+sc.count(';'), maxListElements))
		}
		if ext.Params = append(ext.Params, param); len(ext.Params) > maxListElements {
			return ext, errLongList
		}
	}
	return ext, nil
}

// scanParam reads a name and its value, if there is one:
//
//	extension-param = token [ "=" (token | quoted-string) ]
func scanParam(sc *scanner) (p Param, err error) {
	sc.skipSpace()
	if p.Name = sc.token(); p.Name == "" {
		return p, errNotAToken
	}
	sc.skipSpace()
	if !sc.skip('=') {
		return p, nil
	}
	sc.skipSpace()
	if sc.skip('"') {
		if p.Value = sc.quotedToken(); p.Value == "" {
			return p, errQuotedValue
		}
		return p, nil
	}
	if p.Value = sc.token(); p.Value == "" {
		return p, errNotAToken
	}
	return p, nil
}

// FormatExtensions returns the value of a Sec-WebSocket-Extensions header, ""
// for no extensions. A name or value that is no token is a [*HandshakeError]
// that blames the caller and wraps [ErrExtension].
func FormatExtensions(list []ExtensionHeader) (string, error) {
	for _, ext := range list {
		if bad, ok := ext.invalidToken(); ok {
			return "", localError("9.1", "extension with "+quote(bad)+", which is no token", ErrExtension)
		}
	}
	var room [96]byte // enough for what is known
	value := room[:0]
	for i, ext := range list {
		if i > 0 {
			value = append(value, ", "...)
		}
		value = ext.append(value)
	}
	return string(value), nil
}

// invalidToken returns the first part of the extension that is no token.
func (ext ExtensionHeader) invalidToken() (bad string, found bool) {
	if !isToken(ext.Name) {
		return ext.Name, true
	}
	for _, p := range ext.Params {
		if !isToken(p.Name) {
			return p.Name, true
		}
		if p.Value != "" && !isToken(p.Value) {
			return p.Value, true
		}
	}
	return "", false
}

// String returns the extension as it stands in the header, for example
// "permessage-deflate; client_max_window_bits=10".
func (ext ExtensionHeader) String() string { return string(ext.append(nil)) }

// append appends what String returns. Values are tokens and need no quotes.
func (ext ExtensionHeader) append(dst []byte) []byte {
	dst = append(dst, ext.Name...)
	for _, p := range ext.Params {
		dst = append(append(dst, "; "...), p.Name...)
		if p.Value != "" {
			dst = append(append(dst, '='), p.Value...)
		}
	}
	return dst
}
