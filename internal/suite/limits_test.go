package suite

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// refusedWith fails the test unless the client was refused with a status and a
// body that has the text.
func refusedWith(t *testing.T, err error, status int, text string) {
	t.Helper()
	refused := as[*protocol.InvalidStatusError](err)
	if refused == nil || refused.Response.StatusCode != status || !strings.Contains(string(refused.Body), text) {
		t.Errorf("%v: %+v; want %d with %q", err, refused, status, text)
	}
}

// TestMaxConnections fills a server. One more gets in when one has ended,
// whatever it was that ended it, and failed handshakes take no place.
func TestMaxConnections(t *testing.T) {
	const most = 3
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ServerOptions.MaxConnections = most
			network := s.in(t, echoing)
			conns := make([]Conn, most)
			for i := range conns {
				conn, err := s.Client.Connect("ws://tandem.test/", &s.ClientOptions)
				ok(t, err)
				conns[i] = conn
			}
			for _, end := range []func(Conn){func(c Conn) { ok(t, c.Close()) }, Conn.CloseNow} {
				_, err := s.Client.Connect("ws://tandem.test/", &s.ClientOptions)
				refusedWith(t, err, http.StatusServiceUnavailable, "too many connections")
				end(conns[0])
				synctest.Wait()
				ask(t, network, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				conns[0], err = s.Client.Connect("ws://tandem.test/", &s.ClientOptions)
				ok(t, err)
			}
			for _, conn := range conns {
				send(t, conn, "still here")
				expect(t, conn, "still here")
				ok(t, conn.Close())
			}
		})
	})
}

// TestMaxPerAddress fills what one address may have. Others still get in, on
// neighbouring ports and networks.
func TestMaxPerAddress(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ServerOptions.MaxPerAddress = 1
			s.ServerOptions.Process = func(_ http.ResponseWriter, r *http.Request) *http.Request {
				r.RemoteAddr = r.Header.Get("From")
				return r
			}
			s.in(t, echoing)
			connect := func(from string) (Conn, error) {
				s.ClientOptions.Header = http.Header{"From": {from}}
				return s.Client.Connect("ws://tandem.test/", &s.ClientOptions)
			}
			var conns []Conn
			for _, test := range []struct {
				from string
				in   bool
			}{
				{"192.0.2.1:1", true},
				{"192.0.2.1:2", false},
				{"192.0.2.1", false}, // as middleware may write it
				{"[::ffff:192.0.2.1]:3", false},
				{"192.0.2.2:1", true},
				{"[2001:db8::1]:1", true},
				{"[2001:db8::1:0:0:2]:1", false}, // in the same /64
				{"2001:db8::3", false},
				{"[2001:db8:0:1::1]:1", true},
				{"[fe80::1%eth0]:1", true},
				{"[fe80::2%eth1]:1", false},
				{"@", true}, // a Unix socket has no address
				{"@", true},
				{"", true},
			} {
				conn, err := connect(test.from)
				if !test.in {
					refusedWith(t, err, http.StatusServiceUnavailable, "too many connections from this address")
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", test.from, err)
					continue
				}
				conns = append(conns, conn)
			}
			for _, conn := range conns {
				ok(t, conn.Close())
			}
			synctest.Wait()
			conn, err := connect("192.0.2.1:4")
			ok(t, err)
			ok(t, conn.Close())
		})
	})
}

// TestRequestBounds sends requests that net/http or we refuse, over the wire:
// too large, of the wrong method or version, without a host.
func TestRequestBounds(t *testing.T) {
	handshake := func(old, new string) string { return strings.Replace(wireHandshake, old, new, 1) + "\r\n" }
	long := func(n int) string { return strings.Repeat("x", n) }
	const header, path = 64 << 10, 8 << 10
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{})
		for _, test := range []struct {
			name, request string
			status        int
		}{
			{"good", wireHandshake + "\r\n", 101},
			{"large header", wireHandshake + "X: " + long(header-len(wireHandshake)-1000) + "\r\n\r\n", 101},
			{"larger header", wireHandshake + "X: " + long(header) + "\r\n\r\n", 431},
			{"many fields", wireHandshake + strings.Repeat("X: "+long(100)+"\r\n", 700) + "\r\n", 431},
			{"long URL", handshake("GET /", "GET /"+long(path-1)), 101},
			{"longer URL", handshake("GET /", "GET /"+long(path)), 414},
			{"longer query", handshake("GET /", "GET /?"+long(path)), 414},
			{"longer URL of a page", "GET /" + long(path) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
			{"longest URL", handshake("GET /", "GET /"+long(header)), 431},
			{"POST", handshake("GET", "POST"), 405},
			{"HEAD", handshake("GET", "HEAD"), 405},
			{"CONNECT", handshake("GET /", "CONNECT h:80"), 405},
			{"made-up method", handshake("GET", "GOT"), 405},
			{"HTTP/1.0", handshake("HTTP/1.1", "HTTP/1.0"), 505},
			{"HTTP/1.0 without Host", strings.Replace(handshake("HTTP/1.1", "HTTP/1.0"), "Host: tandem.test\r\n", "", 1), 505},
			{"HTTP/2.0", handshake("HTTP/1.1", "HTTP/2.0"), 505},
			{"HTTP/0.9", handshake("HTTP/1.1", "HTTP/0.9"), 505},
			{"HTTP/11", handshake("HTTP/1.1", "HTTP/11"), 400},
			{"no Host", handshake("Host: tandem.test\r\n", ""), 400},
			{"empty Host", handshake("Host: tandem.test", "Host: "), 400},
			{"two Hosts", handshake("Host: tandem.test", "Host: a\r\nHost: b"), 400},
			{"bad Host", handshake("Host: tandem.test", "Host: a b"), 400},
			{"no version", handshake(" HTTP/1.1", ""), 400},
			{"space in a name", handshake("Upgrade: web", "Upgrade : web"), 400},
			{"not ASCII in a name", handshake("Upgrade: web", "Upgr\xe4de: web"), 400},
			{"folded line", handshake("Upgrade: web", "Upgrade:\r\n web"), 101},
		} {
			resp, body := ask(t, network, test.request)
			if resp.StatusCode != test.status {
				t.Errorf("%s: %v %.200q, want %d", test.name, resp.Status, body, test.status)
			}
		}
		ok(t, server.Close())
	})
}

// TestBoundsOff: without them, and with others.
func TestBoundsOff(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		header, url int // options
		line, field int // of the request
		status      int
	}{
		{-1, -1, 1 << 20, 2 << 20, 101},
		{0, -1, 60 << 10, 0, 101},
		{-1, 0, 10 << 10, 0, 414},
		{8 << 10, 0, 0, 4 << 10, 101},
		{8 << 10, 0, 0, 9 << 10, 431},
		{0, 100, 99, 0, 101},
		{0, 100, 100, 0, 414},
	} {
		EachFace(t, func(t *testing.T, face Face) {
			server, network := inNetwork(t, face, Options{MaxHeaderBytes: test.header, MaxURLBytes: test.url})
			request := strings.Replace(wireHandshake, "/", "/"+long(test.line), 1) + "X: " + long(test.field) + "\r\n\r\n"
			if resp, body := ask(t, network, request); resp.StatusCode != test.status {
				t.Errorf("%+v: %v %.200q", test, resp.Status, body)
			}
			ok(t, server.Close())
		})
	}
}

// TestFirstMessageTimeout bounds the time in which a client has to say
// something. Pings are nothing; the beginning of a message will do.
func TestFirstMessageTimeout(t *testing.T) {
	const timeout = 5 * time.Second
	for _, test := range []struct {
		name string
		says func(t *testing.T, raw *Raw)
		ends bool
	}{
		{"nothing", func(*testing.T, *Raw) {}, true},
		{"pings", func(t *testing.T, raw *Raw) { raw.Send(t, raw.Frame(protocol.OpPing, true, "")) }, true},
		{"half a header", func(t *testing.T, raw *Raw) { raw.Send(t, raw.Text("hello")[:1]) }, true},
		{"a message", func(t *testing.T, raw *Raw) { raw.Send(t, raw.Text("hello")) }, false},
		{"an empty message", func(t *testing.T, raw *Raw) { raw.Send(t, raw.Text("")) }, false},
		{"a header", func(t *testing.T, raw *Raw) { raw.Send(t, raw.Text("hello")[:6]) }, false},
		{"half a message", func(t *testing.T, raw *Raw) { raw.Send(t, raw.Text("hello")[:8]) }, false},
		{"a fragment", func(t *testing.T, raw *Raw) { raw.Send(t, raw.Frame(protocol.OpText, false, "")) }, false},
	} {
		for _, receives := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, received %v", test.name, receives), func(t *testing.T) {
				EachFace(t, func(t *testing.T, face Face) {
					e := End{Face: face, Role: protocol.Server, Options: Options{FirstMessageTimeout: timeout}}
					e.Options.Keepalive.Interval = noPings
					conn, raw := e.Against(t)
					begun := time.Now()
					if receives {
						go conn.Recv(0)
					}
					time.Sleep(timeout - 1)
					test.says(t, raw)
					if !test.ends {
						time.Sleep(time.Hour)
						if conn.State() != protocol.Open {
							t.Errorf("%v", conn.Err())
						}
						return
					}
					if test.name == "pings" {
						raw.Expect(t, protocol.OpPong, "")
					}
					raw.ExpectClose(t, protocol.PolicyViolation, "no message in time")
					took(t, begun, timeout)
					raw.Close()
					<-conn.Done()
					is(t, conn.Err(), FaultsOf(face).FirstMessage)
				})
			})
		}
	}
}

// TestFirstMessageUnread: a first message that came in time was in time, although
// nobody has looked at the connection since.
func TestFirstMessageUnread(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		for _, timeout := range []time.Duration{2 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond} {
			for _, says := range []bool{false, true} {
				e := End{Face: face, Role: protocol.Server, Options: Options{FirstMessageTimeout: timeout}}
				e.Options.Keepalive.Interval = noPings
				conn, raw := e.Against(t)
				begun := time.Now()
				if !says {
					raw.ExpectClose(t, protocol.PolicyViolation, "no message in time")
					if d := time.Since(begun); d < timeout || d > timeout+100*time.Millisecond {
						t.Errorf("closed after %v, the bound is %v", d, timeout)
					}
					raw.Close()
					continue
				}
				time.Sleep(timeout / 2)
				raw.Send(t, raw.Text("hello"))
				time.Sleep(time.Second)
				expect(t, conn, "hello")
			}
		}
	})
}

// TestTooManyEndsConnection: who is refused because there are too many does not
// stay to be asked again.
func TestTooManyEndsConnection(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{MaxConnections: 1})
		first, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
		ok(t, err)
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		begun := time.Now()
		_, err = io.WriteString(conn, wireHandshake+"\r\n")
		ok(t, err)
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		ok(t, err)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%v, %v", resp.Status, err)
		}
		if _, err := in.ReadByte(); err != io.EOF || time.Since(begun) > time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		conn.Close()
		ok(t, first.Close())
		ok(t, server.Close())
	})
}
