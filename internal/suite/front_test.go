package suite

import (
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestHTTP2 has somebody else's server speak HTTP/2 with a client of pages and
// HTTP/1.1 with one of WebSocket, which have one tls.Config. Over HTTP/2 nothing
// can be upgraded, and nothing is said of Upgrade: a client would have to take
// that for an error (RFC 9113, section 8.2.2).
func TestHTTP2(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		serving, trusting := Certificate(t)
		handler, err := face.NewHandler(echoing, nil)
		ok(t, err)
		network := NewNetwork()
		web := &http.Server{Handler: handler, TLSConfig: serving}
		go web.ServeTLS(network, "", "")

		transport := &http.Transport{DialContext: network.Dial, TLSClientConfig: trusting, ForceAttemptHTTP2: true}
		resp, err := (&http.Client{Transport: transport}).Get("https://tandem.test/")
		ok(t, err)
		body, err := io.ReadAll(resp.Body)
		ok(t, err)
		if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusHTTPVersionNotSupported || resp.Header["Upgrade"] != nil || !strings.Contains(string(body), "HTTP/2.0") {
			t.Errorf("%s %s %v %q", resp.Proto, resp.Status, resp.Header, body)
		}
		transport.CloseIdleConnections()

		if len(trusting.NextProtos) == 0 {
			t.Error("the Transport has left the configuration as it was")
		}
		conn, err := face.Connect("wss://tandem.test/", &Options{Dial: network.Dial, TLS: trusting})
		ok(t, err)
		send(t, conn, "beside pages")
		expect(t, conn, "beside pages")
		ok(t, conn.Close())
		ok(t, handler.Shutdown(time.Minute))
		ok(t, web.Close())
		synctest.Wait()
	})
}

// TestReverseProxy goes through the one of package net/http, with an origin and a
// subprotocol.
func TestReverseProxy(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			server, network := inNetwork(t, s.Server, Options{Protocol: []string{"chat"}})
			front := NewNetwork()
			transport := &http.Transport{DialContext: network.Dial}
			web := &http.Server{Handler: &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(&url.URL{Scheme: "http", Host: "inside.test"})
				r.Out.Host = r.In.Host // that the origin is compared with
			}}}
			go web.Serve(front)

			conn, err := s.Client.Connect("ws://tandem.test/", &Options{
				Dial: front.Dial, Protocol: []string{"chat"}, Header: http.Header{"Origin": {"http://tandem.test"}},
			})
			ok(t, err)
			if conn.Subprotocol() != "chat" {
				t.Errorf("subprotocol %q", conn.Subprotocol())
			}
			send(t, conn, "through")
			expect(t, conn, "through")
			closed := make(chan error, 1)
			go func() { closed <- server.Close() }()
			if told := expectClosed(t, conn); told.Rcvd == nil || told.Rcvd.Code != 1001 {
				t.Errorf("%v", told)
			}
			ok(t, <-closed)
			transport.CloseIdleConnections()
			ok(t, web.Close())
		})
	})
}
