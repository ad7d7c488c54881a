package suite

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/protocol"
)

// A proxyNetwork is a network in memory with an HTTP proxy at proxy.test and
// the server behind it at tandem.test.
type proxyNetwork struct {
	server Network
	tls    *tls.Config // of an HTTPS proxy
	dialed []string    // addresses that were connected to
	asked  []string    // servers that the proxy was asked for
	auth   string      // Proxy-Authorization of the last request
}

// Dial connects a client to the proxy.
func (n *proxyNetwork) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.dialed = append(n.dialed, address)
	client, proxy := net.Pipe()
	go n.serve(proxy) // ends with the connection
	return client, nil
}

// serve answers one CONNECT.
func (n *proxyNetwork) serve(conn net.Conn) {
	if n.tls != nil {
		conn = tls.Server(conn, n.tls)
	}
	defer conn.Close()
	br := bufio.NewReader(conn)
	req, err := http.ReadRequest(br)
	if err != nil {
		return
	}
	n.asked = append(n.asked, req.Method+" "+req.Host)
	n.auth = req.Header.Get("Proxy-Authorization")
	server, err := n.server.Dial(context.Background(), "", "")
	if err != nil {
		return
	}
	defer server.Close()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { // ends with the connection to the server
		io.Copy(conn, server)
		conn.Close()
	}()
	io.Copy(server, br)
}

// TestProxyTunnels: ws and wss go through HTTP and HTTPS proxies, TLS inside of
// TLS too, and each certificate is that of its own end.
func TestProxyTunnels(t *testing.T) {
	for _, proxy := range []string{"http://user:pass@proxy.test", "https://user:pass@proxy.test"} {
		for _, server := range []string{"ws://tandem.test/chat", "wss://tandem.test/chat"} {
			t.Run(proxy[:5]+" "+server[:4], func(t *testing.T) {
				EachFace(t, func(t *testing.T, face Face) { tunnel(t, face, proxy, server) })
			})
		}
	}
}

func tunnel(t *testing.T, face Face, proxy, server string) {
	u, err := url.Parse(proxy)
	ok(t, err)
	var servedName string
	serving, client := Certificate(t)
	serving.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		servedName = hello.ServerName
		return nil, nil
	}
	client.ServerName = ""
	opts, port := Options{}, ":80"
	if server[:4] == "wss:" {
		opts.TLS, port = serving, ":443"
	}
	running, network := inNetwork(t, face, opts)
	through := &proxyNetwork{server: network}
	proxyTLS, proxyClient := Certificate(t)
	if u.Scheme == "https" {
		through.tls = proxyTLS
		proxyClient.ServerName = "tandem.test" // what the certificate has
	}
	conn, err := face.Connect(server, &Options{
		Dial: through.Dial, Proxy: http.ProxyURL(u), ProxyTLS: proxyClient, TLS: client,
	})
	ok(t, err)
	send(t, conn, "through")
	expect(t, conn, "through")
	if conn.Request().Host != "tandem.test" || conn.Request().Header.Get("Proxy-Authorization") != "" {
		t.Errorf("request for %s with header %v", conn.Request().Host, conn.Request().Header)
	}
	if len(through.asked) != 1 || through.asked[0] != "CONNECT tandem.test"+port || through.auth != "Basic dXNlcjpwYXNz" {
		t.Errorf("the proxy was asked %q with %q", through.asked, through.auth)
	}
	if want := "proxy.test" + map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; through.dialed[0] != want {
		t.Errorf("connected to %s, want %s", through.dialed[0], want)
	}
	if opts.TLS != nil && servedName != "tandem.test" {
		t.Errorf("the server was asked for a certificate of %q", servedName)
	}
	ok(t, conn.Close())
	ok(t, running.Close())
	synctest.Wait()
}

// TestProxyOfEnvironment: both faces take the environment's proxy unless it
// excepts the server, or the options have another one, or none.
func TestProxyOfEnvironment(t *testing.T) {
	const ofEnvironment, other = "proxy.test:3128", "other.test:80"
	t.Setenv("HTTPS_PROXY", "http://ada:secret@"+ofEnvironment)
	for noProxy, excepted := range map[string]bool{"": false, "tandem.test": true, ".test": true, "example.com": false, "tandem.test:80": false, "*": true} {
		t.Setenv("no_proxy", noProxy)
		EachFace(t, func(t *testing.T, face Face) {
			for _, test := range []struct {
				proxy func(*http.Request) (*url.URL, error)
				want  string
			}{
				{nil, map[bool]string{false: ofEnvironment, true: "tandem.test:443"}[excepted]},
				{http.ProxyURL(&url.URL{Scheme: "http", Host: other}), other},
				{http.ProxyURL(nil), "tandem.test:443"},
			} {
				var dialed string
				_, err := face.Connect("wss://tandem.test/", &Options{Proxy: test.proxy, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					dialed = address
					return down(ctx, network, address)
				}})
				if dialed != test.want || err == nil || strings.Contains(err.Error(), "secret") {
					t.Errorf("no_proxy=%s: connected to %s, want %s; %v", noProxy, dialed, test.want, err)
				}
			}
		})
	}
}

// TestProxyAnswers: both faces tell what a proxy answered.
func TestProxyAnswers(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		_, err := face.Connect("wss://tandem.test/", &Options{
			Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test", User: url.User("nobody")}),
			Dial: func(context.Context, string, string) (net.Conn, error) {
				client, proxy := net.Pipe()
				go func() { // ends with its answer
					defer proxy.Close()
					http.ReadRequest(bufio.NewReader(proxy))
					io.WriteString(proxy, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 3\r\n\r\nwho")
				}()
				return client, nil
			},
		})
		is(t, err, protocol.ErrProxy)
		is(t, err, protocol.ErrProxyAuth)
		failed := as[*protocol.ProxyError](err)
		if failed == nil || failed.Response.StatusCode != 407 || string(failed.Body) != "who" ||
			failed.Response.Header.Get("Proxy-Authenticate") == "" {
			t.Errorf("%+v", failed)
		}
		synctest.Wait()
	})
}

// TestSOCKSTunnel: both faces ask a SOCKS proxy for the server by its name, with
// a password, and tell what it replied.
func TestSOCKSTunnel(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{})
		reply := byte(0)
		opts := Options{
			Proxy: http.ProxyURL(&url.URL{Scheme: "socks5h", Host: "proxy.test", User: url.UserPassword("ada", "secret")}),
			Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
				if address != "proxy.test:1080" {
					t.Errorf("connected to %s", address)
				}
				client, proxy := net.Pipe()
				go serveSOCKS(t, proxy, network, reply) // ends with the connection
				return client, nil
			},
		}
		conn, err := face.Connect("ws://tandem.test/", &opts)
		ok(t, err)
		send(t, conn, "through")
		expect(t, conn, "through")
		ok(t, conn.Close())

		reply = 5 // connection refused
		_, err = face.Connect("ws://tandem.test/", &opts)
		if failed := as[*protocol.ProxyError](err); failed == nil || failed.SOCKSReply != reply {
			t.Errorf("%v, want reply %d", err, reply)
		}
		ok(t, server.Close())
		synctest.Wait()
	})
}

// serveSOCKS is a SOCKS proxy (RFC 1928 and 1929) for one connection.
func serveSOCKS(t *testing.T, conn net.Conn, network Network, reply byte) {
	defer conn.Close()
	for _, turn := range []struct{ hears, says string }{
		{"\x05\x02\x00\x02", "\x05\x02"},
		{"\x01\x03ada\x06secret", "\x01\x00"},
		{"\x05\x01\x00\x03\x0btandem.test\x00\x50", "\x05" + string(rune(reply)) + "\x00\x01\x00\x00\x00\x00\x00\x00"},
	} {
		heard := make([]byte, len(turn.hears))
		if _, err := io.ReadFull(conn, heard); err != nil || string(heard) != turn.hears {
			t.Errorf("heard %q, %v; want %q", heard, err, turn.hears)
			return
		}
		io.WriteString(conn, turn.says)
	}
	if reply != 0 {
		return
	}
	server, err := network.Dial(context.Background(), "", "")
	if err != nil {
		t.Error(err)
		return
	}
	defer server.Close()
	go func() { // ends with the connection to the server
		io.Copy(conn, server)
		conn.Close()
	}()
	io.Copy(server, conn)
}
