package protocol

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// sampleNonce is that of section 1.3 of the RFC.
const sampleNonce = "the sample nonce"

func parseURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// sampleOffer adds the sample nonce to an offer.
func sampleOffer(o Offer) *Offer {
	o.Nonce = strings.NewReader(sampleNonce)
	return &o
}

// TestRequestWire compares the whole request as net/http writes it, with the
// names spelt as the RFC spells them.
func TestRequestWire(t *testing.T) {
	const handshake = "Connection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, tt := range []struct {
		url   string
		offer Offer
		want  string
	}{
		{"ws://server.example.com/chat", Offer{}, "GET /chat HTTP/1.1\r\n" +
			"Host: server.example.com\r\n" +
			"User-Agent: Tandem\r\n" +
			handshake +
			"Sec-WebSocket-Version: 13\r\n" +
			"Upgrade: websocket\r\n\r\n"},
		{"wss://user:p%40ss@h:444/?q", Offer{
			Subprotocols: []string{"chat", "superchat"},
			Header:       http.Header{"Origin": {"https://example.com"}, "user-agent": {"mine"}, "x-API-Key": {"1", "2"}},
		}, "GET /?q HTTP/1.1\r\n" +
			"Host: h:444\r\n" +
			"User-Agent: mine\r\n" +
			"Authorization: Basic dXNlcjpwQHNz\r\n" +
			handshake[:len("Connection: Upgrade\r\n")] +
			"Origin: https://example.com\r\n" +
			handshake[len("Connection: Upgrade\r\n"):] +
			"Sec-WebSocket-Protocol: chat, superchat\r\n" +
			"Sec-WebSocket-Version: 13\r\n" +
			"Upgrade: websocket\r\n" +
			"x-API-Key: 1\r\n" +
			"x-API-Key: 2\r\n\r\n"},
		{"http://proxy/path", Offer{Host: "inner:8080", Header: http.Header{"User-Agent": {""}}}, "GET /path HTTP/1.1\r\n" +
			"Host: inner:8080\r\n" +
			handshake +
			"Sec-WebSocket-Version: 13\r\n" +
			"Upgrade: websocket\r\n\r\n"},
	} {
		req, err := sampleOffer(tt.offer).Request(parseURL(t, tt.url))
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		var wire bytes.Buffer
		if err := req.Write(&wire); err != nil {
			t.Errorf("%s: net/http does not write it: %v", tt.url, err)
		}
		if wire.String() != tt.want {
			t.Errorf("%s: wrote\n%s\nwant\n%s", tt.url, &wire, tt.want)
		}
	}
}

// TestRequestAccepted has our server read and accept our client's request.
func TestRequestAccepted(t *testing.T) {
	offer := &Offer{Subprotocols: []string{"a", "b"}}
	req, err := offer.Request(parseURL(t, "ws://example.com:8080/x?y=z"))
	if err != nil {
		t.Fatal(err)
	}
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		t.Fatal(err)
	}
	agreement, header, err := (&Acceptor{Subprotocols: []string{"b"}}).Accept(readRequest(t, wire.String()))
	if err != nil {
		t.Fatal(err)
	}
	b, err := AppendResponse(nil, header, epoch)
	if err != nil {
		t.Fatal(err)
	}
	got, err := offer.CheckResponse(req, readResponse(t, string(b)))
	if err != nil || !reflect.DeepEqual(got, agreement) || got.Subprotocol != "b" {
		t.Errorf("the client agreed to %+v, %v; the server to %+v", got, err, agreement)
	}
}

// TestRequestKeys sends another key with each request: 16 bytes of the source,
// by default crypto/rand's.
func TestRequestKeys(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		req, err := new(Offer).Request(parseURL(t, "ws://h"))
		if err != nil {
			t.Fatal(err)
		}
		seen[HeaderValues(req.Header, headerKey)[0]] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d different keys in 100 requests", len(seen))
	}
	cause := errors.New("no entropy")
	_, err := (&Offer{Nonce: iotest.ErrReader(cause)}).Request(parseURL(t, "ws://h"))
	wantLocalError(t, err, cause)
}

// TestRequestShares changes the request and expects the offer to stay as it was.
func TestRequestShares(t *testing.T) {
	o := sampleOffer(Offer{Header: http.Header{"X": {"a"}}})
	u := parseURL(t, "ws://h/p")
	req, err := o.Request(u)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["X"][0] = "changed"
	req.URL.Path = "/changed"
	if !reflect.DeepEqual(o.Header, http.Header{"X": {"a"}}) || u.Path != "/p" {
		t.Errorf("the caller's header is %v now, its URL %v", o.Header, u)
	}
}

// TestRequestAuthorization lets a header win over the URL, as net/http does.
func TestRequestAuthorization(t *testing.T) {
	for _, tt := range []struct {
		url    string
		header http.Header
		want   string
	}{
		{"ws://h", nil, ""},
		{"ws://@h", nil, ""},
		{"ws://u@h", nil, "Basic dTo="},
		{"ws://u:@h", nil, "Basic dTo="},
		{"ws://:p@h", nil, "Basic OnA="},
		{"ws://u:p%3Aq@h", nil, "Basic dTpwOnE="},
		{"ws://u:p@h", http.Header{"authorization": {"Bearer x"}}, "Bearer x"},
	} {
		req, err := (&Offer{Header: tt.header}).Request(parseURL(t, tt.url))
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		if got := req.Header.Get("Authorization"); got != tt.want || req.URL.User != nil {
			t.Errorf("%s: Authorization %q, user %v", tt.url, got, req.URL.User)
		}
	}
}

// TestRequestRefuses what would make a wrong or an unsafe request.
func TestRequestRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		url    string
		offer  Offer
		target error
	}{
		"subprotocol twice":       {"ws://h", Offer{Subprotocols: []string{"a", "a"}}, ErrSubprotocol},
		"subprotocol no token":    {"ws://h", Offer{Subprotocols: []string{"a,b"}}, ErrSubprotocol},
		"empty subprotocol":       {"ws://h", Offer{Subprotocols: []string{""}}, ErrSubprotocol},
		"line in a value":         {"ws://h", Offer{Header: http.Header{"X": {"a\r\nY: b"}}}, ErrHandshake},
		"NUL in a value":          {"ws://h", Offer{Header: http.Header{"X": {"a\x00"}}}, ErrHandshake},
		"line in a name":          {"ws://h", Offer{Header: http.Header{"X\r\nY": {"a"}}}, ErrHandshake},
		"empty name":              {"ws://h", Offer{Header: http.Header{"": {"a"}}}, ErrHandshake},
		"Upgrade":                 {"ws://h", Offer{Header: http.Header{"upgrade": {"h2c"}}}, ErrHandshake},
		"Connection":              {"ws://h", Offer{Header: http.Header{"Connection": {"close"}}}, ErrHandshake},
		"Host":                    {"ws://h", Offer{Header: http.Header{"Host": {"x"}}}, ErrHandshake},
		"Content-Length":          {"ws://h", Offer{Header: http.Header{"Content-Length": {"5"}}}, ErrHandshake},
		"Transfer-Encoding":       {"ws://h", Offer{Header: http.Header{"Transfer-Encoding": {"chunked"}}}, ErrHandshake},
		"key":                     {"ws://h", Offer{Header: http.Header{"Sec-Websocket-Key": {"x"}}}, ErrHandshake},
		"key in RFC spelling":     {"ws://h", Offer{Header: http.Header{"Sec-WebSocket-Key": {"x"}}}, ErrHandshake},
		"extensions by hand":      {"ws://h", Offer{Header: http.Header{"SEC-WEBSOCKET-EXTENSIONS": {"x"}}}, ErrHandshake},
		"line in Host":            {"ws://h", Offer{Host: "a\r\nX: y"}, ErrURL},
		"path in Host":            {"ws://h", Offer{Host: "a/b"}, ErrURL},
		"colon in user name":      {"ws://a%3Ab:c@h", Offer{}, ErrURL},
		"control in user name":    {"ws://a%0Ab:c@h", Offer{}, ErrURL},
		"control in password":     {"ws://a:%00@h", Offer{}, ErrURL},
		"URL without WebSocket":   {"ftp://h", Offer{}, ErrURL},
		"URL without a host":      {"ws:///path", Offer{}, ErrURL},
		"URL with a fragment":     {"ws://h/#top", Offer{}, ErrURL},
		"URL with a path for now": {"path", Offer{}, ErrURL},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := tt.offer.Request(parseURL(t, tt.url))
			wantLocalError(t, err, tt.target)
			if req != nil {
				t.Error("a request was returned with the error")
			}
		})
	}
}

// TestErrorsTellNoSecrets keeps passwords, cookies and keys out of errors,
// which end in logs.
func TestErrorsTellNoSecrets(t *testing.T) {
	for url, header := range map[string]http.Header{
		"ws://user:secret@h/#f":     nil,
		"ws://user:secret@":         nil,
		"ws://us%0Aer:secret@h":     nil,
		"ws://user:secret%0A@h":     nil,
		"ws://user:secret@h:99999/": nil,
		"ws://a":                    {"Cookie": {"secret\n"}},
		"ws://b":                    {"X\n": {"secret"}},
		"ws://c":                    {"Sec-WebSocket-Key": {"secret"}},
	} {
		_, err := (&Offer{Header: header}).Request(parseURL(t, url))
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// wireResponse is the answer to sampleNonce.
const wireResponse = "HTTP/1.1 101 Switching Protocols\r\n" +
	"Upgrade: websocket\r\n" +
	"Connection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

func readResponse(t testing.TB, wire string) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(wire)), nil)
	if err != nil {
		t.Fatalf("net/http does not read %q: %v", wire, err)
	}
	return resp
}

// checkWireResponse checks a response to an offer of subprotocols a and b.
func checkWireResponse(t *testing.T, wire string) (Agreement, error) {
	t.Helper()
	offer := sampleOffer(Offer{Subprotocols: []string{"a", "b"}})
	req, err := offer.Request(parseURL(t, "ws://h"))
	if err != nil {
		t.Fatal(err)
	}
	return offer.CheckResponse(req, readResponse(t, wire))
}

func TestCheckResponse(t *testing.T) {
	for name, tt := range map[string]struct{ wire, subprotocol string }{
		"plain":        {wireResponse, ""},
		"other case":   {"HTTP/1.1 101 \r\nupgrade:WebSocket\r\nCONNECTION: x\r\nconnection: keep-alive,UPGRADE\r\nsec-websocket-accept:\t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n", ""},
		"subprotocol":  {wireResponse + "Sec-WebSocket-Protocol: b\r\n", "b"},
		"other fields": {wireResponse + "Server: x\r\nSet-Cookie: y\r\nContent-Length: 0\r\n", ""},
		"HTTP/1.2":     {strings.Replace(wireResponse, "1.1", "1.2", 1), ""},
	} {
		if agreement, err := checkWireResponse(t, tt.wire+"\r\n"); agreement.Subprotocol != tt.subprotocol || err != nil {
			t.Errorf("%s: %+v, %v", name, agreement, err)
		}
	}
}

// TestCheckResponseRefuses has one thing wrong in each response (section 4.1).
func TestCheckResponseRefuses(t *testing.T) {
	const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	for name, tt := range map[string]struct {
		old, new string // in wireResponse
		reason   string
		err      error
	}{
		"HTTP/1.0":            {"HTTP/1.1", "HTTP/1.0", `response with version "HTTP/1.0", which cannot upgrade`, ErrUpgrade},
		"no Upgrade":          {"Upgrade: websocket\r\n", "", `Upgrade header is "" instead of "websocket"`, ErrUpgrade},
		"other Upgrade":       {"websocket", "h2c", `Upgrade header is "h2c" instead of "websocket"`, ErrUpgrade},
		"more in Upgrade":     {"websocket", "websocket, h2c", `Upgrade header is "websocket, h2c" instead of "websocket"`, ErrUpgrade},
		"two Upgrades":        {"websocket", "websocket\r\nUpgrade: x", `Upgrade header is "websocket, x" instead of "websocket"`, ErrUpgrade},
		"no Connection":       {"Connection: Upgrade\r\n", "", `no "Upgrade" in the Connection header`, ErrUpgrade},
		"other Connection":    {"Connection: Upgrade", "Connection: close", `no "Upgrade" in the Connection header`, ErrUpgrade},
		"no Accept":           {"Sec-WebSocket-Accept: " + accept + "\r\n", "", "no Sec-WebSocket-Accept header", nil},
		"two Accepts":         {accept, accept + "\r\nSec-WebSocket-Accept: " + accept, "several Sec-WebSocket-Accept headers", nil},
		"other Accept":        {accept, "AAAALMBiTxaQ9kYGzzhZRbK+xOo=", `Sec-WebSocket-Accept header is "AAAALMBiTxaQ9kYGzzhZRbK+xOo=", which does not fit our key`, nil},
		"Accept in caps":      {accept, strings.ToUpper(accept), `Sec-WebSocket-Accept header is "` + strings.ToUpper(accept) + `", which does not fit our key`, nil},
		"empty Accept":        {accept, "", `Sec-WebSocket-Accept header is "", which does not fit our key`, nil},
		"extension":           {accept, accept + "\r\nSec-WebSocket-Extensions: x; y", `server uses extension "x": it was not offered`, ErrExtension},
		"other subprotocol":   {accept, accept + "\r\nSec-WebSocket-Protocol: c", `server chose subprotocol "c", which was not offered`, ErrSubprotocol},
		"subprotocol in caps": {accept, accept + "\r\nSec-WebSocket-Protocol: A", `server chose subprotocol "A", which was not offered`, ErrSubprotocol},
		"two subprotocols":    {accept, accept + "\r\nSec-WebSocket-Protocol: a, b", `server chose "a, b" instead of one subprotocol`, ErrSubprotocol},
		"two lines of them":   {accept, accept + "\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a", `server chose "a, a" instead of one subprotocol`, ErrSubprotocol},
		"an empty line too":   {accept, accept + "\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol:", `server chose "a," instead of one subprotocol`, ErrSubprotocol},
		"an empty element":    {accept, accept + "\r\nSec-WebSocket-Protocol: ,a", `server chose ",a" instead of one subprotocol`, ErrSubprotocol},
		"empty subprotocol":   {accept, accept + "\r\nSec-WebSocket-Protocol:", `server chose "" instead of one subprotocol`, ErrSubprotocol},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(wireResponse, tt.old) {
				t.Fatalf("no %q in the response", tt.old)
			}
			agreement, err := checkWireResponse(t, strings.Replace(wireResponse, tt.old, tt.new, 1)+"\r\n")
			wantHandshakeError(t, err, HandshakeError{Section: "4.1", Reason: tt.reason, Err: tt.err})
			if !reflect.DeepEqual(agreement, Agreement{}) {
				t.Errorf("agreement %+v with an error", agreement)
			}
		})
	}
	_, err := checkWireResponse(t, wireResponse+"Sec-WebSocket-Extensions: ,\r\n\r\n")
	wantHandshakeError(t, err, HandshakeError{Status: 400, Section: "9.1", Err: ErrExtension,
		Reason: "malformed Sec-WebSocket-Extensions header: nothing in it"})
}

// TestCheckResponseRequest needs the request that was sent.
func TestCheckResponseRequest(t *testing.T) {
	_, err := new(Offer).CheckResponse(&http.Request{}, readResponse(t, wireResponse+"\r\n"))
	wantLocalError(t, err, ErrHandshake)
}

// TestInvalidStatus hands the response out with all other answers.
func TestInvalidStatus(t *testing.T) {
	for status, want := range map[string]string{
		"200 OK":        "200 (OK)",
		"302 Found":     "302 (Found)",
		"401 Wrong":     "401 (Unauthorized)",
		"503 Down":      "503 (Service Unavailable)",
		"599 Whatever":  "599",
		"100 Go on":     "100 (Continue)",
		"426 Upgrade!!": "426 (Upgrade Required)",
	} {
		_, err := checkWireResponse(t, strings.Replace(wireResponse, "101 Switching Protocols", status, 1)+"\r\n")
		var se *InvalidStatusError
		if !errors.As(err, &se) || !errors.Is(err, ErrHandshake) || !errors.Is(err, ErrUpgrade) || errors.Is(err, ErrOrigin) {
			t.Errorf("%s: %v", status, err)
			continue
		}
		want := "websocket: opening handshake failed: the server answered with status " + want + " instead of 101"
		if err.Error() != want || se.Response.Status != status || se.Body != nil {
			t.Errorf("%s: %q with response %v, want %q", status, err, se.Response.Status, want)
		}
	}
}
