package protocol

import (
	"bufio"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// wireRequest is the request of section 1.2 of the RFC, without what is not
// required.
const wireRequest = "GET /chat HTTP/1.1\r\n" +
	"Host: server.example.com\r\n" +
	"Upgrade: websocket\r\n" +
	"Connection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
	"Sec-WebSocket-Version: 13\r\n"

// request reads wireRequest, with further header lines, as net/http reads it.
func request(t testing.TB, further string) *http.Request {
	t.Helper()
	return readRequest(t, wireRequest+further+"\r\n")
}

func readRequest(t testing.TB, wire string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		t.Fatalf("net/http does not read %q: %v", wire, err)
	}
	return r
}

// wantHandshakeError compares all but the error that is wrapped.
func wantHandshakeError(t *testing.T, err error, want HandshakeError) {
	t.Helper()
	var he *HandshakeError
	if !errors.As(err, &he) || !errors.Is(err, ErrHandshake) {
		t.Errorf("error %v is no HandshakeError, want %v", err, &want)
		return
	}
	got := *he
	got.Err = nil
	if want.Err != nil && !errors.Is(err, want.Err) || want.Err == nil && he.Err != nil {
		t.Errorf("%v: wraps %v, want %v", err, he.Err, want.Err)
	}
	want.Err = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("error %+v\nwant  %+v", got, want)
	}
}

// wantLocalError expects an error that blames the caller and wraps target.
func wantLocalError(t *testing.T, err, target error) {
	t.Helper()
	var he *HandshakeError
	if !errors.As(err, &he) || !he.Local || he.Status != http.StatusInternalServerError || !errors.Is(err, ErrHandshake) || !errors.Is(err, target) {
		t.Errorf("error %v, want a HandshakeError that blames the caller and wraps %v", err, target)
	}
}

// TestAccept answers the example of section 1.3.
func TestAccept(t *testing.T) {
	for name, wire := range map[string]string{
		"plain": wireRequest + "\r\n",
		"other case and lists": "GET / HTTP/1.1\r\nHOST: h\r\nupgrade: foo/1.0, WebSocket\r\nconnection: keep-alive\r\nCONNECTION: x, upgrade\r\n" +
			"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSEC-WEBSOCKET-VERSION:13\r\n\r\n",
		"spaces":             strings.ReplaceAll(wireRequest, ": ", ": \t ") + "\r\n",
		"empty body":         wireRequest + "Content-Length: 0\r\n\r\n",
		"extensions":         wireRequest + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, foo\r\n\r\n",
		"subprotocols":       wireRequest + "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n\r\n",
		"HTTP/1.2":           strings.Replace(wireRequest, "HTTP/1.1", "HTTP/1.2", 1) + "\r\n",
		"request not a path": strings.Replace(wireRequest, "/chat", "http://server.example.com/chat", 1) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			agreement, header, err := new(Acceptor).Accept(readRequest(t, wire))
			want := http.Header{
				"Upgrade":              {"websocket"},
				"Connection":           {"Upgrade"},
				"Sec-WebSocket-Accept": {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
				"Server":               {"Tandem"},
			}
			if err != nil || !reflect.DeepEqual(agreement, Agreement{}) || !reflect.DeepEqual(header, want) {
				t.Errorf("%+v, %v, %v\nwant %v", agreement, header, err, want)
			}
		})
	}
}

// TestAcceptRefuses has one thing wrong in each request (section 4.2.1).
func TestAcceptRefuses(t *testing.T) {
	upgrade := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-WebSocket-Version": {"13"}}
	const key, long = "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSE="
	bad := func(reason string) HandshakeError {
		return HandshakeError{Status: 400, Section: "4.2.1", Reason: reason}
	}
	noUpgrade := func(reason string) HandshakeError {
		return HandshakeError{Status: 426, Section: "4.2.1", Err: ErrUpgrade, Header: upgrade, Reason: reason}
	}
	noConnection := noUpgrade(`no "Upgrade" in the Connection header; this is a WebSocket server`)
	noWebSocket := noUpgrade(`no "websocket" in the Upgrade header; this is a WebSocket server`)
	badKey := func(quoted string) HandshakeError {
		return bad("Sec-WebSocket-Key header " + quoted + " is not 16 bytes in base64")
	}
	badVersion := func(quoted string) HandshakeError {
		return HandshakeError{Status: 426, Section: "4.4", Err: ErrUpgrade, Header: upgrade, Reason: "WebSocket version " + quoted + " instead of 13"}
	}
	for name, tt := range map[string]struct {
		old, new string // in wireRequest
		want     HandshakeError
	}{
		"POST": {"GET", "POST", HandshakeError{Status: 405, Section: "4.2.1", Err: ErrUpgrade,
			Header: http.Header{"Allow": {"GET"}}, Reason: `method "POST" instead of GET`}},
		"get": {"GET", "get", HandshakeError{Status: 405, Section: "4.2.1", Err: ErrUpgrade,
			Header: http.Header{"Allow": {"GET"}}, Reason: `method "get" instead of GET`}},
		"HTTP/1.0": {"HTTP/1.1", "HTTP/1.0", HandshakeError{Status: 505, Section: "4.2.1", Err: ErrUpgrade,
			Reason: `"HTTP/1.0" instead of HTTP/1.1`}},
		"no Host":             {"Host: server.example.com\r\n", "", bad("no Host header")},
		"no Upgrade":          {"Upgrade: websocket\r\n", "", noWebSocket},
		"other Upgrade":       {"websocket", "h2c", noWebSocket},
		"versioned Upgrade":   {"websocket", "websocket/13", noWebSocket},
		"Kelvin Upgrade":      {"websocket", "websoc\u212aet", noWebSocket},
		"no Connection":       {"Connection: Upgrade\r\n", "", noConnection},
		"other Connection":    {"Connection: Upgrade", "Connection: keep-alive", noConnection},
		"no key":              {"Sec-WebSocket-Key: " + key + "\r\n", "", bad("0 Sec-WebSocket-Key headers instead of one")},
		"two keys":            {key, key + "\r\nSec-WebSocket-Key: " + key, bad("2 Sec-WebSocket-Key headers instead of one")},
		"two keys in a line":  {key, key + ", " + key, badKey(`"` + key + ", " + key + `"`)},
		"empty key":           {key, "", badKey(`""`)},
		"17 bytes":            {key, long, badKey(`"` + long + `"`)},
		"21 bytes":            {key, "dGhlIHNhbXBsZSBub25jZSBpcyBs", badKey(`"dGhlIHNhbXBsZSBub25jZSBpcyBs"`)},
		"15 bytes":            {key, "dGhlIHNhbXBsZSBub25j", badKey(`"dGhlIHNhbXBsZSBub25j"`)},
		"no padding":          {key, "dGhlIHNhbXBsZSBub25jZQ", badKey(`"dGhlIHNhbXBsZSBub25jZQ"`)},
		"URL alphabet":        {key, "____IHNhbXBsZSBub25jZQ==", badKey(`"____IHNhbXBsZSBub25jZQ=="`)},
		"18 bytes, no pad":    {key, "dGhlIHNhbXBsZSBub25jZXXX", badKey(`"dGhlIHNhbXBsZSBub25jZXXX"`)},
		"no version":          {"Sec-WebSocket-Version: 13\r\n", "", bad("0 Sec-WebSocket-Version headers instead of one")},
		"two versions":        {": 13", ": 13\r\nSec-WebSocket-Version: 13", bad("2 Sec-WebSocket-Version headers instead of one")},
		"version 8":           {": 13", ": 8", badVersion(`"8"`)},
		"versions in a line":  {": 13", ": 13, 8", badVersion(`"13, 8"`)},
		"version 013":         {": 13", ": 013", badVersion(`"013"`)},
		"empty version":       {": 13", ":", badVersion(`""`)},
		"body":                {": 13", ": 13\r\nContent-Length: 1", bad("request with a body")},
		"body in chunks":      {": 13", ": 13\r\nTransfer-Encoding: chunked", bad("request with a body")},
		"empty protocol":      {": 13", ": 13\r\nSec-WebSocket-Protocol:", badSubprotocol("malformed Sec-WebSocket-Protocol header: nothing in it")},
		"no token":            {": 13", ": 13\r\nSec-WebSocket-Protocol: a b", badSubprotocol("malformed Sec-WebSocket-Protocol header: expected a comma at byte 2")},
		"protocol twice":      {": 13", ": 13\r\nSec-WebSocket-Protocol: a, b, a", badSubprotocol(`subprotocol "a" is there twice`)},
		"protocol twice over": {": 13", ": 13\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a", badSubprotocol(`subprotocol "a" is there twice`)},
		"malformed extension": {": 13", ": 13\r\nSec-WebSocket-Extensions: a=b", HandshakeError{Status: 400, Section: "9.1", Err: ErrExtension,
			Reason: "malformed Sec-WebSocket-Extensions header: expected a comma at byte 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(wireRequest, tt.old) {
				t.Fatalf("no %q in the request", tt.old)
			}
			r := readRequest(t, strings.Replace(wireRequest, tt.old, tt.new, 1)+"\r\n")
			_, header, err := new(Acceptor).Accept(r)
			wantHandshakeError(t, err, tt.want)
			if header != nil {
				t.Errorf("header %v of a response that is refused", header)
			}
		})
	}
}

func badSubprotocol(reason string) HandshakeError {
	return HandshakeError{Status: 400, Section: "4.2.1", Err: ErrSubprotocol, Reason: reason}
}

// TestBothSpellings has a header in the request in both spellings of its name:
// nothing hides behind the other one.
func TestBothSpellings(t *testing.T) {
	r := request(t, "")
	r.Header["Sec-WebSocket-Key"] = r.Header["Sec-Websocket-Key"]
	_, _, err := new(Acceptor).Accept(r)
	wantHandshakeError(t, err, HandshakeError{Status: 400, Section: "4.2.1", Reason: "2 Sec-WebSocket-Key headers instead of one"})
	delete(r.Header, "Sec-Websocket-Key")
	if _, _, err := new(Acceptor).Accept(r); err != nil {
		t.Error(err)
	}
}

// TestSubprotocol chooses the first of the server's that the client offers,
// whatever the client's order; names differ by case (section 11.3.4).
func TestSubprotocol(t *testing.T) {
	for _, tt := range []struct {
		server, client string
		want           string // "!": refused
	}{
		{"", "", ""},
		{"", "a, b", ""},
		{"a", "a", "a"},
		{"b a", "a, b", "b"},
		{"x b", "a, b", "b"},
		{"a", "b\r\nSec-WebSocket-Protocol: a", "a"},
		{"a", "", "!"},
		{"a", "b", "!"},
		{"a", "A", "!"},
	} {
		further := ""
		if tt.client != "" {
			further = "Sec-WebSocket-Protocol: " + tt.client + "\r\n"
		}
		agreement, header, err := (&Acceptor{Subprotocols: strings.Fields(tt.server)}).Accept(request(t, further))
		if tt.want == "!" {
			wantHandshakeError(t, err, badSubprotocol("client offers none of the subprotocols "+tt.server))
			continue
		}
		var want []string
		if tt.want != "" {
			want = []string{tt.want}
		}
		if got := HeaderValues(header, headerProtocol); err != nil || agreement.Subprotocol != tt.want || !slices.Equal(got, want) {
			t.Errorf("%q and %q: %+v, header %q, %v", tt.server, tt.client, agreement, got, err)
		}
	}
}

func TestSelectSubprotocol(t *testing.T) {
	choose := func(name string, err error) *Acceptor {
		return &Acceptor{
			Subprotocols: []string{"ignored"},
			SelectSubprotocol: func(r *http.Request, offered []string) (string, error) {
				if r.Host != "server.example.com" || !slices.Equal(offered, []string{"a", "b"}) {
					t.Errorf("asked about %v with %q", r.Host, offered)
				}
				return name, err
			},
		}
	}
	r := request(t, "Sec-WebSocket-Protocol: a, b\r\n")
	for _, name := range []string{"", "b"} {
		if agreement, _, err := choose(name, nil).Accept(r); agreement.Subprotocol != name || err != nil {
			t.Errorf("chose %q: %+v, %v", name, agreement, err)
		}
	}
	cause := errors.New("not today")
	_, _, err := choose("", cause).Accept(r)
	wantHandshakeError(t, err, HandshakeError{Status: 400, Section: "4.2.1", Reason: "no subprotocol: not today", Err: cause})
	_, _, err = choose("c", nil).Accept(r)
	wantLocalError(t, err, ErrSubprotocol)
}

// TestErrorText is fit to be a response's body: one line, however long and
// wild what the client sent.
func TestErrorText(t *testing.T) {
	r := request(t, "")
	r.Header["Sec-Websocket-Version"] = []string{"\x00<script>" + strings.Repeat("é", 1000)}
	_, _, err := new(Acceptor).Accept(r)
	want := `websocket: opening handshake failed: WebSocket version "\x00<script>` + strings.Repeat(`\u00e9`, 11) + `\xc3"... instead of 13 (RFC 6455, section 4.4)`
	if err.Error() != want {
		t.Errorf("%s\nwant %s", err, want)
	}
}

// TestAppendResponse writes the response of section 1.3 and the fields that
// are added to it.
func TestAppendResponse(t *testing.T) {
	now := time.Date(2011, 12, 31, 23, 59, 58, 0, time.FixedZone("", -3600))
	_, header, err := (&Acceptor{Subprotocols: []string{"chat"}}).Accept(request(t, "Sec-WebSocket-Protocol: chat\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	header.Add("Set-Cookie", "a=1")
	header.Add("Set-Cookie", "b=\xff\t2")
	got, err := AppendResponse([]byte("before"), header, now)
	want := "beforeHTTP/1.1 101 Switching Protocols\r\n" +
		"Date: Sun, 01 Jan 2012 00:59:58 GMT\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
		"Sec-WebSocket-Protocol: chat\r\n" +
		"Server: Tandem\r\n" +
		"Set-Cookie: a=1\r\n" +
		"Set-Cookie: b=\xff\t2\r\n" +
		"Upgrade: websocket\r\n" +
		"\r\n"
	if string(got) != want || err != nil {
		t.Errorf("%q, %v\nwant %q", got, err, want)
	}

	got, err = AppendResponse(nil, http.Header{"Date": nil, "Server": {""}, "X": {"", "y"}}, now)
	if want := "HTTP/1.1 101 Switching Protocols\r\nX: y\r\n\r\n"; string(got) != want || err != nil {
		t.Errorf("empty fields: %q, %v\nwant %q", got, err, want)
	}
}

// TestAppendResponseRefuses sends nothing that could be read as another line,
// another response or a body.
func TestAppendResponseRefuses(t *testing.T) {
	for _, header := range []http.Header{
		{"X": {"fine", "a\r\nSet-Cookie: b"}},
		{"X": {"a\nb"}},
		{"X": {"a\rb"}},
		{"X": {"a\x00b"}},
		{"X": {"a\x1bb"}},
		{"X": {"a\x7fb"}},
		{"X\r\nY": {"a"}},
		{"X Y": {"a"}},
		{"X:": {"a"}},
		{"": {"a"}},
		{"Content-Length": {"0"}},
		{"Transfer-Encoding": {"chunked"}},
		{"Upgrade": {"websocket", "h2c"}},
		{headerAccept: {"a", "a"}},
		{headerProtocol: {"chat"}, "Sec-Websocket-Protocol": {"chat"}}, // as http.Header.Set spells it
		{headerExtensions: {"a", "b"}},
	} {
		got, err := AppendResponse([]byte("before"), header, epoch)
		var he *HandshakeError
		if string(got) != "before" || !errors.As(err, &he) || !he.Local || he.Err != nil {
			t.Errorf("%q: %q, %v; want a local HandshakeError", header, got, err)
		}
	}
}

// Dates are written as net/http writes them.
func TestAppendDate(t *testing.T) {
	for at := epoch.UTC(); at.Before(epoch.AddDate(1, 1, 0)); at = at.Add(7*time.Hour + 11*time.Minute + 13*time.Second) {
		if got, want := string(appendDate(nil, at)), at.Format(http.TimeFormat); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}
