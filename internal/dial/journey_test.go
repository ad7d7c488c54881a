package dial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/tandemws/tandem/protocol"
)

// An inn is a network whose servers answer one request after the other, each as
// the test says, and write down what was asked.
type inn struct {
	t       *testing.T
	mu      sync.Mutex // guards the others while more than one connection is served
	answers []string   // "": a handshake that is accepted; or the beginning of the answer with 101
	visits  []*http.Request
	dialed  []string
}

// DialContext connects to the next answer.
func (n *inn) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	n.dialed = append(n.dialed, address)
	return line(n.t, n.serve)(ctx, "", address)
}

// serve answers the requests of one connection.
func (n *inn) serve(conn net.Conn) {
	br := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		answer := n.welcome(req)
		io.WriteString(conn, answer)
		if !strings.HasSuffix(answer, "Content-Length: 0\r\n\r\n") {
			return
		}
	}
}

// welcome notes a request and returns the answer to it.
func (n *inn) welcome(req *http.Request) (answer string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.visits = append(n.visits, req)
	if len(n.answers) == 0 {
		n.t.Error("a request too many")
		return ""
	}
	answer, n.answers = n.answers[0], n.answers[1:]
	switch {
	case answer == "":
		answer = accepted(req)
	case strings.HasPrefix(answer, switching):
		answer += strings.TrimPrefix(accepted(req), switching)
	}
	return answer
}

// switching is the first line of an answer that accepts a handshake.
const switching = "HTTP/1.1 101 Switching Protocols\r\n"

// redirect is an answer that leads elsewhere.
func redirect(location string) string {
	return "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n"
}

// travel dials a URL in a network of these answers.
func travel(t *testing.T, url string, opts Options, answers ...string) (*inn, *Result, error) {
	n := &inn{t: t, answers: answers}
	if opts.NetConn == nil {
		opts.DialContext = n.DialContext
	}
	opts.Proxy = http.ProxyURL(nil)
	result, err := Dial(context.Background(), url, &opts)
	if err == nil {
		result.Conn.Close()
	}
	return n, result, err
}

// TestRedirects follows what a server says, in all forms.
func TestRedirects(t *testing.T) {
	for _, test := range []struct {
		from, location string
		dialed, target string // of the second request
		host           string
	}{
		{"ws://a.example/one", "/two", "a.example:80", "/two", "a.example"},
		{"ws://a.example/one/", "two?q#top", "a.example:80", "/one/two?q", "a.example"},
		{"ws://a.example/one", "?q", "a.example:80", "/one?q", "a.example"},
		{"ws://a.example:8080/", "//b.example/x", "b.example:80", "/x", "b.example"},
		{"ws://a.example/", "ws://b.example:8080/x", "b.example:8080", "/x", "b.example:8080"},
		{"ws://a.example/", "http://b.example", "b.example:80", "/", "b.example"},
		{"http://a.example/", "WS://B.example/", "b.example:80", "/", "b.example"},
		{"ws://a.example/", "/grüße wohl", "a.example:80", "/gr%C3%BC%C3%9Fe%20wohl", "a.example"},
		{"ws://a.example/", "ws://bücher.example/", "xn--bcher-kva.example:80", "/", "xn--bcher-kva.example"},
	} {
		n, result, err := travel(t, test.from, Options{}, redirect(test.location), "")
		if err != nil {
			t.Errorf("%s to %s: %v", test.from, test.location, err)
			continue
		}
		last := n.visits[1]
		if n.dialed[1] != test.dialed || last.RequestURI != test.target || last.Host != test.host {
			t.Errorf("%s to %s: %s at %s, host %s", test.from, test.location, last.RequestURI, n.dialed[1], last.Host)
		}
		if n.visits[0].Header.Get("Sec-WebSocket-Key") == last.Header.Get("Sec-WebSocket-Key") {
			t.Error("the key is the same twice")
		}
		if result.Response.Request.URL.RequestURI() != test.target {
			t.Errorf("the result is of %v", result.Response.Request.URL)
		}
	}
}

// TestRedirectStatus follows those that lead elsewhere (RFC 9110, section
// 15.4), and takes others for the answers that they are.
func TestRedirectStatus(t *testing.T) {
	for status, follows := range map[int]bool{300: true, 301: true, 302: true, 303: true, 307: true, 308: true, 304: false, 305: false, 200: false, 201: false, 401: false} {
		answer := fmt.Sprintf("HTTP/1.1 %d X\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n", status)
		_, _, err := travel(t, "ws://a.example/", Options{}, answer, "")
		if follows != (err == nil) {
			t.Errorf("%d: %v", status, err)
		}
		var refused *protocol.InvalidStatusError
		if err != nil && (!errors.As(err, &refused) || errors.Is(err, protocol.ErrRedirect)) {
			t.Errorf("%d: %v", status, err)
		}
	}
	_, _, err := travel(t, "ws://a.example/", Options{}, "HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n")
	var refused *protocol.InvalidStatusError
	if !errors.As(err, &refused) || errors.Is(err, protocol.ErrRedirect) {
		t.Errorf("without a Location: %v", err)
	}
}

// TestRedirectLimit follows ten, or as many as the options say.
func TestRedirectLimit(t *testing.T) {
	for _, test := range []struct{ option, redirects, follows int }{
		{0, 10, 10}, {0, 11, 10}, {2, 2, 2}, {2, 3, 2}, {-1, 1, 0},
	} {
		var answers []string
		for i := range test.redirects {
			answers = append(answers, redirect(fmt.Sprintf("/%d", i)))
		}
		n, _, err := travel(t, "ws://a.example/", Options{MaxRedirects: test.option}, append(answers, "")...)
		if (err == nil) != (test.redirects == test.follows) || len(n.visits) != test.follows+1 {
			t.Errorf("MaxRedirects %d, %d redirects: %d requests, %v", test.option, test.redirects, len(n.visits), err)
		}
		if err != nil && errors.Is(err, protocol.ErrRedirect) != (test.option >= 0) {
			t.Errorf("MaxRedirects %d: %v", test.option, err)
		}
	}
}

// TestRedirectRefused says why it does not follow, with the server's answer.
func TestRedirectRefused(t *testing.T) {
	for _, test := range []struct{ location, tells string }{
		{"ftp://b.example/", "no URL of a server"},
		{"mailto:user@b.example", "no URL of a server"},
		{"ws://", "no URL of a server"},
		{"http://[::1", "no URL of a server"},
		{"ws://b.example:99999/", "no URL of a server"},
		{"ws://user:secret@b.example:99999/", "no URL of a server"},
		{"%zz", "no URL of a server"},
		{"ws://user:secret@b.example:port/", "no URL of a server"},
		{"ws://user:sec@secret@b.example/%zz", "no URL of a server"},
		{"//user:secret@[b.example/", "no URL of a server"},
	} {
		_, _, err := travel(t, "ws://a.example/", Options{}, redirect(test.location), "")
		failed := redirectError(t, err)
		if !strings.Contains(failed.Reason, test.tells) || !errors.Is(err, protocol.ErrURL) ||
			strings.Contains(err.Error(), "secret") || strings.Contains(failed.Location, "secret") {
			t.Errorf("%s: %v", test.location, err)
		}
	}
}

// redirectError returns the error as a *protocol.RedirectError with an answer.
func redirectError(t *testing.T, err error) *protocol.RedirectError {
	t.Helper()
	var failed *protocol.RedirectError
	var refused *protocol.InvalidStatusError
	if !errors.As(err, &failed) || !errors.Is(err, protocol.ErrRedirect) || !errors.Is(err, protocol.ErrHandshake) {
		t.Errorf("%v, want a *protocol.RedirectError", err)
		return new(protocol.RedirectError)
	}
	if !errors.As(err, &refused) || refused != failed.Status || refused.Response.StatusCode != 302 {
		t.Errorf("%v does not have the answer", err)
	}
	return failed
}

// TestRedirectDowngrade never goes from wss to ws, wherever that is.
func TestRedirectDowngrade(t *testing.T) {
	from, err := parseURL("wss://a.example/")
	if err != nil {
		t.Fatal(err)
	}
	for location, refused := range map[string]bool{
		"ws://a.example/": true, "http://a.example:443/": true, "ws://b.example/": true,
		"wss://b.example/": false, "https://a.example/": false, "/two": false,
	} {
		target, err := redirectTarget(from, location)
		if err != nil {
			t.Fatal(err)
		}
		reason := (&journey{opts: new(Options), url: from}).obstacle(target)
		if (reason != "") != refused {
			t.Errorf("to %s: %q", location, reason)
		}
	}
}

// TestRedirectCredentials keeps what lets us in from other origins, and for
// good. It keeps it for the same.
func TestRedirectCredentials(t *testing.T) {
	header := http.Header{
		"authorization": {"Bearer secret"}, "Cookie": {"a=secret"}, "Proxy-Authorization": {"secret"}, "X-Mine": {"yes"},
	}
	for _, test := range []struct {
		url       string
		locations []string
		keeps     bool
	}{
		{"ws://a.example/", []string{"/two"}, true},
		{"ws://a.example/", []string{"ws://A.example:80/two"}, true},
		{"ws://a.example/", []string{"http://a.example/two"}, true},
		{"ws://a.example/", []string{"ws://a.example:8080/"}, false},
		{"ws://a.example/", []string{"ws://sub.a.example/"}, false},
		{"ws://a.example/", []string{"ws://b.example/"}, false},
		{"ws://a.example/", []string{"ws://b.example/", "ws://a.example/"}, false},
	} {
		var answers []string
		for _, location := range test.locations {
			answers = append(answers, redirect(location))
		}
		n, _, err := travel(t, test.url, Options{Header: header, Host: "virtual.example"}, append(answers, "")...)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		last := n.visits[len(n.visits)-1]
		has := fmt.Sprint(last.Header.Get("Authorization"), last.Header.Get("Cookie"), last.Header.Get("Proxy-Authorization"))
		if test.keeps != (has == "Bearer secreta=secretsecret") || !test.keeps && strings.Contains(has, "secret") {
			t.Errorf("%q: %q", test.locations, has)
		}
		if test.keeps != (last.Host == "virtual.example") || last.Header.Get("X-Mine") != "yes" {
			t.Errorf("%q: host %s, header %v", test.locations, last.Host, last.Header)
		}
	}
	if len(header) != 4 {
		t.Error("the caller's header was changed")
	}
}

// TestSameOrigin compares scheme, host and port, whichever were written.
func TestSameOrigin(t *testing.T) {
	for pair, same := range map[[2]string]bool{
		{"wss://a.example/", "https://A.example:443/x"}:   true,
		{"ws://a.example/", "http://a.example:80/"}:       true,
		{"ws://a.example:443/", "wss://a.example/"}:       false,
		{"ws://a.example/", "wss://a.example:80/"}:        false,
		{"wss://a.example/", "wss://a.example:80/"}:       false,
		{"wss://a.example/", "wss://b.example/"}:          false,
		{"ws://[2001:db8::1]/", "ws://[2001:DB8::1]:80/"}: true,
	} {
		a, errA := parseURL(pair[0])
		b, errB := parseURL(pair[1])
		if errA != nil || errB != nil || sameOrigin(a, b) != same || sameOrigin(b, a) != same {
			t.Errorf("%q: want %t; %v, %v", pair, same, errA, errB)
		}
	}
}

// TestRedirectUserinfo: so it is with the user name and password of a URL.
func TestRedirectUserinfo(t *testing.T) {
	for location, want := range map[string]string{
		"/two": "Basic dTpw", "ws://a.example/": "Basic dTpw", "ws://x:y@a.example/": "Basic eDp5",
		"ws://b.example/": "", "ws://x:y@b.example/": "Basic eDp5",
	} {
		n, _, err := travel(t, "ws://u:p@a.example/", Options{}, redirect(location), "")
		if err != nil {
			t.Fatal(err)
		}
		if first := n.visits[0].Header.Get("Authorization"); first != "Basic dTpw" {
			t.Errorf("first: %q", first)
		}
		if got := n.visits[1].Header.Get("Authorization"); got != want {
			t.Errorf("%s: %q, want %q", location, got, want)
		}
	}
}

// given returns a connection to the inn, which serves it alone.
func (n *inn) given() net.Conn {
	conn, _ := line(n.t, n.serve)(context.Background(), "", "")
	return conn
}

// TestRedirectGiven goes on with a connection that was given, if that is
// possible; there is no other.
func TestRedirectGiven(t *testing.T) {
	for _, test := range []struct{ answer, tells string }{
		{redirect("/two"), ""},
		{redirect("ws://b.example/"), "another server"},
		{"HTTP/1.1 302 Found\r\nLocation: /two\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "has ended"},
		{"HTTP/1.1 302 Found\r\nLocation: /two\r\n\r\nto the end", "has ended"},
		{"HTTP/1.0 302 Found\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n", "has ended"},
		{"HTTP/1.1 302 Found\r\nLocation: /two\r\nContent-Length: 0\r\n\r\nmore", "has ended"},
	} {
		n := &inn{t: t, answers: []string{test.answer, ""}}
		result, err := Dial(context.Background(), "ws://a.example/", &Options{NetConn: n.given()})
		if test.tells == "" {
			if err != nil || len(n.visits) != 2 || n.visits[1].RequestURI != "/two" {
				t.Errorf("%q: %v after %d requests", test.answer, err, len(n.visits))
				continue
			}
			result.Conn.Close()
			continue
		}
		failed := redirectError(t, err)
		if to := "ws://" + n.visits[0].Host + "/two"; !strings.Contains(failed.Reason, test.tells) ||
			failed.Location != to && failed.Location != "ws://b.example/" {
			t.Errorf("%q: %v", test.answer, err)
		}
	}
}

// TestRedirectUnix stays with the server of a Unix socket.
func TestRedirectUnix(t *testing.T) {
	n, _, err := travel(t, "ws://a.example/", Options{UnixSocket: "/run/socket"}, redirect("/two"), "")
	if err != nil || n.dialed[1] != "/run/socket" || n.visits[1].RequestURI != "/two" {
		t.Errorf("%v, dialed %q", err, n.dialed)
	}
	_, _, err = travel(t, "ws://a.example/", Options{UnixSocket: "/run/socket"}, redirect("ws://b.example/"), "")
	if failed := redirectError(t, err); !strings.Contains(failed.Reason, "Unix socket") {
		t.Error(err)
	}
}

// challenge401 asks for a password.
func challenge401(challenge string) string {
	return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " + challenge + "\r\nContent-Length: 0\r\n\r\n"
}

// TestDigestJourney answers a challenge once, and again when the nonce was
// stale, but a server that wants another password is not asked twice.
func TestDigestJourney(t *testing.T) {
	first := challenge401(`Digest realm="r", qop="auth", nonce="first"`)
	second := challenge401(`Digest realm="there", qop="auth", nonce="second"`)
	stale := challenge401(`Digest realm="r", qop="auth", nonce="second", stale=TRUE`)
	opts := Options{DigestAuth: url.UserPassword("user", "secret")}
	for name, test := range map[string]struct {
		answers []string
		nonces  string // of all requests
		ok      bool
	}{
		"asked":           {[]string{first, ""}, "- first/00000001", true},
		"not asked":       {[]string{""}, "-", true},
		"stale":           {[]string{first, stale, ""}, "- first/00000001 second/00000001", true},
		"bad password":    {[]string{first, first}, "- first/00000001", false},
		"always stale":    {[]string{stale, stale, stale, stale, ""}, "- second/00000001 second/00000001 second/00000001", false},
		"Basic":           {[]string{challenge401(`Basic realm="r"`)}, "-", false},
		"moved behind it": {[]string{first, redirect("/two"), ""}, "- first/00000001 first/00000002", true},
		"asked anew":      {[]string{first, redirect("/two"), second, ""}, "- first/00000001 first/00000002 second/00000001", true},
		"asked for more":  {[]string{first, redirect("/two"), second, second}, "- first/00000001 first/00000002 second/00000001", false},
		"moved before it": {[]string{redirect("/two"), first, ""}, "- - first/00000001", true},
		"moved away":      {[]string{first, redirect("ws://b.example/"), ""}, "- first/00000001 -", true},
		"forbidden":       {[]string{strings.Replace(first, "401", "403", 1)}, "-", false},
		"asked elsewhere": {[]string{redirect("ws://b.example/"), first}, "- -", false},
	} {
		for _, given := range []bool{false, true} {
			n := &inn{t: t, answers: test.answers}
			opts := opts
			opts.DialContext, opts.Proxy = n.DialContext, http.ProxyURL(nil)
			if given {
				if strings.Contains(strings.Join(test.answers, ""), "b.example") {
					continue // see TestRedirectGiven
				}
				opts.NetConn = n.given()
			}
			result, err := Dial(context.Background(), "ws://a.example/chat?room=1", &opts)
			if err == nil {
				result.Conn.Close()
			}
			var nonces []string
			for _, req := range n.visits {
				nonces = append(nonces, nonceOf(req, "Authorization"))
			}
			if got := strings.Join(nonces, " "); got != test.nonces || (err == nil) != test.ok {
				t.Errorf("%s: %s, %v; want %s", name, got, err, test.nonces)
			}
			var refused *protocol.InvalidStatusError
			if !test.ok && (!errors.As(err, &refused) || refused.Response.StatusCode/100 != 4) {
				t.Errorf("%s: %v, want status 401 or 403", name, err)
			}
		}
	}
}

// TestDigestGivenEnded: a challenge cannot be answered on a connection that has
// ended with it, and there is no other.
func TestDigestGivenEnded(t *testing.T) {
	n := &inn{t: t, answers: []string{strings.Replace(challenge401(`Digest realm="r", nonce="n"`), "\r\n", "\r\nConnection: close\r\n", 1)}}
	_, err := Dial(context.Background(), "ws://a.example/", &Options{NetConn: n.given(), DigestAuth: url.UserPassword("user", "secret")})
	var refused *protocol.InvalidStatusError
	if !errors.As(err, &refused) || refused.Response.StatusCode != 401 || len(n.visits) != 1 {
		t.Errorf("%v after %d requests", err, len(n.visits))
	}
}

// nonceOf returns what a request is authorized by in a field of its header.
func nonceOf(req *http.Request, field string) string {
	list := parseChallenges(req.Header.Get(field))
	if len(list) == 0 {
		return "-"
	}
	params := list[0].params
	if params["uri"] != req.RequestURI {
		return "for " + params["uri"]
	}
	return params["nonce"] + "/" + params["nc"]
}

// TestDigestReplaces what the URL or the header has.
func TestDigestReplaces(t *testing.T) {
	first := challenge401(`Digest realm="r", qop="auth", nonce="first"`)
	opts := Options{DigestAuth: url.UserPassword("user", "secret"), Header: http.Header{"authorization": {"Bearer x"}}}
	n, _, err := travel(t, "ws://a.example/", opts, first, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := n.visits[1].Header.Values("Authorization"); len(got) != 1 || !strings.HasPrefix(got[0], "Digest ") {
		t.Errorf("%q", got)
	}
}

// TestJar sends the jar's cookies with the caller's, and keeps the server's,
// those of redirects, refusals and the handshake.
func TestJar(t *testing.T) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &url.URL{Scheme: "http", Host: "a.example", Path: "/"}
	jar.SetCookies(a, []*http.Cookie{{Name: "old", Value: "1 2", Quoted: true}, {Name: "safe", Value: "x", Secure: true}})
	opts := Options{Jar: jar, Header: http.Header{"cookie": {"mine=1", "mine=2"}}}
	moved := strings.Replace(redirect("ws://b.example/"), "\r\n", "\r\nSet-Cookie: moved=1; Path=/\r\n", 1)
	back := strings.Replace(redirect("ws://a.example/back"), "\r\n", "\r\nSet-Cookie: b=1\r\n", 1)
	n, _, err := travel(t, "ws://a.example/", opts, moved, back, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`mine=1; mine=2; old="1 2"`, "", `old="1 2"; moved=1`} {
		if got := strings.Join(n.visits[i].Header.Values("Cookie"), " and "); got != want {
			t.Errorf("request %d: Cookie %q, want %q", i, got, want)
		}
	}
	if got := jar.Cookies(&url.URL{Scheme: "http", Host: "b.example"}); len(got) != 1 || got[0].Name != "b" {
		t.Errorf("of b.example: %v", got)
	}
	n, _, err = travel(t, "ws://c.example/", Options{Jar: jar}, "HTTP/1.1 403 No\r\nSet-Cookie: c=1\r\nContent-Length: 0\r\n\r\n")
	if got := jar.Cookies(&url.URL{Scheme: "http", Host: "c.example"}); err == nil || len(got) != 1 {
		t.Errorf("of c.example: %v", got)
	}
	if cookies, sent := n.visits[0].Header["Cookie"]; sent {
		t.Errorf("%q sent where there are none", cookies)
	}
	_, _, err = travel(t, "ws://d.example/", Options{Jar: jar}, switching+"Set-Cookie: d=1\r\n")
	if got := jar.Cookies(&url.URL{Scheme: "http", Host: "d.example"}); err != nil || len(got) != 1 {
		t.Errorf("of d.example: %v, %v", got, err)
	}
}

// TestNames has characters beyond ASCII in the host, the path and the query
// (RFC 3987, section 3.1).
func TestNames(t *testing.T) {
	for rawURL, want := range map[string]string{
		"ws://bücher.example/":             "xn--bcher-kva.example:80 xn--bcher-kva.example /",
		"ws://BÜCHER.example:8080/":        "xn--bcher-kva.example:8080 xn--bcher-kva.example:8080 /",
		"ws://b%C3%BCcher.example/":        "xn--bcher-kva.example:80 xn--bcher-kva.example /",
		"ws://例え.テスト/":                     "xn--r8jz45g.xn--zckzah:80 xn--r8jz45g.xn--zckzah /",
		"ws://a.example/grüße?wort=größe":  "a.example:80 a.example /gr%C3%BC%C3%9Fe?wort=gr%C3%B6%C3%9Fe",
		"ws://a.example/gr%C3%BC%C3%9Fe":   "a.example:80 a.example /gr%C3%BC%C3%9Fe",
		"ws://a_b.example/":                "a_b.example:80 a_b.example /",
		"ws://[2001:db8::1]:8080/":         "[2001:db8::1]:8080 [2001:db8::1]:8080 /",
		"ws://a.example/a%2Fb/c;d?e=f%20g": "a.example:80 a.example /a%2Fb/c;d?e=f%20g",
	} {
		n, _, err := travel(t, rawURL, Options{}, "")
		if err != nil {
			t.Errorf("%s: %v", rawURL, err)
			continue
		}
		if got := fmt.Sprint(n.dialed[0], " ", n.visits[0].Host, " ", n.visits[0].RequestURI); got != want {
			t.Errorf("%s: %s, want %s", rawURL, got, want)
		}
	}
	for _, rawURL := range []string{"ws://\u00ad/", "ws://ü\u200d.example/", "ws://us\x7fer:secret@a.example/"} {
		_, _, err := travel(t, rawURL, Options{}, "")
		if !errors.Is(err, protocol.ErrURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", rawURL, err)
		}
	}
}

// TestUserAgent is ours, the caller's or none.
func TestUserAgent(t *testing.T) {
	for want, header := range map[string]http.Header{
		"[Tandem]": nil, "[mine/1.0]": {"user-agent": {"mine/1.0"}}, "[]": {"User-Agent": {""}},
	} {
		n, _, err := travel(t, "ws://a.example/", Options{Header: header}, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(n.visits[0].Header["User-Agent"]); got != want {
			t.Errorf("%v: %s, want %s", header, got, want)
		}
	}
}

// TestRefusedBody: a refusal has up to 1 MiB of the server's body, and the
// response can be read too.
func TestRefusedBody(t *testing.T) {
	for _, size := range []int{10, maxResponseBody, maxResponseBody + 1} {
		body := strings.Repeat("x", size)
		var chunked strings.Builder
		chunked.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		writer := httputil.NewChunkedWriter(&chunked)
		io.CopyBuffer(struct{ io.Writer }{writer}, strings.NewReader(body), make([]byte, 5000))
		writer.Close()
		chunked.WriteString("\r\n")
		for _, answer := range []string{fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body), chunked.String(), "\r\n" + body} {
			_, _, err := travel(t, "ws://a.example/", Options{}, "HTTP/1.1 503 No\r\n"+answer)
			var refused *protocol.InvalidStatusError
			if !errors.As(err, &refused) {
				t.Fatal(err)
			}
			want := min(size, maxResponseBody)
			if again, err := io.ReadAll(refused.Response.Body); len(refused.Body) != want || len(again) != want || err != nil {
				t.Errorf("%d bytes: got %d and %d, %v", size, len(refused.Body), len(again), err)
			}
		}
	}
}

// TestReadBody tells whether it was all.
func TestReadBody(t *testing.T) {
	for size, whole := range map[int64]bool{0: true, maxResponseBody - 1: true, maxResponseBody: true, maxResponseBody + 1: false, 2 * maxResponseBody: false} {
		body := io.LimitReader(endless{}, size)
		if got, all := readBody(&http.Response{Body: io.NopCloser(body)}); int64(len(got)) != min(size, maxResponseBody) || all != whole {
			t.Errorf("%d bytes: %d, whole: %v", size, len(got), all)
		}
	}
	if _, whole := readBody(&http.Response{Body: io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))}); whole {
		t.Error("a body that breaks off is whole")
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
