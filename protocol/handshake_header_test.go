package protocol

import (
	"errors"
	"net/http"
	"slices"
	"testing"
)

// TestServerHeader: further fields are sent, and none of the handshake's.
func TestServerHeader(t *testing.T) {
	a := Acceptor{Header: http.Header{"Set-Cookie": {"a=1", "b=2"}, "server": {"mine"}, "upgrade": {"h2c"}}}
	r := request(t, "")
	_, header, err := a.Accept(r)
	if err != nil {
		t.Fatal(err)
	}
	AddHeader(header, http.Header{"X-Request-Id": {"7"}, "Sec-Websocket-Accept": {"wrong"}, "connection": {"close"}})
	want := map[string][]string{
		"Set-Cookie":   {"a=1", "b=2"},
		"Server":       {"mine"},
		"Upgrade":      {"websocket"},
		"Connection":   {"Upgrade"},
		"X-Request-Id": {"7"},
		headerAccept:   {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, // of section 1.3
	}
	for name, values := range want {
		if !slices.Equal(header[name], values) {
			t.Errorf("%s is %q, want %q", name, header[name], values)
		}
	}
	if len(header) != len(want) {
		t.Errorf("the header is %q", header)
	}
}

// TestServerHeaderRefused: what can never work is reported before a client
// comes.
func TestServerHeaderRefused(t *testing.T) {
	for name, value := range map[string]string{
		"Connection":           "close",
		"sec-websocket-accept": "wrong",
		"Content-Length":       "0",
		"X-Injected":           "a\r\nX: b",
		"X Space":              "a",
	} {
		a := Acceptor{Header: http.Header{name: {value}}}
		var failed *HandshakeError
		if err := a.Validate(); !errors.As(err, &failed) || !failed.Local {
			t.Errorf("%s: %q: Validate returned %v, want an error that blames us", name, value, err)
		}
	}
}

// TestAppendAccept: the response is that of Accept and AppendResponse.
func TestAppendAccept(t *testing.T) {
	for name, a := range map[string]*Acceptor{
		"plain":   {},
		"all":     {Subprotocols: []string{"chat"}, Extensions: []ServerExtensionFactory{new(Deflate)}},
		"header":  {Header: http.Header{"Set-Cookie": {"a=1"}, "server": {"mine"}}},
		"refuses": {Subprotocols: []string{"other"}},
	} {
		r := request(t, "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")
		agreement, header, err := a.Accept(r)
		var want []byte
		if err == nil {
			want, err = AppendResponse([]byte("before "), header, epoch)
		}
		got, b, gotErr := a.AppendAccept([]byte("before "), r, epoch)
		if (gotErr == nil) != (err == nil) || err == nil && (string(b) != string(want) || got.Subprotocol != agreement.Subprotocol || len(got.Extensions) != len(agreement.Extensions)) {
			t.Errorf("%s: %+v, %v\n%s\nwant %+v, %v\n%s", name, got, gotErr, b, agreement, err, want)
		}
	}
}
