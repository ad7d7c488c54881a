package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// dialConnect dials through an HTTP proxy that answers CONNECT like this.
func dialConnect(t *testing.T, opts Options, answer func(conn net.Conn, req *http.Request)) (*Result, error) {
	opts.DialContext = line(t, func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			t.Errorf("no request: %v", err)
			return
		}
		answer(conn, req)
	})
	result, err := Dial(context.Background(), "ws://server.example/", &opts)
	if err == nil {
		t.Cleanup(func() { result.Conn.Close() })
	}
	return result, err
}

// serveScripted answers a handshake on conn with more behind it.
func serveScripted(t *testing.T, conn net.Conn, more string) {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		t.Errorf("no request of the handshake: %v", err)
		return
	}
	io.WriteString(conn, accepted(req)+more)
}

// TestConnectRequest tells the proxy what it needs to know and no more.
func TestConnectRequest(t *testing.T) {
	result, err := dialConnect(t, Options{
		Proxy:              through(t, "http://us%40er:p%3Ass@proxy.example"),
		ProxyConnectHeader: http.Header{"x-tunnel": {"one", "two"}},
		Header:             http.Header{"Authorization": {"secret"}, "Cookie": {"secret"}},
	}, func(conn net.Conn, req *http.Request) {
		if req.Method != "CONNECT" || req.RequestURI != "server.example:80" || req.Host != "server.example:80" {
			t.Errorf("%s %s, host %s", req.Method, req.RequestURI, req.Host)
		}
		want := http.Header{
			"Proxy-Authorization": {"Basic dXNAZXI6cDpzcw=="}, "User-Agent": {"Tandem"}, "X-Tunnel": {"one", "two"},
		}
		if fmt.Sprint(req.Header) != fmt.Sprint(want) {
			t.Errorf("header %v, want %v", req.Header, want)
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		serveScripted(t, conn, "early")
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(result.Early) != "early" {
		t.Errorf("early data %q", result.Early)
	}
}

// TestConnectHeader lets the caller replace and leave out fields, and refuses
// those that would add others.
func TestConnectHeader(t *testing.T) {
	_, err := dialConnect(t, Options{
		Proxy:              through(t, "http://user:pass@proxy.example"),
		ProxyConnectHeader: http.Header{"proxy-authorization": {"Bearer token"}, "User-Agent": {""}},
	}, func(conn net.Conn, req *http.Request) {
		if got := req.Header.Values("Proxy-Authorization"); len(got) != 1 || got[0] != "Bearer token" {
			t.Errorf("Proxy-Authorization %q", got)
		}
		if agent, has := req.Header["User-Agent"]; has {
			t.Errorf("User-Agent %q", agent)
		}
		io.WriteString(conn, "HTTP/1.1 204 Fine\r\n\r\n") // any 2xx is a tunnel
		serveScripted(t, conn, "")
	})
	if err != nil {
		t.Error(err)
	}
	for name, value := range map[string]string{"X Y": "a", "X\r\nY": "a", "X": "secret\r\nY: b"} {
		_, err := Dial(context.Background(), "ws://server.example/", &Options{
			Proxy: through(t, "http://proxy.example"), ProxyConnectHeader: http.Header{name: {value}}, DialContext: unreachable,
		})
		if proxyError(t, err); strings.Contains(err.Error(), "nobody") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %q: %v", name, value, err)
		}
	}
}

// TestConnectEarly loses nothing of what comes in one packet with the proxy's
// answer, which may have a length that means nothing (RFC 9110, section 9.3.6).
func TestConnectEarly(t *testing.T) {
	const answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
	result, err := dialConnect(t, Options{Proxy: through(t, "http://proxy.example")}, func(conn net.Conn, _ *http.Request) {
		// A server cannot know the key before it has the request. It may still
		// have said something of its own accord.
		io.WriteString(conn, answer+"HTTP/1.1 103 Early Hints\r\n\r\n")
		serveScripted(t, conn, "")
	})
	if err != nil || result.Response.StatusCode != 101 {
		t.Errorf("%v", err)
	}
}

// TestConnectEarlyTLS: what comes behind a proxy's answer is the first of TLS, and
// if it is none that is told.
func TestConnectEarlyTLS(t *testing.T) {
	_, err := Dial(context.Background(), "wss://server.example/", &Options{
		Proxy: through(t, "http://proxy.example"),
		DialContext: line(t, func(conn net.Conn) {
			http.ReadRequest(bufio.NewReader(conn))
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nwelcome")
			io.Copy(io.Discard, conn)
		}),
	})
	var plain tls.RecordHeaderError
	if !errors.As(err, &plain) || string(plain.RecordHeader[:]) != "welco" {
		t.Errorf("%v", err)
	}
}

// TestResumed reads what came early, then from the connection.
func TestResumed(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() { io.WriteString(theirs, "late"); theirs.Close() }()
	got, err := io.ReadAll(&resumed{ours, []byte("early, ")})
	if string(got) != "early, late" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestConnectRefused tells what the proxy answered.
func TestConnectRefused(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		status int
		body   string
		tells  string
		cause  error
	}{
		"password":      {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\nwho?", 407, "who?", "407 Proxy", protocol.ErrProxyAuth},
		"tinyproxy":     {"HTTP/1.0 401 Unauthorized\r\n\r\nwho?", 401, "who?", "401", protocol.ErrProxyAuth},
		"no server":     {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno more", 503, "no", "503", nil},
		"no challenge":  {"HTTP/1.1 407 Who\r\n\r\n", 407, "", "status 407 Who", protocol.ErrProxyAuth},
		"two kinds":     {"HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest nonce=1, algorithm=SHA-256, Digest nonce=1, Basic realm=x\r\n\r\n", 407, "", `kind "Digest, Basic"`, protocol.ErrProxyAuth},
		"many choices":  {"HTTP/1.1 300 Multiple Choices\r\n\r\n", 300, "", "300", nil},
		"redirect":      {"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", 302, "", "302", nil},
		"upgrade":       {"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, "", "101", nil},
		"nothing":       {"", 0, "", "closed the connection", io.ErrUnexpectedEOF},
		"garbage":       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", 0, "", "no valid HTTP", nil},
		"large header":  {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxResponseHeader), 0, "", "more than 262144 bytes", nil},
		"large body":    {"HTTP/1.1 403 No\r\n\r\n" + strings.Repeat("x", maxResponseBody+1), 403, strings.Repeat("x", maxResponseBody), "403", nil},
		"interim alone": {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxResponseHeader/20), 0, "", "more than 262144 bytes", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := dialConnect(t, Options{Proxy: through(t, "http://user:secret@proxy.example:3128")}, func(conn net.Conn, _ *http.Request) {
				io.WriteString(conn, test.answer) // an error: the client has read enough
			})
			failed := proxyError(t, err)
			if failed.Proxy != "http://user:xxxxx@proxy.example:3128" || !strings.Contains(err.Error(), test.tells) || strings.Contains(err.Error(), `kind ""`) {
				t.Errorf("proxy %s: %v", failed.Proxy, err)
			}
			status := 0
			if failed.Response != nil {
				status = failed.Response.StatusCode
			}
			if status != test.status || string(failed.Body) != test.body {
				t.Errorf("status %d with body of %d bytes, want %d and %d", status, len(failed.Body), test.status, len(test.body))
			}
			if test.cause != nil && !errors.Is(err, test.cause) || errors.Is(err, protocol.ErrProxyAuth) != (test.cause == protocol.ErrProxyAuth) {
				t.Errorf("%v wraps %v, want %v", err, failed.Err, test.cause)
			}
			// That our bound ends the reading is no end of the connection.
			if strings.Contains(test.tells, "more than") && failed.Err != nil {
				t.Errorf("%v wraps %v", err, failed.Err)
			}
		})
	}
}

// TestConnectDigest answers a proxy's challenges, and no others.
func TestConnectDigest(t *testing.T) {
	const first = `407 Who
Proxy-Authenticate: Digest realm="r", qop="auth", nonce="first"`
	const stale = `407 Who
Proxy-Authenticate: Basic realm="r"
Proxy-Authenticate: Digest realm="r", qop="auth", nonce="second", stale=true`
	const granted = "200 OK"
	user := url.UserPassword("user", "secret")
	for name, test := range map[string]struct {
		user    *url.Userinfo
		answers []string
		nonces  string // of all requests
		tells   string // the error; "": there is none
	}{
		"asked":         {user, []string{first, granted}, "- first/00000001", ""},
		"not asked":     {user, []string{granted}, "-", ""},
		"stale":         {user, []string{first, stale, granted}, "- first/00000001 second/00000001", ""},
		"bad password":  {user, []string{first, first}, "- first/00000001", `credentials of kind "Digest"`},
		"always stale":  {user, []string{stale, stale, stale, stale}, "- second/00000001 second/00000001 second/00000001", `of kind "Basic, Digest"`},
		"Basic":         {user, []string{"407 Who\nProxy-Authenticate: Basic realm=r"}, "-", `of kind "Basic"`},
		"no credential": {nil, []string{first}, "-", `of kind "Digest"`},
		"with 401":      {user, []string{"401 Who\nProxy-Authenticate: Digest realm=r, nonce=n"}, "-", "status 401 Who"},
		"of a server":   {user, []string{"401 Who\nWWW-Authenticate: Digest realm=r, nonce=n"}, "-", "status 401 Who"},
	} {
		t.Run(name, func(t *testing.T) {
			var nonces []string
			answers := test.answers
			_, err := dialConnect(t, Options{
				Proxy: through(t, "http://proxy.example"), ProxyDigestAuth: test.user,
				DigestAuth: url.UserPassword("other", "other"), // the server's
			}, func(conn net.Conn, req *http.Request) {
				nonces = append(nonces, nonceOf(req, "Proxy-Authorization"))
				answer := answers[0]
				answers = answers[1:]
				io.WriteString(conn, "HTTP/1.1 "+strings.ReplaceAll(answer, "\n", "\r\n")+"\r\nContent-Length: 0\r\n\r\n")
				if answer == granted {
					serveScripted(t, conn, "")
				}
			})
			if got := strings.Join(nonces, " "); got != test.nonces {
				t.Errorf("answered %s, want %s", got, test.nonces)
			}
			if test.tells == "" && err != nil {
				t.Error(err)
			}
			if test.tells != "" && (!errors.Is(err, protocol.ErrProxyAuth) || !strings.Contains(err.Error(), test.tells)) {
				t.Errorf("%v, want %s", err, test.tells)
			}
		})
	}
}

// TestConnectDigestUnreachable: without an answer there is nothing to prove.
func TestConnectDigestUnreachable(t *testing.T) {
	_, err := Dial(context.Background(), "ws://server.example/", &Options{
		Proxy: through(t, "http://proxy.example"), ProxyDigestAuth: url.User("user"), DialContext: unreachable,
	})
	if failed := proxyError(t, err); failed.Response != nil || !strings.Contains(err.Error(), "nobody at") {
		t.Errorf("%v", err)
	}
}

// TestConnectPort names the port in CONNECT always.
func TestConnectPort(t *testing.T) {
	for server, want := range map[string]string{
		"https://server.example/":     "server.example:443",
		"http://[2001:db8::1]/":       "[2001:db8::1]:80",
		"http://server.example:8080/": "server.example:8080",
	} {
		u, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		req, err := (&proxy{&url.URL{}, &http.Request{URL: u}, new(Options)}).connectRequest(nil)
		if err != nil || req.Host != want {
			t.Errorf("%s: %v, %v", server, req, err)
		}
	}
}
