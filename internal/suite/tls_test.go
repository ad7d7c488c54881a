package suite

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
	"github.com/tandemws/tandem/reconnect"
)

// tlsFailures are servers with which no TLS is to be had, each in its own way:
// some fail at our end, others send an alert.
var tlsFailures = []struct {
	name   string
	change func(server, client *tls.Config) // of what would work
	alert  bool                             // the server's, and not our own
}{
	{"certificate of nobody we know", func(_, client *tls.Config) { client.RootCAs = nil }, false},
	{"another version", func(server, client *tls.Config) {
		server.MinVersion, client.MaxVersion = tls.VersionTLS13, tls.VersionTLS12
	}, true},
	{"another protocol", func(server, _ *tls.Config) { server.NextProtos = []string{"mine"} }, true},
	{"wants a certificate of ours", func(server, _ *tls.Config) {
		server.ClientAuth, server.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
	}, true},
	{"wants one, and says so late", func(server, _ *tls.Config) {
		server.ClientAuth, server.MinVersion = tls.RequireAnyClientCert, tls.VersionTLS13
	}, true},
	{"no TLS", nil, false},
}

// TestTLSFails: both faces tell an alert of the server's from what they found
// themselves, and all of it is worth another attempt, as in Python's websockets:
// the next one may meet a server that was set up meanwhile. It is the same with
// a proxy.
func TestTLSFails(t *testing.T) {
	for _, test := range tlsFailures {
		for _, target := range []string{"server", "proxy"} {
			t.Run(test.name+" "+target, func(t *testing.T) {
				EachFace(t, func(t *testing.T, face Face) {
					serving, trusting := Certificate(t)
					if test.change != nil {
						test.change(serving, trusting)
					}
					opts := Options{Dial: tlsServer(serving, test.change == nil), TLS: trusting}
					if target == "proxy" {
						opts.Proxy, opts.ProxyTLS = http.ProxyURL(&url.URL{Scheme: "https", Host: "proxy.test"}), trusting
					}
					_, err := face.Connect("wss://tandem.test/", &opts)
					if errors.Is(err, protocol.ErrProxy) != (target == "proxy") {
						t.Errorf("%v", err)
					}
					op := as[*net.OpError](err)
					if got := op != nil && op.Op == "remote error"; err == nil || got != test.alert {
						t.Errorf("%v; an alert of the server's: %t, want %t", err, got, test.alert)
					}
					ok(t, reconnect.ProcessError(err))
					synctest.Wait()
				})
			})
		}
	}
}

// tlsServer is a network with a server that does TLS, if at all, and gets no
// further: then it answers as an HTTP server does.
func tlsServer(config *tls.Config, none bool) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := link.NewPipe()
		go func() { // ends with the client
			defer theirs.Close()
			if none {
				bufio.NewReader(theirs).ReadByte()
				io.WriteString(theirs, "HTTP/1.1 400 Bad Request\r\n\r\n")
			} else {
				tls.Server(theirs, config).Handshake()
			}
			io.Copy(io.Discard, theirs)
		}()
		return ours, nil
	}
}

// TestDialTLS: a dialer of the application's may do the TLS too, for wss alone,
// and not through a proxy.
func TestDialTLS(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		serving, trusting := Certificate(t)
		secure, secured := inNetwork(t, face, Options{TLS: serving})
		server, plain := inNetwork(t, face, Options{})
		var asked string
		opts := Options{Proxy: http.ProxyURL(nil), Dial: plain.Dial, DialTLS: func(ctx context.Context, network, address string) (net.Conn, error) {
			asked += network + " " + address
			conn, err := secured.Dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return tls.Client(conn, trusting), nil
		}}
		for _, url := range []string{"ws://tandem.test/", "wss://tandem.test/"} {
			conn, err := face.Connect(url, &opts)
			ok(t, err)
			send(t, conn, "hello")
			expect(t, conn, "hello")
			ok(t, conn.Close())
		}
		opts.Proxy, opts.Dial = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test"}), down
		_, err := face.Connect("wss://tandem.test/", &opts)
		is(t, err, protocol.ErrProxy)
		if asked != "tcp tandem.test:443" {
			t.Errorf("asked for %q", asked)
		}
		ok(t, secure.Close())
		ok(t, server.Close())
	})
}
