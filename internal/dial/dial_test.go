package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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

// TestGivenFirst: a connection that was given is used, whatever else would lead to
// the server. A Unix socket comes before a proxy.
func TestGivenFirst(t *testing.T) {
	never := func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialed")
		return nil, errors.New("not this way")
	}
	n := &inn{t: t, answers: []string{""}}
	result, err := Dial(t.Context(), "ws://a.example/", &Options{
		NetConn: n.given(), UnixSocket: "/nowhere", DialContext: never, DialTLSContext: never, Proxy: through(t, "http://proxy.example"),
	})
	if err != nil {
		t.Fatal(err)
	}
	result.Conn.Close()
}

// TestNothingDialed: a dialer of the caller's that returns nothing at all is an error.
func TestNothingDialed(t *testing.T) {
	nothing := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	for _, opts := range []*Options{
		{DialContext: nothing, Proxy: http.ProxyURL(nil)},
		{DialTLSContext: nothing, Proxy: http.ProxyURL(nil)},
		{DialContext: nothing, Proxy: through(t, "http://proxy.example")},
		{DialContext: nothing, Proxy: through(t, "socks5h://proxy.example")},
	} {
		if _, err := Dial(t.Context(), "wss://server.example/", opts); !errors.Is(err, errNoConn) {
			t.Errorf("%v", err)
		}
	}
}

// TestTimeoutTold: the error of what takes too long says once that it did, and
// whether that was the open timeout or the caller's bound.
func TestTimeoutTold(t *testing.T) {
	for _, test := range []struct {
		url    string
		silent bool // there is a connection, and nothing comes
		io     bool // the error is also that of reading
	}{{"ws://192.0.2.1/", false, false}, {"ws://192.0.2.1/", true, true}, {"wss://192.0.2.1/", true, false}} {
		for _, open := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				ctx, opts := t.Context(), &Options{Proxy: http.ProxyURL(nil), OpenTimeout: time.Second}
				opts.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
				if test.silent {
					opts.DialContext = line(t, silent)
				}
				if !open {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Second/2)
					defer cancel()
				}
				_, err := Dial(ctx, test.url, opts)
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) != test.io {
					t.Errorf("%s: %v", test.url, err)
				}
				toldOnce(t, err, open)
			})
		}
	}
}

// silent reads all and says nothing.
func silent(conn net.Conn) { io.Copy(io.Discard, conn) }

// TestTimeoutNoticedEarly: a connection that has its deadline from the context may
// notice it before the context does. The error tells whose it is all the same.
func TestTimeoutNoticedEarly(t *testing.T) {
	now := time.Now()
	for _, open := range []bool{true, false} {
		openBy := now.Add(time.Hour)
		if open {
			openBy = now
		}
		err := explain(overdue{t.Context(), now}, openBy, os.ErrDeadlineExceeded)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		toldOnce(t, err, open)
	}
}

// An overdue context has not yet noticed that it has ended.
type overdue struct {
	context.Context
	since time.Time
}

func (o overdue) Deadline() (time.Time, bool) { return o.since, true }

// toldOnce fails the test unless the error tells of a timeout once, of the open
// timeout or not.
func toldOnce(t *testing.T, err error, open bool) {
	t.Helper()
	text := fmt.Sprint(err)
	n, opens := strings.Count(text, "context deadline exceeded"), strings.Count(text, "open timeout")
	if n > 1 || open && opens != 1 || !open && (opens != 0 || n != 1) {
		t.Errorf("%d times exceeded, %d times the open timeout: %s", n, opens, text)
	}
}
