package protocol

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// TestTarget turns URLs into request lines and Host headers (sections 3 and
// 4.1).
func TestTarget(t *testing.T) {
	for _, tt := range []struct{ url, scheme, line, host string }{
		{"ws://example.com", "http", "/", "example.com"},
		{"wss://example.com", "https", "/", "example.com"},
		{"http://example.com/", "http", "/", "example.com"},
		{"https://example.com/a", "https", "/a", "example.com"},
		{"WS://EXAMPLE.com/A", "http", "/A", "example.com"},
		{"ws://example.com:80/", "http", "/", "example.com"},
		{"ws://example.com:443/", "http", "/", "example.com:443"},
		{"wss://example.com:443/", "https", "/", "example.com"},
		{"wss://example.com:80/", "https", "/", "example.com:80"},
		{"ws://example.com:/", "http", "/", "example.com"},
		{"ws://example.com:65535/", "http", "/", "example.com:65535"},
		{"ws://127.0.0.1:8080", "http", "/", "127.0.0.1:8080"},
		{"ws://[::1]/", "http", "/", "[::1]"},
		{"ws://[::1]:80/", "http", "/", "[::1]"},
		{"ws://[::1]:81/", "http", "/", "[::1]:81"},
		{"ws://h/a?b=c&d", "http", "/a?b=c&d", "h"},
		{"ws://h?b", "http", "/?b", "h"},
		{"ws://h/a?", "http", "/a", "h"},
		{"ws://h/a%2Fb%20c", "http", "/a%2Fb%20c", "h"},
		{"ws://h/a b", "http", "/a%20b", "h"},
		{"ws://h/é", "http", "/%C3%A9", "h"},
		{"ws://h/?a b", "http", "/?a%20b", "h"},
		{"ws://h/?é=%C3%A9", "http", "/?%C3%A9=%C3%A9", "h"},
		{"ws://h//x", "http", "//x", "h"},
		{"ws://h/#", "http", "/", "h"}, // net/url does not tell an empty fragment from none
		{"ws://u:p@h/", "http", "/", "h"},
		{"ws://bücher.example/", "http", "/", "bücher.example"}, // net/http writes Punycode
	} {
		req, err := new(Offer).Request(parseURL(t, tt.url))
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		if req.URL.Scheme != tt.scheme || req.URL.RequestURI() != tt.line || req.Host != tt.host || req.URL.User != nil {
			t.Errorf("%s: %v, line %q, host %q; want %s, %q, %q", tt.url, req.URL, req.URL.RequestURI(), req.Host, tt.scheme, tt.line, tt.host)
		}
	}
}

// TestTargetZone: the name of an interface, unlike that of a host, is another one in
// lower case (RFC 4007, section 11.2).
func TestTargetZone(t *testing.T) {
	req, err := new(Offer).Request(parseURL(t, "ws://[FE80::1%25enP2p1s0]:81/"))
	if err != nil || req.URL.Host != "[fe80::1%enP2p1s0]:81" {
		t.Errorf("%v, %v", req, err)
	}
}

// TestTargetRefuses URLs that name no WebSocket server, and some that only a
// program can put together.
func TestTargetRefuses(t *testing.T) {
	for want, u := range map[string]*url.URL{
		"no URL":                               nil,
		`scheme "" instead of ws or wss`:       {Host: "h"},
		`scheme "ftp" instead of ws or wss`:    {Scheme: "ftp", Host: "h"},
		`scheme "WS" instead of ws or wss`:     {Scheme: "WS", Host: "h"},
		`no host in "ws:"`:                     {Scheme: "ws"},
		`no host in "ws:h"`:                    {Scheme: "ws", Opaque: "h"},
		`no host in "wss:/x"`:                  {Scheme: "wss", Opaque: "/x", Host: "h"},
		`no host in "ws://:80"`:                {Scheme: "ws", Host: ":80"},
		`no host in "ws://a%20b"`:              {Scheme: "ws", Host: "a b"},
		`no host in "ws://a%0D%0AX:%20y"`:      {Scheme: "ws", Host: "a\r\nX: y"},
		`no host in "ws://a%40b"`:              {Scheme: "ws", Host: "a@b"},
		`fragment in "ws://h#f"`:               {Scheme: "ws", Host: "h", Fragment: "f"},
		`fragment in "wss://u:xxxxx@h#f"`:      {Scheme: "wss", Host: "h", Fragment: "f", User: url.UserPassword("u", "secret")},
		`path "x" does not begin with a slash`: {Scheme: "ws", Host: "h", Path: "x"},
		`path "*" does not begin with a slash`: {Scheme: "ws", Host: "h", Path: "*"},
		`port "65536"`:                         {Scheme: "ws", Host: "h:65536"},
	} {
		_, err := new(Offer).Request(u)
		wantLocalError(t, err, ErrURL)
		var he *HandshakeError
		if errors.As(err, &he); he == nil || he.Reason != want || he.Section != "3" {
			t.Errorf("%v: %v, want %q", u, err, want)
		}
	}
}

// TestTargetLine makes one line of whatever stands in a query: what ends a
// line or a word is escaped.
func TestTargetLine(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	req, err := new(Offer).Request(&url.URL{Scheme: "ws", Host: "h", RawQuery: string(all)})
	if err != nil {
		t.Fatal(err)
	}
	line := req.URL.RequestURI()
	if strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
		t.Errorf("request line %q", line)
	}
	if got, err := url.PathUnescape(strings.TrimPrefix(strings.ReplaceAll(line, "%&", "%25&"), "/?")); err != nil || got != string(all) {
		t.Errorf("the query is %q now, %v", got, err)
	}
}
