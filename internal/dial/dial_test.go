package dial

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"testing"
)

// TestHostPort adds the scheme's port where the URL has none (RFC 6455,
// section 3). By then the scheme is that of HTTP.
func TestHostPort(t *testing.T) {
	for raw, want := range map[string]string{
		"http://example.com/":           "example.com:80",
		"https://example.com/":          "example.com:443",
		"http://example.com:443/":       "example.com:443",
		"https://[2001:db8::1]/":        "[2001:db8::1]:443",
		"http://[2001:db8::1]:8080/":    "[2001:db8::1]:8080",
		"http://[fe80::1%25eth0]:8080/": "[fe80::1%eth0]:8080",
		"http://127.0.0.1/":             "127.0.0.1:80",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostPort(u); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// TestTLSConfig completes the caller's configuration, and changes none of it.
func TestTLSConfig(t *testing.T) {
	got := completeTLS(nil, "example.com")
	if got.ServerName != "example.com" || len(got.NextProtos) != 1 || got.NextProtos[0] != "http/1.1" {
		t.Errorf("%q %q", got.ServerName, got.NextProtos)
	}
	mine := &tls.Config{ServerName: "other.example", NextProtos: []string{"mine"}, MinVersion: tls.VersionTLS13}
	got = completeTLS(mine, "example.com")
	if got.ServerName != "other.example" || got.NextProtos[0] != "mine" || got.MinVersion != tls.VersionTLS13 {
		t.Errorf("%+v", got)
	}
	mine = new(tls.Config)
	completeTLS(mine, "example.com")
	if mine.ServerName != "" || mine.NextProtos != nil {
		t.Error("the caller's configuration was changed")
	}
}

// TestTLSConfigOfTransport leaves out HTTP/2, and leaves it to others who have
// the configuration too.
func TestTLSConfigOfTransport(t *testing.T) {
	for want, protos := range map[string][]string{
		"[http/1.1]": {"h2", "http/1.1"}, "[mine http/1.1]": {"mine", "h2", "http/1.1"}, "[mine]": {"mine", "h2"},
	} {
		config := &tls.Config{NextProtos: protos}
		before := fmt.Sprint(protos)
		if got := fmt.Sprint(completeTLS(config, "").NextProtos); got != want || fmt.Sprint(config.NextProtos) != before {
			t.Errorf("%s: %s, want %s; the caller's are now %q", before, got, want, config.NextProtos)
		}
	}
	if got := completeTLS(&tls.Config{NextProtos: []string{"h2"}}, "").NextProtos; fmt.Sprint(got) != "[http/1.1]" {
		t.Errorf("of HTTP/2 alone: %q", got)
	}
}
