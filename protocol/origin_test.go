package protocol

import (
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestOrigin decides who may connect. A missing origin is a program that is
// not a browser.
func TestOrigin(t *testing.T) {
	for _, tt := range []struct {
		name   string
		host   string
		tls    bool
		origin string // "-": none
		allow  string // with spaces between them
		want   bool
	}{
		{"no browser", "example.com", false, "-", "", true},
		{"no browser, with a list", "example.com", false, "-", "https://example.org", true},

		{"same", "example.com", false, "http://example.com", "", true},
		{"same, TLS ended by a proxy", "example.com", false, "https://example.com", "", true},
		{"brackets behind the host", "example.com", false, "http://example.com[::1]", "", false},
		{"same, TLS", "example.com", true, "https://example.com", "", true},
		{"same host but plain HTTP", "example.com", true, "http://example.com", "", false},
		{"same with port", "example.com:8080", false, "http://example.com:8080", "", true},
		{"default port said by one", "example.com:443", true, "https://example.com", "", true},
		{"default port said by the other", "example.com", false, "http://example.com:80", "", true},
		{"other case", "Example.COM", false, "HTTP://exAMPle.com", "", true},
		{"IPv6", "[::1]:8080", false, "http://[::1]:8080", "", true},
		{"IPv6 without port", "[::1]", false, "http://[::1]", "", true},

		{"other host", "example.com", false, "http://example.org", "", false},
		{"subdomain", "example.com", false, "http://www.example.com", "", false},
		{"host that ends alike", "example.com", false, "http://badexample.com", "", false},
		{"host that begins alike", "example.com", false, "http://example.com.evil.org", "", false},
		{"user that looks like the host", "example.com", false, "http://example.com@evil.org", "", false},
		{"other port", "example.com:8080", false, "http://example.com:8081", "", false},
		{"no port", "example.com:8080", false, "http://example.com", "", false},
		{"port of the other scheme", "example.com:80", false, "https://example.com", "", false},
		{"other scheme", "example.com", false, "ftp://example.com", "", false},
		{"app with a scheme of its own", "example.com", false, "app://example.com", "", false},
		{"letter that folds to ASCII", "k.example", false, "http://\u212a.example", "", false},
		{"null", "example.com", false, "null", "", false},
		{"empty", "example.com", false, "", "", false},
		{"path", "example.com", false, "http://example.com/", "", false},
		{"query", "example.com", false, "http://example.com?", "", false},
		{"no scheme", "example.com", false, "example.com", "", false},
		{"no host", "example.com", false, "http://", "", false},
		{"port alone", ":80", false, "http://:80", "", false},
		{"two in one line", "example.com", false, "http://example.com http://evil.org", "", false},

		{"allowed", "example.com", false, "https://example.org", "https://example.org", true},
		{"second allowed", "example.com", false, "https://b.org", "https://a.org https://b.org", true},
		{"allowed in other case", "example.com", false, "https://example.org", "HTTPS://Example.ORG", true},
		{"allowed with default port", "example.com", false, "https://example.org", "https://example.org:443", true},
		{"same, though not in the list", "example.com", false, "http://example.com", "https://example.org", true},
		{"not in the list", "example.com", false, "https://example.net", "https://example.org", false},
		{"other scheme than allowed", "example.com", false, "http://example.org", "https://example.org", false},
		{"subdomain of an allowed one", "example.com", false, "https://www.example.org", "https://example.org", false},
		{"extension", "example.com", false, "chrome-extension://abcdef", "chrome-extension://abcdef", true},
		{"letter that folds to an allowed one", "example.com", false, "https://\u212a.example", "https://k.example", false},
		{"Punycode", "example.com", false, "https://xn--bcher-kva.example", "https://xn--bcher-kva.example", true},
		{"null not allowed by a list", "example.com", false, "null", "https://example.org", false},
		{"null allowed", "example.com", false, "null", "null", true},
		{"malformed entry allows nothing", "example.com", false, "https://example.org", "example.org", false},
		{"malformed origin like a malformed entry", "example.com", false, "example.org", "example.org", false},

		{"dot behind the host", "example.com", false, "http://example.com.", "", false},
		{"dot before the host", "example.com", false, "http://.example.com", "", false},
		{"backslash", "example.com", false, `http://example.com\@evil.org`, "", false},
		{"password that looks like the host", "example.com", false, "http://a:example.com@evil.org", "", false},
		{"user of the host", "example.com", false, "http://user@example.com", "", false},
		{"encoded host", "example.com", false, "http://example%2ecom", "", false},
		{"null in other case", "example.com", false, "NULL", "null", false},
		{"fragment", "example.com", false, "http://evil.org#example.com", "", false},
		{"port that is none", "example.com", false, "http://example.com:", "", true},
		{"port with zeros", "example.com", false, "http://example.com:080", "", false},
		{"port of letters", "example.com", false, "http://example.com:evil", "", false},

		{"subdomain by pattern", "a.org", false, "https://www.example.com", "https://*.example.com", true},
		{"deeper subdomain", "a.org", false, "https://a.b.c.example.com", "https://*.example.com", true},
		{"subdomain in other case", "a.org", false, "HTTPS://WWW.Example.COM", "https://*.EXAMPLE.com", true},
		{"domain of the pattern", "a.org", false, "https://example.com", "https://*.example.com", false},
		{"host that ends like the pattern", "a.org", false, "https://badexample.com", "https://*.example.com", false},
		{"host that ends like it, with a hyphen", "a.org", false, "https://www-example.com", "https://*.example.com", false},
		{"host behind the pattern's", "a.org", false, "https://www.example.com.evil.org", "https://*.example.com", false},
		{"user like the pattern", "a.org", false, "https://www.example.com@evil.org", "https://*.example.com", false},
		{"user before the pattern", "a.org", false, "https://evil@www.example.com", "https://*.example.com", false},
		{"path like the pattern", "a.org", false, "https://evil.org/.example.com", "https://*.example.com", false},
		{"query like the pattern", "a.org", false, "https://evil.org?.example.com", "https://*.example.com", false},
		{"fragment like the pattern", "a.org", false, "https://evil.org#.example.com", "https://*.example.com", false},
		{"port like the pattern", "a.org", false, "https://evil.org:x.example.com", "https://*.example.com", false},
		{"brackets like the pattern", "a.org", false, "https://[::1].example.com", "https://*.example.com", false},
		{"pattern, other scheme", "a.org", false, "http://www.example.com", "https://*.example.com", false},
		{"pattern, other port", "a.org", false, "https://www.example.com:8443", "https://*.example.com", false},
		{"pattern, default port", "a.org", false, "https://www.example.com:443", "https://*.example.com", true},
		{"pattern with port", "a.org", false, "https://www.example.com:8443", "https://*.example.com:8443", true},
		{"pattern, no label", "a.org", false, "https://.example.com", "https://*.example.com", false},
		{"pattern, empty label", "a.org", false, "https://a..example.com", "https://*.example.com", false},
		{"pattern, empty first label", "a.org", false, "https://.a.example.com", "https://*.example.com", false},
		{"pattern, dot behind", "a.org", false, "https://www.example.com.", "https://*.example.com", false},
		{"pattern, null", "a.org", false, "null", "https://*.example.com", false},
		{"pattern, two lines", "a.org", false, "https://evil.org\n.example.com", "https://*.example.com", false},
		{"any port", "a.org", false, "http://localhost:3000", "http://localhost:*", true},
		{"any port, none", "a.org", false, "http://localhost", "http://localhost:*", true},
		{"any port, other host", "a.org", false, "http://localhost.evil.org:3000", "http://localhost:*", false},
		{"any port, other scheme", "a.org", false, "https://localhost:3000", "http://localhost:*", false},
		{"any port of subdomains", "a.org", false, "https://x.example.com:1", "https://*.example.com:*", true},
		{"any port, IPv6", "a.org", false, "http://[::1]:3000", "http://[::1]:*", true},

		{"all", "example.com", false, "https://evil.org", "*", true},
		{"all, null", "example.com", false, "null", "*", true},
		{"all, malformed", "example.com", false, "what", "https://a.org *", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, "")
			r.Host = tt.host
			if tt.tls {
				r.TLS = new(tls.ConnectionState)
			}
			if tt.origin != "-" {
				r.Header["Origin"] = []string{tt.origin}
			}
			a := Acceptor{Origins: strings.Fields(tt.allow)}
			_, _, err := a.Accept(r)
			if tt.want && err != nil {
				t.Errorf("refused: %v", err)
			}
			var he *HandshakeError
			if !tt.want && (!errors.As(err, &he) || he.Status != http.StatusForbidden || he.Local || !errors.Is(err, ErrOrigin)) {
				t.Errorf("%v, want status 403 and ErrOrigin", err)
			}
		})
	}
}

// TestScheme: letters, digits and three signs, a letter first (RFC 3986, section
// 3.1).
func TestScheme(t *testing.T) {
	for s, valid := range map[string]bool{
		"a": true, "z": true, "a0": true, "z9": true, "a+b-c.d": true,
		"": false, "0a": false, "+a": false, "{": false, "`": false, "a/": false, "a:": false, "a{": false, "a`": false, "a b": false, "ä": false,
	} {
		if isScheme(s) != valid {
			t.Errorf("%q: want %t", s, valid)
		}
	}
}

// TestSeveralOrigins is refused whatever is allowed: RFC 6454, section 7.3,
// lets a client send one.
func TestSeveralOrigins(t *testing.T) {
	r := request(t, "Origin: http://example.com\r\nOrigin: http://example.com\r\n")
	_, _, err := (&Acceptor{Origins: []string{"*"}}).Accept(r)
	wantHandshakeError(t, err, HandshakeError{Status: 400, Section: "6454, section 7.3", Reason: "several Origin headers"})
}

// TestValidate finds settings that could never work.
func TestValidate(t *testing.T) {
	good := Acceptor{
		Subprotocols: []string{"a", "b"},
		Origins: []string{"*", "null", "https://example.com", "http://[::1]:80", "moz-extension://6e2d", "tauri+x.1-2://localhost",
			"https://*.example.com", "https://*.example.com:8443", "http://localhost:*", "http://*.localhost:*"},
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, a := range []Acceptor{{Subprotocols: []string{"a", "a"}}, {Subprotocols: []string{"a b"}}, {Subprotocols: []string{""}}} {
		wantLocalError(t, a.Validate(), ErrSubprotocol)
	}
	for _, s := range []string{
		"", "example.com", "https://", "https://example.com/", "https://example.com/path", "https://example.com?", "https://u@example.com",
		"1http://example.com", "ht_tp://example.com", "://example.com", "https://*.example com", "https://*", "*.example.com", "*://example.com", "https://a*.example.com",
		"https://*.*.example.com", "https://www.*.com", "https://*.", "https://*..example.com", "https://*.example.com:80*", "https://example.com:*:*", "https:example.com", "NULL", "https://bücher.example",
	} {
		wantLocalError(t, (&Acceptor{Origins: []string{"*", s}}).Validate(), ErrOrigin)
	}
}

// TestOriginBehindTLS: whoever knows that a proxy has ended TLS can say so, and
// then a page that came over plain HTTP is another's.
func TestOriginBehindTLS(t *testing.T) {
	for origin, want := range map[string]bool{"https://example.com": true, "http://example.com": false} {
		r := request(t, "Origin: "+origin+"\r\n")
		r.Host, r.URL.Scheme = "example.com", "https"
		if _, _, err := new(Acceptor).Accept(r); (err == nil) != want {
			t.Errorf("%s: %v", origin, err)
		}
	}
}

// TestIsUpgrade tells requests for WebSocket from others.
func TestIsUpgrade(t *testing.T) {
	for _, tt := range []struct {
		old, new string // in wireRequest
		want     bool
	}{
		{"", "", true},
		{"Upgrade: websocket\r\n", "", false},
		{"Connection: Upgrade\r\n", "", false},
		{"websocket", "h2c", false},
		{"GET", "POST", true}, // and is refused
		{"HTTP/1.1", "HTTP/1.0", true},
		{"Sec-WebSocket-Version: 13\r\n", "", true},
	} {
		r := readRequest(t, strings.Replace(wireRequest, tt.old, tt.new, 1)+"\r\n")
		if IsUpgrade(r) != tt.want {
			t.Errorf("%q for %q: %v", tt.new, tt.old, !tt.want)
		}
	}
}
