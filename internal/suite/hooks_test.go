package suite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// wireHandshake is the request of a client, without the empty line at its end.
const wireHandshake = "GET / HTTP/1.1\r\nHost: tandem.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

// ask sends a request, byte for byte, and returns the answer with its body.
func ask(t *testing.T, network Network, request string) (*http.Response, string) {
	t.Helper()
	conn, err := network.Dial(t.Context(), "", "")
	ok(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, request)
	ok(t, err)
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	ok(t, err)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, ""
	}
	body, err := io.ReadAll(resp.Body)
	ok(t, err)
	return resp, string(body)
}

// in has a handler served in a network of its own. The server ends with the
// test.
func (s *Setting) in(t *testing.T, handler func(Conn) error) Network {
	t.Helper()
	network := NewNetwork()
	s.ServerOptions.Listener = network
	server, err := s.Server.Serve(handler, "", &s.ServerOptions)
	ok(t, err)
	t.Cleanup(func() { ok(t, server.Close()) })
	s.ClientOptions.Dial = network.Dial
	return network
}

type contextKey struct{}

// TestProcessRequest has a hook look at each request: it refuses, answers
// something else, and hands a value and a header on.
func TestProcessRequest(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ServerOptions.Process = func(w http.ResponseWriter, r *http.Request) *http.Request {
				w.Header().Set("X-Hook", "was here")
				switch r.URL.Path {
				case "/healthz":
					io.WriteString(w, "fine")
					return nil
				case "/secret":
					http.Error(w, "not for you", http.StatusForbidden)
					return nil
				}
				return r.WithContext(context.WithValue(r.Context(), contextKey{}, "value"))
			}
			s.in(t, func(conn Conn) error {
				send(t, conn, fmt.Sprint(conn.Request().Context().Value(contextKey{})))
				return echoing(conn)
			})
			client, err := s.Client.Connect("ws://tandem.test/", &s.ClientOptions)
			ok(t, err)
			expect(t, client, "value")
			if got := client.Response().Header.Get("X-Hook"); got != "was here" {
				t.Errorf("the hook's header is %q", got)
			}
			ok(t, client.Close())

			_, err = s.Client.Connect("ws://tandem.test/secret", &s.ClientOptions)
			refused := as[*protocol.InvalidStatusError](err)
			if refused == nil || refused.Response.StatusCode != http.StatusForbidden || string(refused.Body) != "not for you\n" {
				t.Errorf("%v: %+v", err, refused)
			}

			transport := &http.Transport{DialContext: s.ClientOptions.Dial}
			defer transport.CloseIdleConnections()
			resp, err := (&http.Client{Transport: transport}).Get("http://tandem.test/healthz")
			ok(t, err)
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != http.StatusOK || string(body) != "fine" {
				t.Errorf("health: %v %q", resp.Status, body)
			}
		})
	})
}

// TestRequestContext: the context of the request that a connection keeps has not
// ended with the opening handshake, and neither have those made of it.
func TestRequestContext(t *testing.T) {
	for name, process := range map[string]func(http.ResponseWriter, *http.Request) *http.Request{
		"no hook": nil,
		"a hook":  func(_ http.ResponseWriter, r *http.Request) *http.Request { return r },
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					s.ServerOptions.Process = process
					s.in(t, func(conn Conn) error {
						time.Sleep(time.Minute)
						return conn.Send(protocol.TextMessage(fmt.Sprint(conn.Request().Context().Err())), 0)
					})
					client, err := s.Client.Connect("ws://tandem.test/", &s.ClientOptions)
					ok(t, err)
					expect(t, client, "<nil>")
					ok(t, client.Request().Context().Err())
					ok(t, client.Close())
				})
			})
		})
	}
}

// TestProcessRequestForgets: a hook that has refused a client and forgets to
// say so has refused it.
func TestProcessRequestForgets(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"with a status": func(w http.ResponseWriter) { http.Error(w, "no", http.StatusForbidden) },
		"with a body":   func(w http.ResponseWriter) { io.WriteString(w, "no") },
		"with a flush of old": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "2")
			w.(http.Flusher).Flush()
			defer io.WriteString(w.(interface{ Unwrap() http.ResponseWriter }).Unwrap(), "no")
		},
		"with a flush": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "2")
			http.NewResponseController(w).Flush()
			defer io.WriteString(w.(interface{ Unwrap() http.ResponseWriter }).Unwrap(), "no")
		},
	} {
		t.Run(name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				var log Log
				server, network := inNetwork(t, face, Options{Log: &log, Process: func(w http.ResponseWriter, r *http.Request) *http.Request {
					answer(w)
					return r
				}})
				resp, body := ask(t, network, wireHandshake+"\r\n")
				if resp.StatusCode == http.StatusSwitchingProtocols || !strings.HasPrefix(body, "no") {
					t.Errorf("%v %q", resp.Status, body)
				}
				synctest.Wait()
				if server.Len() != 0 || !strings.Contains(log.String(), "level=ERROR") {
					t.Errorf("%d connections, log %s", server.Len(), log.String())
				}
				ok(t, server.Close())
			})
		})
	}
}

// TestProcessRequestHijacks has a hook take the connection from net/http: it is
// the hook's, whatever that returns.
func TestProcessRequestHijacks(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		EachFace(t, func(t *testing.T, face Face) {
			var log Log
			server, network := inNetwork(t, face, Options{Log: &log, Process: func(w http.ResponseWriter, r *http.Request) *http.Request {
				conn, _, err := http.NewResponseController(w).Hijack()
				ok(t, err)
				time.AfterFunc(time.Minute, func() { // later than the open timeout
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine")
					conn.Close()
				})
				if goesOn {
					return r
				}
				return nil
			}})
			resp, body := ask(t, network, wireHandshake+"\r\n")
			if resp.StatusCode != http.StatusOK || body != "mine" {
				t.Errorf("%v %q", resp.Status, body)
			}
			told := strings.Contains(log.String(), "ProcessRequest has answered and wants to go on")
			if server.Len() != 0 || told != goesOn || strings.Contains(log.String(), "handshake failed") {
				t.Errorf("%d connections, log %s", server.Len(), log.String())
			}
			ok(t, server.Close())
		})
	}
}

// TestProcessRequestLate: the request's context ends at the open timeout, and a
// hook that goes on nevertheless does so in vain. Afterwards it stays alive.
func TestProcessRequestLate(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var ended error
		server, network := inNetwork(t, face, Options{OpenTimeout: 3 * time.Second, Process: func(_ http.ResponseWriter, r *http.Request) *http.Request {
			if r.URL.Path == "/" {
				<-r.Context().Done()
				ended = context.Cause(r.Context())
			}
			return r
		}})
		begun := time.Now()
		resp, body := ask(t, network, wireHandshake+"\r\n")
		if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "open timeout") || ended != context.DeadlineExceeded {
			t.Errorf("%v %q, %v", resp.Status, body, ended)
		}
		took(t, begun, 3*time.Second)
		conn, err := face.Connect("ws://tandem.test/fast", &Options{Dial: network.Dial})
		ok(t, err)
		time.Sleep(time.Minute)
		send(t, conn, "still here")
		expect(t, conn, "still here")
		ok(t, conn.Close())
		ok(t, server.Close())
	})
}

// TestProcessResponse has a hook change the header of all kinds of responses,
// as far as it may.
func TestProcessResponse(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var statuses []int
		server, network := inNetwork(t, face, Options{
			Protocol: []string{"chat"},
			Header:   http.Header{"X-Removed": {"x"}, "X-Kept": {"x"}},
			Respond: func(r *http.Request, status int, header http.Header) {
				statuses = append(statuses, status)
				header.Set("X-Hook", r.URL.Path)
				header.Del("X-Removed")
				header.Del("Server")
				for _, name := range []string{"Upgrade", "Connection", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"} {
					if status == http.StatusSwitchingProtocols && protocol.HeaderValues(header, name) == nil {
						t.Errorf("the hook does not see %s", name)
					}
					delete(header, name)
				}
				header["Sec-WebSocket-Extensions"] = []string{"of the hook's"}
			},
		})
		conn, err := face.Connect("ws://tandem.test/path", &Options{Dial: network.Dial, Protocol: []string{"chat"}, Compression: protocol.Deflate{Disabled: true}})
		ok(t, err)
		header := conn.Response().Header
		if header.Get("X-Hook") != "/path" || header.Get("X-Kept") == "" || header["X-Removed"] != nil || header["Server"] != nil || conn.Subprotocol() != "chat" {
			t.Errorf("%v", header)
		}
		ok(t, conn.Close())
		resp, _ := ask(t, network, "GET /plain HTTP/1.1\r\nHost: tandem.test\r\n\r\n")
		if resp.StatusCode != http.StatusUpgradeRequired || resp.Header.Get("X-Hook") != "/plain" || resp.Header["Server"] != nil || resp.Header["Upgrade"] != nil {
			t.Errorf("%v %v", resp.Status, resp.Header)
		}
		if fmt.Sprint(statuses) != "[101 426]" {
			t.Errorf("asked about %v", statuses)
		}
		ok(t, server.Close())
	})
}

// TestServerHeader names the SDK in all responses, or what the options want, or
// nothing.
func TestServerHeader(t *testing.T) {
	for _, test := range []struct {
		header http.Header
		want   []string
	}{
		{nil, []string{"Tandem"}},
		{http.Header{"Server": {"Teapot"}}, []string{"Teapot"}},
		{http.Header{"server": {"Teapot"}}, []string{"Teapot"}},
		{http.Header{"Server": nil}, nil},
		{http.Header{"Server": {""}}, nil},
	} {
		EachFace(t, func(t *testing.T, face Face) {
			server, network := inNetwork(t, face, Options{Header: test.header})
			for _, request := range []string{wireHandshake + "\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"} {
				resp, _ := ask(t, network, request)
				if got := resp.Header["Server"]; !slices.Equal(got, test.want) {
					t.Errorf("%v, %v: Server %q, want %q", test.header, resp.Status, got, test.want)
				}
			}
			ok(t, server.Close())
		})
	}
}

// TestFallback has an ordinary handler answer what is not for WebSocket, beside
// it and on the same port, whatever a hook thinks of clients.
func TestFallback(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fine") })
		mux.HandleFunc("POST /", func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
		server, network := inNetwork(t, face, Options{
			Fallback: mux, OpenTimeout: 3 * time.Second,
			Process: face.BasicAuth("clients", map[string]string{"ada": "secret"}),
		})
		for request, status := range map[string]int{
			"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n":                                        200,
			"GET /healthz HTTP/1.0\r\n\r\n":                                                   200,
			"GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n":                                        405,
			"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n": 200,
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi":                       200,
			wireHandshake + "\r\n":                                                            401,
			strings.Replace(wireHandshake, "/", "/healthz", 1) + "\r\n":                       401,
		} {
			if resp, body := ask(t, network, request); resp.StatusCode != status {
				t.Errorf("%q: %v %q, want %d", request, resp.Status, body, status)
			}
		}
		begun := time.Now()
		ask(t, network, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n") // and nothing more
		if d := time.Since(begun); d > 4*time.Second {
			t.Errorf("the server waited for a body for %v", d)
		}
		time.Sleep(time.Minute)
		ok(t, server.Close())
	})
}

// TestBasicAuth lets in who knows the password, and tells the handler who it
// is, also when the request is let go of.
func TestBasicAuth(t *testing.T) {
	for _, discard := range []bool{false, true} {
		Each(t, func(t *testing.T, s Setting) {
			synctest.Test(t, func(t *testing.T) {
				s.ServerOptions.DiscardRequest = discard
				s.ServerOptions.Process = s.Server.BasicAuth(`the "lab"`, map[string]string{"ada": "pass:word", "bob": "", "": "", "zoë": "größe"})
				s.in(t, func(conn Conn) error { return conn.Send(protocol.TextMessage(conn.Username()), 0) })
				dial := Options{Dial: s.ClientOptions.Dial}
				for _, test := range []struct {
					username, password string
					in                 bool
				}{
					{"ada", "pass:word", true},
					{"bob", "", true},
					{"zoë", "größe", true},
					{"ada", "pass:wor", false},
					{"ada", "", false},
					{"ada", "nobody", false},
					{"Ada", "pass:word", false},
					{"eve", "pass:word", false},
					{"", "pass:word", false},
				} {
					u := url.URL{Scheme: "ws", User: url.UserPassword(test.username, test.password), Host: "tandem.test", Path: "/"}
					conn, err := s.Client.Connect(u.String(), &dial)
					if test.in {
						ok(t, err)
						expect(t, conn, test.username)
						conn.Close()
						continue
					}
					refused := as[*protocol.InvalidStatusError](err)
					if refused == nil || refused.Response.StatusCode != http.StatusUnauthorized ||
						refused.Response.Header.Get("WWW-Authenticate") != `Basic realm="the \"lab\"", charset="UTF-8"` {
						t.Errorf("%s: %v", u.String(), err)
					}
				}
				for _, header := range []string{"", "Basic", "Basic !!!", "Basic YWRh", "Bearer YWRhOnBhc3M6d29yZA=="} {
					dial.Header = http.Header{"Authorization": {header}}
					_, err := s.Client.Connect("ws://tandem.test/", &dial)
					if refused := as[*protocol.InvalidStatusError](err); refused == nil || refused.Response.StatusCode != http.StatusUnauthorized {
						t.Errorf("%q: %v", header, err)
					}
				}
				dial.Header = http.Header{"Authorization": {"bAsIc YWRhOnBhc3M6d29yZA=="}}
				conn, err := s.Client.Connect("ws://tandem.test/", &dial)
				ok(t, err)
				expect(t, conn, "ada")
				conn.Close()
			})
		})
	}
}

// TestRoute has a handler for each pattern, and none for the rest.
func TestRoute(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			network := NewNetwork()
			says := func(text string) func(Conn) error {
				return func(conn Conn) error {
					return conn.Send(protocol.TextMessage(text+" "+conn.PathValue("room")), 0)
				}
			}
			s.ServerOptions.Listener = network
			s.ServerOptions.Fallback = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a page") })
			server, err := s.Server.Route(map[string]func(Conn) error{
				"/rooms/{room}": says("room"),
				"GET /feed":     says("feed"),
			}, "", &s.ServerOptions)
			ok(t, err)
			for path, want := range map[string]string{"/rooms/attic": "room attic", "/feed": "feed "} {
				conn, err := s.Client.Connect("ws://tandem.test"+path, &Options{Dial: network.Dial})
				ok(t, err)
				expect(t, conn, want)
				conn.Close()
			}
			upgrade := func(method, path string) string {
				return strings.Replace(wireHandshake, "GET /", method+" "+path, 1) + "\r\n"
			}
			for request, status := range map[string]int{
				upgrade("GET", "/nowhere"):                    404,
				upgrade("GET", "/rooms/"):                     404,
				upgrade("GET", "/x/../feed"):                  307,
				upgrade("POST", "/feed"):                      405,
				upgrade("POST", "/rooms/attic"):               405,
				"GET /feed HTTP/1.1\r\nHost: h\r\n\r\n":       200,
				"GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n":    200,
				"POST /nowhere HTTP/1.1\r\nHost: h\r\n\r\n\n": 200,
			} {
				if resp, body := ask(t, network, request); resp.StatusCode != status {
					t.Errorf("%q: %v %q, want %d", request, resp.Status, body, status)
				}
			}
			ok(t, server.Close())

			for _, patterns := range [][]string{{"{"}, {"/{a}", "/{b}"}, {"no/slash/{"}} {
				routes := make(map[string]func(Conn) error)
				for _, p := range patterns {
					routes[p] = echoing
				}
				if server, err := s.Server.Route(routes, "127.0.0.1:0", nil); err == nil {
					t.Errorf("%q is no error", patterns)
					server.Close()
				}
			}
		})
	})
}

// TestRouteByPathSent: a hook is asked once, and a path that it makes of the client's leads
// to no other route.
func TestRouteByPathSent(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		network := NewNetwork()
		asked := 0
		server, err := face.Route(map[string]func(Conn) error{"/room": echoing}, "", &Options{
			Listener: network,
			Process: func(_ http.ResponseWriter, r *http.Request) *http.Request {
				asked++
				r = r.Clone(r.Context())
				r.URL.Path = "/room"
				return r
			},
		})
		ok(t, err)
		defer server.Close()
		resp, _ := ask(t, network, strings.Replace(wireHandshake, "/", "/attic", 1)+"\r\n")
		if resp.StatusCode != http.StatusNotFound || asked != 1 {
			t.Errorf("%v, asked %d times", resp.Status, asked)
		}
	})
}

// TestRouteRedirects has requests that http.ServeMux would redirect to a pattern
// with a slash at its end: it is not asked before those who come first.
func TestRouteRedirects(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		network := NewNetwork()
		server, err := face.Route(map[string]func(Conn) error{"/{room}/": echoing}, "", &Options{
			Listener: network,
			Fallback: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page "+r.URL.Path) }),
			Process: func(w http.ResponseWriter, r *http.Request) *http.Request {
				if r.URL.Path == "/secret" {
					http.Error(w, "not for you", http.StatusForbidden)
					return nil
				}
				return r
			},
		})
		ok(t, err)
		upgrade := func(path string) string { return strings.Replace(wireHandshake, "/", path, 1) + "\r\n" }
		for _, test := range []struct {
			request string
			status  int
			body    string
		}{
			// What does not ask for WebSocket is the fallback's, whatever its path.
			{"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 200, "page /healthz"},
			{"GET /a/../healthz HTTP/1.1\r\nHost: h\r\n\r\n", 200, "page /a/../healthz"},
			// Where to go is told to those only whom the hook lets pass.
			{upgrade("/secret"), 403, "not for you\n"},
			{upgrade("/attic"), 307, "<a href=\"/attic/\">Temporary Redirect</a>.\n\n"},
			{upgrade("/attic/"), 101, ""},
		} {
			if resp, body := ask(t, network, test.request); resp.StatusCode != test.status || body != test.body {
				t.Errorf("%q: %v %q, want %d %q", test.request, resp.Status, body, test.status, test.body)
			}
		}
		ok(t, server.Close())
	})
}

// TestNilHandlers: a handler that is nil is an error, not one for requests to
// run into.
func TestNilHandlers(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		for name, serve := range map[string]func(*Options) (Server, error){
			"Serve": func(o *Options) (Server, error) { return face.Serve(nil, "", o) },
			"Route": func(o *Options) (Server, error) { return face.Route(map[string]func(Conn) error{"/": nil}, "", o) },
			"a Route": func(o *Options) (Server, error) {
				return face.Route(map[string]func(Conn) error{"/": echoing, "/nil": nil}, "", o)
			},
		} {
			if server, err := serve(&Options{Listener: NewNetwork()}); err == nil {
				t.Errorf("%s takes nil", name)
				server.Close()
			}
		}
		if _, err := face.NewHandler(nil, nil); err == nil {
			t.Error("NewHandler takes nil")
		}
	})
}

// TestNoRoutes: a server with no handler at all has nothing for anybody.
func TestNoRoutes(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		network := NewNetwork()
		server, err := face.Route(nil, "", &Options{Listener: network})
		ok(t, err)
		if resp, _ := ask(t, network, wireHandshake+"\r\n"); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%v", resp.Status)
		}
		ok(t, server.Close())
	})
}
