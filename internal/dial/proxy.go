package dial

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/tandemws/tandem/protocol"
)

// A proxy is what stands between us and the server of a request.
type proxy struct {
	url  *url.URL
	req  *http.Request // the handshake's
	opts *Options
}

// chooseProxy returns the proxy for the request, nil if there is none.
func chooseProxy(req *http.Request, opts *Options) (*proxy, error) {
	choose := opts.Proxy
	if choose == nil {
		choose = fromEnvironment
	}
	u, err := choose(req.Clone(context.Background()))
	if err != nil {
		return nil, notChosen(err)
	}
	if u == nil {
		return nil, nil
	}
	p := &proxy{u, req, opts}
	if reason := p.check(); reason != "" {
		return nil, p.error(reason, nil)
	}
	return p, nil
}

// notChosen returns the error of a chooser that has failed, with its text unless
// that may have the userinfo of a URL in it, as http.ProxyFromEnvironment's has.
func notChosen(cause error) error {
	reason := "choosing it: " + cause.Error()
	if strings.Contains(reason, "@") {
		reason = "choosing it has failed, for a reason that may have a password in it"
	}
	return &protocol.ProxyError{Reason: reason, Err: cause}
}

// defaultPorts has the schemes of the proxies that there are.
var defaultPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// check returns what is wrong with the URL of the proxy, or "".
func (p *proxy) check() (reason string) {
	switch u := p.url; {
	case defaultPorts[u.Scheme] == "":
		return "the scheme is none of http, https, socks5 and socks5h"
	case u.Hostname() == "" || u.Opaque != "":
		return "there is no host in its URL"
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return "its URL has more than a host"
	case u.User != nil && strings.Contains(u.User.Username(), ":") && !p.socks():
		return "colon in the user name (RFC 7617, section 2)"
	}
	return ""
}

func (p *proxy) socks() bool { return strings.HasPrefix(p.url.Scheme, "socks") }

// error returns one that tells the proxy.
func (p *proxy) error(reason string, cause error) *protocol.ProxyError {
	return &protocol.ProxyError{Proxy: p.url.Redacted(), Reason: reason, Err: cause}
}

// fail returns one whose reason ends with the cause.
func (p *proxy) fail(reason string, cause error) *protocol.ProxyError {
	return p.error(reason+": "+cause.Error(), cause)
}

// through opens a way through the proxy to the server, and returns what came
// behind the proxy's answer too.
func (p *proxy) through(ctx context.Context) (conn net.Conn, early []byte, err error) {
	if p.socks() {
		conn, err = p.socksToServer(ctx)
		return conn, nil, err
	}
	return p.connectToServer(ctx)
}

// reach connects to the proxy itself, over TLS if it is so.
func (p *proxy) reach(ctx context.Context) (net.Conn, error) {
	host, err := asciiHost(p.url.Hostname())
	if err != nil {
		return nil, p.fail("its name", err)
	}
	port := p.url.Port()
	if port == "" {
		port = defaultPorts[p.url.Scheme]
	}
	conn, err := p.opts.dialer()(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, p.outOfReach("connecting to it", "dial", err)
	}
	if p.url.Scheme != "https" {
		return conn, nil
	}
	secure := tls.Client(conn, completeTLS(p.opts.ProxyTLSConfig, host))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, p.outOfReach("TLS handshake with it", "handshake", err)
	}
	return secure, nil
}

// outOfReach has as its cause what a dialer, also one of the caller's, or TLS
// returned.
func (p *proxy) outOfReach(reason, op string, cause error) error {
	failed := p.fail(reason, cause)
	failed.Err = ofNetwork(op, cause)
	return failed
}

// fromEnvironment returns the proxy that the environment names for a request,
// nil if there is none. Those of SOCKS come before those of HTTPS, and these
// before those of HTTP (RFC 6455, section 4.1, point 3).
func fromEnvironment(req *http.Request) (*url.URL, error) {
	env := httpproxy.FromEnvironment()
	for _, v := range variables(env, req.URL.Scheme == "https") {
		if v.value == "" {
			continue
		}
		if excepted(env.NoProxy, req.URL) {
			return nil, nil
		}
		return v.parse()
	}
	return nil, nil
}

// A variable is one of the environment that names a proxy.
type variable struct{ name, value string }

// variables returns those that matter for ws or wss, the first one first.
func variables(env *httpproxy.Config, secure bool) []variable {
	list := []variable{
		{"WS_PROXY", getenv("WS_PROXY")},
		{"SOCKS_PROXY", getenv("SOCKS_PROXY")},
		{"HTTPS_PROXY", env.HTTPSProxy},
		{"HTTP_PROXY", env.HTTPProxy},
		{"ALL_PROXY", getenv("ALL_PROXY")},
	}
	if secure {
		list[0] = variable{"WSS_PROXY", getenv("WSS_PROXY")}
	}
	// In CGI a header of a request, Proxy, becomes HTTP_PROXY.
	if secure || env.CGI {
		list = slices.Delete(list, 3, 4)
	}
	return list
}

// getenv reads a variable in lower case, or else in upper case, as httpproxy
// does.
func getenv(name string) string {
	if value := os.Getenv(strings.ToLower(name)); value != "" {
		return value
	}
	return os.Getenv(name)
}

// parse reads the URL of a proxy; host:port alone is an HTTP proxy's, or that
// of SOCKS_PROXY. The error does not show the value, for it may have a
// password in it.
func (v variable) parse() (*url.URL, error) {
	scheme, rest, found := strings.Cut(v.value, "://")
	switch {
	case v.name == "SOCKS_PROXY" && (!found || scheme == "http"):
		scheme = "socks5h"
	case !found:
		scheme = "http"
	}
	if !found {
		rest = v.value
	}
	u, err := url.Parse(strings.ToLower(scheme) + "://" + rest)
	if err != nil {
		return nil, &variableError{v.name}
	}
	return u, nil
}

// A variableError tells which variable is wrong.
type variableError struct{ name string }

func (e *variableError) Error() string {
	return "the environment's " + e.name + " is no URL of a proxy"
}

// excepted reports whether NO_PROXY, or being on this machine, spares the
// server a proxy.
func excepted(noProxy string, server *url.URL) bool {
	const any = "http://proxy.invalid"
	config := httpproxy.Config{HTTPProxy: any, HTTPSProxy: any, NoProxy: noProxy}
	u, err := config.ProxyFunc()(server)
	return u == nil && err == nil
}
