package proxy

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/internal/suite"
	"github.com/tandemws/tandem/protocol"
)

// noIdle are the options of a client or a server: nothing here waits for long.
var noIdle = face.Options{CloseTimeout: 5 * time.Second}

// TestForward: each face connects to ws and wss servers through each proxy, by
// name and by address, and finds out when the proxy refuses.
func TestForward(t *testing.T) {
	for _, kind := range Forwards {
		t.Run(kind.Name, func(t *testing.T) {
			kind.Need(t)
			t.Parallel()
			proxy := kind.Start(t, never)
			for _, f := range face.Both {
				t.Run(f.Name(), func(t *testing.T) { forward(t, f, proxy) })
			}
			t.Run("nobody there", func(t *testing.T) { nobodyThere(t, proxy) })
			if kind.Auth {
				t.Run("bad password", func(t *testing.T) { badPassword(t, proxy) })
			}
		})
	}
}

// forward connects to a ws and to a wss server through the proxy; through one of
// SOCKS by address and by name.
func forward(t *testing.T, f face.Face, proxy *url.URL) {
	served, trusting := suite.Certificate(t)
	for _, scheme := range []string{"ws", "wss"} {
		serverOpts, opts := noIdle, noIdle
		if scheme == "wss" {
			serverOpts.TLS, opts.TLS = served, trusting
		}
		acceptor := witness.Accept(t, f, serverOpts)
		port := acceptor.Addr().(*net.TCPAddr).Port
		opts.Proxy = http.ProxyURL(proxy)
		through(t, f, fmt.Sprintf("%s://127.0.0.1:%d/path", scheme, port), opts, acceptor, proxy)
		if proxy.Scheme != "socks5h" {
			continue
		}
		through(t, f, fmt.Sprintf("%s://localhost:%d/path", scheme, port), opts, acceptor, proxy)
		local := *proxy
		local.Scheme = "socks5"
		opts.Proxy = http.ProxyURL(&local)
		through(t, f, fmt.Sprintf("%s://localhost:%d/path", scheme, port), opts, acceptor, proxy)
	}
}

// through makes a connection, sees that it carries messages and comes from the
// proxy, and closes it.
func through(t *testing.T, f face.Face, url string, opts face.Options, acceptor *witness.Acceptor, proxy *url.URL) {
	t.Helper()
	conn := witness.Dial(t, f, url, opts)
	client, server := witness.Attend("client", conn), witness.Attend("server", acceptor.Next(t))
	if conn.RemoteAddr().String() != proxy.Host {
		t.Errorf("%s: connected to %v, want the proxy at %s", url, conn.RemoteAddr(), proxy.Host)
	}
	if server.RemoteAddr().String() == client.LocalAddr().String() {
		t.Errorf("%s: the server is connected to the client itself", url)
	}
	witness.Alive(t, client, server)
	if err := client.Close(); err != nil {
		t.Errorf("%s: Close: %v", url, err)
	}
	if !server.AwaitEnd(patience) || !errors.Is(server.Why, protocol.ErrClosedOK) {
		t.Errorf("%s: server: %v; want a normal close", url, server.Why)
	}
}

// refused returns the error of each face for a connection through the proxy.
func refused(t *testing.T, url string, opts face.Options, check func(failed *protocol.ProxyError)) {
	t.Helper()
	for _, f := range face.Both {
		conn, err := f.Connect(url, &opts)
		if err == nil {
			conn.CloseNow()
		}
		var failed *protocol.ProxyError
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v, want a *protocol.ProxyError", f.Name(), err)
			continue
		}
		t.Logf("%s: %v; %d bytes of body", f.Name(), err, len(failed.Body))
		check(failed)
	}
}

// badPassword: the error has the proxy's answer.
func badPassword(t *testing.T, proxy *url.URL) {
	for _, credentials := range []*url.Userinfo{url.UserPassword(user, "wrong"), nil} {
		other := *proxy
		other.User = credentials
		opts := noIdle
		opts.Proxy = http.ProxyURL(&other)
		refused(t, "ws://127.0.0.1:1/", opts, func(failed *protocol.ProxyError) {
			if !errors.Is(failed, protocol.ErrProxyAuth) {
				t.Errorf("%v: %v, want %v", credentials, failed, protocol.ErrProxyAuth)
			}
			if proxy.Scheme != "http" {
				return
			}
			if failed.Response == nil || failed.Response.StatusCode != 407 && failed.Response.StatusCode != 401 || len(failed.Body) == 0 {
				t.Errorf("%v: %+v, want status 407 or 401 with a body", credentials, failed)
			}
		})
	}
}

// TestForwardDigest proves the password to a proxy that wants Digest, and tells
// of it when there is none, or another one.
func TestForwardDigest(t *testing.T) {
	proxy := StartDigest(t)
	for _, f := range face.Both {
		acceptor := witness.Accept(t, f, noIdle)
		opts := noIdle
		opts.Proxy, opts.ProxyDigest = http.ProxyURL(proxy), url.UserPassword(user, password)
		through(t, f, "ws://"+acceptor.Addr().String()+"/", opts, acceptor, proxy)
	}
	withBasic := *proxy
	withBasic.User = url.UserPassword(user, password)
	for _, opts := range []face.Options{
		{Proxy: http.ProxyURL(proxy)},
		{Proxy: http.ProxyURL(&withBasic)},
		{Proxy: http.ProxyURL(proxy), ProxyDigest: url.UserPassword(user, "wrong")},
	} {
		refused(t, "ws://127.0.0.1:1/", opts, func(failed *protocol.ProxyError) {
			if !errors.Is(failed, protocol.ErrProxyAuth) || !strings.Contains(failed.Reason, `"Digest"`) {
				t.Errorf("%v, want %v that tells of Digest", failed, protocol.ErrProxyAuth)
			}
		})
	}
}

// nobodyThere: the proxy says that it cannot connect to the server.
func nobodyThere(t *testing.T, proxy *url.URL) {
	opts := noIdle
	opts.Proxy = http.ProxyURL(proxy)
	refused(t, fmt.Sprintf("ws://127.0.0.1:%d/", rig.FreePort(t)), opts, func(failed *protocol.ProxyError) {
		if proxy.Scheme == "http" && (failed.Response == nil || failed.Response.StatusCode < 500) {
			t.Errorf("%+v, want a status of the 5xx", failed)
		}
		if proxy.Scheme != "http" && failed.SOCKSReply == 0 {
			t.Errorf("%+v, want a reply", failed)
		}
		if errors.Is(failed, protocol.ErrProxyAuth) {
			t.Errorf("%v is about a password", failed)
		}
	})
}

// TestForwardTLS connects through HTTPS proxies, whose certificate is checked.
func TestForwardTLS(t *testing.T) {
	for _, kind := range Forwards {
		if kind.Scheme != "http" {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			kind.Need(t)
			rig.Need(t, "haproxy")
			t.Parallel()
			served, trusting := suite.Certificate(t)
			trusting.ServerName = ""
			proxy := StartTLS(t, kind.Start(t, never), served.Certificates[0])
			for _, f := range face.Both {
				t.Run(f.Name(), func(t *testing.T) {
					serverTLS, clientTLS := suite.Certificate(t)
					opts := noIdle
					opts.TLS = serverTLS
					acceptor := witness.Accept(t, f, opts)
					opts.TLS, opts.ProxyTLS, opts.Proxy = clientTLS, trusting, http.ProxyURL(proxy)
					through(t, f, "wss://"+acceptor.Addr().String()+"/", opts, acceptor, proxy)
				})
			}
			opts := noIdle
			opts.Proxy = http.ProxyURL(proxy)
			refused(t, "ws://127.0.0.1:1/", opts, func(failed *protocol.ProxyError) {
				if failed.Response != nil {
					t.Errorf("%v, want that the certificate is not trusted", failed)
				}
			})
		})
	}
}

// TestForwardEnvironment takes the proxy from the environment, where loopback
// addresses are spared always, and others by NO_PROXY.
func TestForwardEnvironment(t *testing.T) {
	kind := Forwards[0]
	kind.Need(t)
	address := ownAddress(t)
	t.Setenv("HTTP_PROXY", kind.Start(t, never).String())
	for _, f := range face.Both {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
		if err != nil {
			t.Fatal(err)
		}
		opts := noIdle
		opts.Listener = listener
		acceptor := witness.Accept(t, f, opts)
		for noProxy, direct := range map[string]bool{"": false, "example.com": false, address + "/32": true, "*": true} {
			t.Setenv("NO_PROXY", noProxy)
			conn := witness.Dial(t, f, "ws://"+acceptor.Addr().String()+"/", noIdle)
			if got := acceptor.Next(t).RemoteAddr().String() == conn.LocalAddr().String(); got != direct {
				t.Errorf("%s: NO_PROXY=%s: directly connected: %v, want %v", f.Name(), noProxy, got, direct)
			}
			conn.CloseNow()
		}
	}
}

// ownAddress returns an address of this machine that is no loopback address.
func ownAddress(t *testing.T) string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range addrs {
		if ip, ok := addr.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return ip.IP.String()
		}
	}
	rig.Missing(t, "an address that is no loopback address")
	return ""
}
