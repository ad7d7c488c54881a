package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// setProxies sets the variables of the environment that are about proxies, and
// clears the others: "NAME=value" for each.
func setProxies(t *testing.T, variables ...string) {
	for _, name := range []string{"WS_PROXY", "WSS_PROXY", "SOCKS_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"} {
		for _, name := range []string{name, strings.ToLower(name)} {
			t.Setenv(name, "") // to have it restored
			os.Unsetenv(name)
		}
	}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		os.Setenv(name, value)
	}
}

// TestFromEnvironment: a proxy for WebSocket alone comes first, then one of
// SOCKS, of HTTPS and of HTTP (RFC 6455, section 4.1, point 3).
func TestFromEnvironment(t *testing.T) {
	for _, test := range []struct {
		variables string // separated by spaces
		secure    string // the proxy for https://server.example/
		plain     string // the proxy for http://server.example/
	}{
		{"", "", ""},
		{"HTTPS_PROXY=http://s:1", "http://s:1", "http://s:1"},
		{"HTTP_PROXY=http://h:1", "", "http://h:1"},
		{"https_proxy=http://lower:1 HTTPS_PROXY=http://upper:1", "http://lower:1", "http://lower:1"},
		{"HTTPS_PROXY=http://s:1 HTTP_PROXY=http://h:1", "http://s:1", "http://s:1"},
		{"ALL_PROXY=socks5://a:1", "socks5://a:1", "socks5://a:1"},
		{"all_proxy=a:1 HTTP_PROXY=h:1", "http://a:1", "http://h:1"},
		{"WSS_PROXY=s:1 WS_PROXY=p:1 SOCKS_PROXY=x:1 HTTPS_PROXY=y:1", "http://s:1", "http://p:1"},
		{"SOCKS_PROXY=x:1 HTTPS_PROXY=y:1 HTTP_PROXY=z:1", "socks5h://x:1", "socks5h://x:1"},
		{"SOCKS_PROXY=http://x:1", "socks5h://x:1", "socks5h://x:1"},
		{"SOCKS_PROXY=socks5://x:1", "socks5://x:1", "socks5://x:1"},
		{"HTTPS_PROXY=HTTPS://user:pass@s:1", "https://user:pass@s:1", "https://user:pass@s:1"},

		{"HTTPS_PROXY=s:1 NO_PROXY=server.example", "", ""},
		{"HTTPS_PROXY=s:1 NO_PROXY=.example", "", ""},
		{"HTTPS_PROXY=s:1 NO_PROXY=server.example:443", "", "http://s:1"},
		{"HTTPS_PROXY=s:1 no_proxy=other.example,erver.example", "http://s:1", "http://s:1"},
		{"HTTPS_PROXY=s:1 NO_PROXY=*", "", ""},

		// A client may run in CGI, and the header Proxy is not for it.
		{"REQUEST_METHOD=GET HTTP_PROXY=h:1", "", ""},
		{"REQUEST_METHOD=GET HTTP_PROXY=h:1 HTTPS_PROXY=s:1", "http://s:1", "http://s:1"},

		{"HTTPS_PROXY=http://user:secret@s:port", "error: HTTPS_PROXY", "error: HTTPS_PROXY"},
	} {
		setProxies(t, strings.Fields(test.variables)...)
		for server, want := range map[string]string{"https://server.example/": test.secure, "http://server.example/": test.plain} {
			if got := environments(t, server); got != want {
				t.Errorf("%q: %s has proxy %q, want %q", test.variables, server, got, want)
			}
		}
	}
}

// environments returns the proxy that the environment has for a server.
func environments(t *testing.T, server string) string {
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := fromEnvironment(&http.Request{URL: u})
	switch {
	case err != nil && strings.Contains(err.Error(), "secret"):
		t.Errorf("the error shows a password: %v", err)
	case err != nil:
		return "error: " + strings.Fields(err.Error())[2]
	case proxy == nil:
		return ""
	}
	return proxy.String()
}

// TestNoProxy: networks and this machine are spared too.
func TestNoProxy(t *testing.T) {
	setProxies(t, "HTTPS_PROXY=s:1", "NO_PROXY=10.0.0.0/8,[2001:db8::1]:8443")
	for server, direct := range map[string]bool{
		"https://10.1.2.3/":             true,
		"https://11.1.2.3/":             false,
		"https://[2001:db8::1]:8443/":   true,
		"https://[2001:db8::1]/":        false,
		"https://localhost:8765/":       true,
		"https://127.0.0.1/":            true,
		"https://[::1]/":                true,
		"https://localhost.example:80/": false,
	} {
		if got := environments(t, server); (got == "") != direct {
			t.Errorf("%s has proxy %q", server, got)
		}
	}
}

// through is an option for one proxy.
func through(t testing.TB, proxy string) func(*http.Request) (*url.URL, error) {
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	return http.ProxyURL(u)
}

// TestProxyRefused refuses URLs that name no proxy, and shows no password.
func TestProxyRefused(t *testing.T) {
	const scheme, host, more = "the scheme is none", "there is no host", "more than a host"
	for proxy, reason := range map[string]string{
		"ftp://user:secret@proxy:1": scheme, "proxy:1": scheme, "socks4://proxy": scheme, "socks://proxy": scheme,
		"http:///": host, "http:proxy": host, "http://:3128": host,
		"http://user:secret@proxy/path": more, "http://proxy?query": more, "http://proxy/?query": more, "http://proxy#fragment": more,
		"http://a%3Ab:secret@proxy": "colon in the user name", "http://\u00ad": "its name: nothing is left of it in ASCII", "http://ü\u200d.example": "its name: idna",
	} {
		_, err := Dial(context.Background(), "ws://server.example/", &Options{Proxy: through(t, proxy), DialContext: unreachable})
		failed := proxyError(t, err)
		if strings.Contains(err.Error(), "secret") || strings.Contains(failed.Proxy, "secret") {
			t.Errorf("%s: the error shows the password: %v", proxy, err)
		}
		if !strings.Contains(failed.Reason, reason) {
			t.Errorf("%s: %s, want %s", proxy, failed.Reason, reason)
		}
	}
	for _, proxy := range []string{"http://proxy/", "socks5h://a%3Ab:secret@proxy"} { // SOCKS has no trouble with a colon
		_, err := Dial(context.Background(), "ws://server.example/", &Options{Proxy: through(t, proxy), DialContext: unreachable})
		if failed := proxyError(t, err); !strings.Contains(failed.Reason, "nobody at proxy") {
			t.Errorf("%s: %v", proxy, err)
		}
	}
	cause := errors.New("none today")
	_, err := Dial(context.Background(), "ws://server.example/", &Options{
		Proxy: func(*http.Request) (*url.URL, error) { return nil, cause }, DialContext: unreachable,
	})
	if proxyError(t, err); !errors.Is(err, cause) {
		t.Errorf("%v, want %v in it", err, cause)
	}
}

// TestProxyChooserError shows the text of a chooser's error, unless a password
// may be in it: that of http.ProxyFromEnvironment has the whole URL.
func TestProxyChooserError(t *testing.T) {
	for text, shown := range map[string]bool{
		"none today": true,
		`invalid proxy address "http://user:secret@s:port": parse "http://user:secret@s:port": invalid port`: false,
		"secret/with@slash": false,
	} {
		cause := errors.New(text)
		_, err := Dial(context.Background(), "ws://server.example/", &Options{
			Proxy: func(*http.Request) (*url.URL, error) { return nil, cause }, DialContext: unreachable,
		})
		if proxyError(t, err); !errors.Is(err, cause) || strings.Contains(err.Error(), text) != shown ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestProxyDialer: whatever a dialer of the caller's returns is worth another
// attempt, as without a proxy.
func TestProxyDialer(t *testing.T) {
	cause := errors.New("no SIM card")
	for _, proxy := range []string{"http://proxy.example", "https://proxy.example", "socks5h://proxy.example"} {
		_, err := Dial(context.Background(), "ws://server.example/", &Options{
			Proxy:       through(t, proxy),
			DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, cause },
		})
		if proxyError(t, err); !errors.Is(err, cause) || !strings.Contains(err.Error(), cause.Error()) {
			t.Errorf("%s: %v", proxy, err)
		}
		if fatal := reconnect.ProcessError(err); fatal != nil {
			t.Errorf("%s: not worth another attempt: %v", proxy, fatal)
		}
	}
}

// A collapsed connection is one of the caller's that ends with an error of its own: when
// it is read, or when it is written too.
type collapsed struct {
	net.Conn
	forWriting bool
}

var errCollapsed = errors.New("the tunnel has collapsed")

func (c collapsed) Read([]byte) (int, error) { return 0, errCollapsed }

func (c collapsed) Write(p []byte) (int, error) {
	if c.forWriting {
		return 0, errCollapsed
	}
	return len(p), nil
}

// TestCollapsed: that a connection ends before the answer is worth another attempt also
// if its error does not say that it is one of the network.
func TestCollapsed(t *testing.T) {
	for _, proxy := range []string{"", "http://proxy.example", "https://proxy.example", "socks5h://proxy.example"} {
		for _, forWriting := range []bool{false, true} {
			opts := &Options{Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}
			if proxy != "" {
				opts.Proxy = through(t, proxy)
			}
			opts.DialContext = func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				theirs.Close()
				return collapsed{ours, forWriting}, nil
			}
			_, err := Dial(context.Background(), "ws://server.example/", opts)
			if fatal := reconnect.ProcessError(err); fatal != nil || !errors.Is(err, errCollapsed) {
				t.Errorf("through %q, for writing %v: not worth another attempt: %v", proxy, forWriting, err)
			}
		}
	}
}

// unreachable is a network on which nobody is there.
func unreachable(_ context.Context, network, address string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("nobody at " + address)}
}

// proxyError returns the error as a *protocol.ProxyError, or fails the test.
func proxyError(t *testing.T, err error) *protocol.ProxyError {
	t.Helper()
	var failed *protocol.ProxyError
	if !errors.As(err, &failed) || !errors.Is(err, protocol.ErrProxy) {
		t.Errorf("error %v, want a *protocol.ProxyError", err)
		return new(protocol.ProxyError)
	}
	return failed
}

// TestProxyAddress connects to where the proxy's URL says, and to none over
// what is given.
func TestProxyAddress(t *testing.T) {
	for proxy, want := range map[string]string{
		"http://proxy.example":     "nobody at proxy.example:80",
		"https://proxy.example":    "nobody at proxy.example:443",
		"socks5h://proxy.example":  "nobody at proxy.example:1080",
		"http://[2001:db8::1]:81/": "nobody at [2001:db8::1]:81",
		"http://büchse.example":    "nobody at xn--bchse-kva.example:80",
	} {
		_, err := Dial(context.Background(), "ws://server.example/", &Options{Proxy: through(t, proxy), DialContext: unreachable})
		var op *net.OpError
		if proxyError(t, err); !errors.As(err, &op) || op.Err.Error() != want {
			t.Errorf("%s: %v, want %s", proxy, err, want)
		}
	}
	_, err := Dial(context.Background(), "ws://server.example/", &Options{
		Proxy: through(t, "http://proxy.example"), DialContext: unreachable, UnixSocket: "/run/socket",
	})
	if err == nil || errors.Is(err, protocol.ErrProxy) || !strings.Contains(err.Error(), "nobody at /run/socket") {
		t.Errorf("with a Unix socket: %v", err)
	}
}

// TestProxyChooser gets a request that it may do with what it likes.
func TestProxyChooser(t *testing.T) {
	var asked *http.Request
	_, err := Dial(context.Background(), "wss://server.example/path?q", &Options{
		Proxy:       func(req *http.Request) (*url.URL, error) { asked = req; req.URL.Host = "changed"; return nil, nil },
		DialContext: unreachable,
	})
	if asked == nil || asked.URL.String() != "https://changed/path?q" {
		t.Errorf("the chooser saw %v", asked)
	}
	if err == nil || !strings.Contains(err.Error(), "nobody at server.example:443") {
		t.Errorf("%v", err)
	}
}

// A line is a network with one proxy, which does what it is told.
func line(t *testing.T, proxy func(conn net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() { // ends when the proxy has said all, or we have heard enough
			defer close(done)
			defer theirs.Close()
			proxy(theirs)
		}()
		t.Cleanup(func() { ours.Close(); <-done })
		return ours, nil
	}
}

// TestProxyTimeout: the open timeout bounds each step on the way through.
func TestProxyTimeout(t *testing.T) {
	slow := func(conn net.Conn) {
		go io.Copy(io.Discard, conn)
		for { // a deadline for each read would never pass
			if _, err := io.WriteString(conn, "H"); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	endless := func(conn net.Conn) {
		go io.Copy(io.Discard, conn)
		io.WriteString(conn, "HTTP/1.1 407 Who\r\nContent-Length: 100\r\n\r\nthe rest never comes")
		io.Copy(io.Discard, conn)
	}
	for name, test := range map[string]struct {
		proxy string
		says  func(net.Conn)
	}{
		"CONNECT":          {"http://proxy.example", silent},
		"slow answer":      {"http://proxy.example", slow},
		"body without end": {"http://proxy.example", endless},
		"TLS":              {"https://proxy.example", silent},
		"SOCKS":            {"socks5h://proxy.example", silent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				_, err := Dial(context.Background(), "ws://192.0.2.1/", &Options{
					Proxy: through(t, test.proxy), DialContext: line(t, test.says), OpenTimeout: 3 * time.Second,
				})
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
					t.Errorf("after %v: %v", time.Since(begun), err)
				}
				toldOnce(t, err, true)
			})
		})
	}
}

// TestProxyCancel: the caller's context ends the way through at once.
func TestProxyCancel(t *testing.T) {
	for _, proxy := range []string{"http://proxy.example", "https://proxy.example", "socks5h://proxy.example"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			begun := time.Now()
			_, err := Dial(ctx, "ws://192.0.2.1/", &Options{
				Proxy: through(t, proxy), OpenTimeout: -1,
				DialContext: line(t, func(conn net.Conn) { io.Copy(io.Discard, conn) }),
			})
			if !errors.Is(err, context.Canceled) || time.Since(begun) != time.Second {
				t.Errorf("%s: after %v: %v", proxy, time.Since(begun), err)
			}
		})
	}
}

// A channel is a connection without deadlines, as one of SSH, from which some answers
// come, the last one as the context ends.
type channel struct {
	net.Conn
	answers []string
	end     context.CancelFunc
}

func (c *channel) Read(p []byte) (int, error) {
	n := copy(p, c.answers[0])
	if c.answers[0] = c.answers[0][n:]; c.answers[0] == "" {
		c.answers = c.answers[1:]
	}
	if len(c.answers) == 0 {
		c.end()
	}
	return n, nil
}

func (c *channel) Write(p []byte) (int, error)      { return len(p), nil }
func (c *channel) SetDeadline(time.Time) error      { return errors.ErrUnsupported }
func (c *channel) SetReadDeadline(time.Time) error  { return errors.ErrUnsupported }
func (c *channel) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }
func (c *channel) Close() error                     { return nil }

// TestSocksAtTheLastMoment: a connection that the end of the context may have closed is
// not returned as a good one. Of twenty times, for x/net tells of that end by chance.
func TestSocksAtTheLastMoment(t *testing.T) {
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		answers := []string{"\x05\x00", "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"}
		opts := &Options{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return &channel{answers: answers, end: cancel}, nil
		}}
		p := &proxy{url: &url.URL{Scheme: "socks5h", Host: "proxy.example"}, opts: opts}
		if _, err := p.socksTo(ctx, "server.example", "80"); !errors.Is(err, context.Canceled) {
			t.Fatalf("%v", err)
		}
	}
}
