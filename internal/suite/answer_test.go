package suite

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// TestHookSpoilsResponse: a field that cannot be sent, whoever has put it in, is
// our own fault, and no response of two lines.
func TestHookSpoilsResponse(t *testing.T) {
	for name, hook := range map[string]func(o *Options){
		"ProcessResponse": func(o *Options) {
			o.Respond = func(_ *http.Request, status int, header http.Header) {
				if status == http.StatusSwitchingProtocols {
					header["X"] = []string{"secret\r\nY: z"}
				}
			}
		},
		"ProcessRequest": func(o *Options) {
			o.Process = func(w http.ResponseWriter, r *http.Request) *http.Request {
				w.Header()["X"] = []string{"secret\r\nY: z"}
				return r
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				var log Log
				opts := Options{Log: &log}
				hook(&opts)
				server, network := inNetwork(t, face, opts)
				resp, body := ask(t, network, wireHandshake+"\r\n")
				if resp.StatusCode != http.StatusInternalServerError || resp.Header["Y"] != nil || strings.Contains(body, "X") {
					t.Errorf("%v %v %q", resp.Status, resp.Header, body)
				}
				if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "control character in the value of the X header") || strings.Contains(text, "secret") {
					t.Errorf("log %s", text)
				}
				synctest.Wait() // net/http is done with the request
				begun := time.Now()
				ok(t, server.Shutdown(time.Minute))
				took(t, begun, 0)
			})
		})
	}
}

// TestResponseNotRead has a client ask and not read the response: it is waited
// for until the open timeout, if there is one.
func TestResponseNotRead(t *testing.T) {
	for _, timeout := range []time.Duration{3 * time.Second, -1} {
		EachFace(t, func(t *testing.T, face Face) {
			server, network := inNetwork(t, face, Options{
				OpenTimeout: timeout, Header: http.Header{"X": {strings.Repeat("x", 1<<20)}},
			})
			conn, err := network.Dial(t.Context(), "", "")
			ok(t, err)
			begun := time.Now()
			_, err = io.WriteString(conn, wireHandshake+"\r\n")
			ok(t, err)
			time.Sleep(time.Minute)
			answer := make(chan string, 1)
			go func() { // ends with the connection, or with the response
				raw := newRaw(conn, protocol.Client)
				resp, err := http.ReadResponse(raw.in, nil)
				if err != nil {
					answer <- err.Error()
					return
				}
				answer <- resp.Status
			}()
			want := "101 Switching Protocols"
			if timeout > 0 {
				want = io.ErrUnexpectedEOF.Error()
			}
			if got := <-answer; got != want {
				t.Errorf("timeout %v: after %v: %s, want %s", timeout, time.Since(begun), got, want)
			}
			synctest.Wait()
			if n := server.Len(); (n > 0) != (timeout < 0) {
				t.Errorf("timeout %v: %d connections", timeout, n)
			}
			conn.Close()
			ok(t, server.Close())
		})
	}
}

// TestNoOpenTimeout: without one, hooks and bodies may take their time.
func TestNoOpenTimeout(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{
			OpenTimeout: -1,
			Process: func(_ http.ResponseWriter, r *http.Request) *http.Request {
				time.Sleep(time.Hour)
				ok(t, r.Context().Err())
				return r
			},
			Fallback: http.HandlerFunc(copyBody),
		})
		conn, err := face.Connect("ws://tandem.test/", &Options{OpenTimeout: -1, Dial: network.Dial})
		ok(t, err)
		ok(t, conn.Close())
		slowBody(t, network)
		ok(t, server.Close())
	})
}

// copyBody answers with what it was asked.
func copyBody(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestTimeout)
	}
	w.Write(body)
}

// slowBody expects an answer to a request whose body comes in an hour.
func slowBody(t *testing.T, network Network) {
	t.Helper()
	conn, err := network.Dial(t.Context(), "", "")
	ok(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\n")
	ok(t, err)
	time.Sleep(time.Hour)
	_, err = io.WriteString(conn, "slow")
	ok(t, err)
	answer, err := io.ReadAll(conn)
	if ok(t, err); !strings.HasSuffix(string(answer), "\r\n\r\nslow") {
		t.Errorf("%q", answer)
	}
}

// TestBodyInServer: in somebody else's server a body may take as long as that
// server says.
func TestBodyInServer(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		handler, err := face.NewHandler(echoing, &Options{OpenTimeout: time.Second, Fallback: http.HandlerFunc(copyBody)})
		ok(t, err)
		network := NewNetwork()
		web := &http.Server{Handler: handler}
		go web.Serve(network)
		slowBody(t, network)
		ok(t, handler.Shutdown(time.Minute))
		ok(t, web.Close())
	})
}

// TestProcessRequestStatus: a status without a body is an answer, one that only
// hints at it is not.
func TestProcessRequestStatus(t *testing.T) {
	for status, want := range map[int]int{
		http.StatusEarlyHints: http.StatusSwitchingProtocols, http.StatusProcessing: http.StatusSwitchingProtocols,
		http.StatusOK: http.StatusOK, http.StatusNoContent: http.StatusNoContent, http.StatusNotFound: http.StatusNotFound,
	} {
		EachFace(t, func(t *testing.T, face Face) {
			var log Log
			server, network := inNetwork(t, face, Options{Log: &log, Process: func(w http.ResponseWriter, r *http.Request) *http.Request {
				w.WriteHeader(status)
				return r
			}})
			conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
			if want == http.StatusSwitchingProtocols {
				ok(t, err)
				ok(t, conn.Close())
			} else {
				refusedWith(t, err, want, "")
			}
			if told := strings.Contains(log.String(), "has answered and wants to go on"); told != (status == want) {
				t.Errorf("%d: log %s", status, log.String())
			}
			ok(t, server.Close())
		})
	}
}

// TestRouteHooks: the hooks see each request once, whichever pattern it matches.
func TestRouteHooks(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		asked := 0
		network := NewNetwork()
		server, err := face.Route(map[string]func(Conn) error{"/feed": echoing, "GET /rooms/{room}": echoing}, "", &Options{
			Listener: network,
			Process:  func(_ http.ResponseWriter, r *http.Request) *http.Request { asked++; return r },
		})
		ok(t, err)
		for i, path := range []string{"/feed", "/rooms/attic", "/nowhere"} {
			ask(t, network, strings.Replace(wireHandshake, "GET /", "GET "+path, 1)+"\r\n")
			if asked != i+1 {
				t.Errorf("%s: asked %d times", path, asked-i)
			}
		}
		ok(t, server.Close())
	})
}

// TestServerHeaderOfMiddleware: a Server field that the application has set on
// its way stands in all responses.
func TestServerHeaderOfMiddleware(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{Process: func(w http.ResponseWriter, r *http.Request) *http.Request {
			w.Header().Set("Server", "Teapot")
			return r
		}})
		for _, request := range []string{wireHandshake + "\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"} {
			if resp, _ := ask(t, network, request); len(resp.Header["Server"]) != 1 || resp.Header.Get("Server") != "Teapot" {
				t.Errorf("%v: Server %q", resp.Status, resp.Header["Server"])
			}
		}
		ok(t, server.Close())
	})
}

// TestBasicAuthBody: who has no password and declares a body is not waited for.
func TestBasicAuthBody(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{Process: face.BasicAuth("lab", map[string]string{"ada": "secret"})})
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		begun := time.Now()
		_, err = io.WriteString(conn, wireHandshake+"Content-Length: 5\r\n\r\n")
		ok(t, err)
		answer, err := io.ReadAll(conn)
		if ok(t, err); !strings.HasPrefix(string(answer), "HTTP/1.1 401") || time.Since(begun) > time.Second {
			t.Errorf("after %v: %.80q", time.Since(begun), answer)
		}
		conn.Close()
		ok(t, server.Close())
	})
}

// TestUpgradeAfterPages has a client ask for pages first, on the same connection:
// of the bounds on those nothing stays.
func TestUpgradeAfterPages(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		opts := Options{OpenTimeout: 3 * time.Second, Fallback: http.HandlerFunc(copyBody)}
		opts.Keepalive.Interval = noPings
		server, network := inNetwork(t, face, opts)
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		raw := newRaw(conn, protocol.Client)
		for _, page := range []string{
			"GET / HTTP/1.1\r\nHost: tandem.test\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: tandem.test\r\nContent-Length: 4\r\n\r\nbody",
			"POST / HTTP/1.1\r\nHost: tandem.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
		} {
			_, err = io.WriteString(conn, page)
			ok(t, err)
			resp, err := http.ReadResponse(raw.in, nil)
			ok(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			if ok(t, err); resp.StatusCode != http.StatusOK || resp.Close {
				t.Errorf("%.4s: %v", page, resp.Status)
			}
			time.Sleep(time.Second)
		}
		raw.Send(t, []byte(wireHandshake+"\r\n"), raw.Text("early"))
		resp, err := http.ReadResponse(raw.in, nil)
		if ok(t, err); resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatal(resp.Status)
		}
		raw.Expect(t, protocol.OpText, "early")
		time.Sleep(10 * time.Second) // longer than any of the bounds
		raw.Send(t, raw.Text("still here"))
		raw.Expect(t, protocol.OpText, "still here")
		raw.Send(t, raw.CloseFrame(protocol.NormalClosure, ""))
		raw.ExpectClose(t, protocol.NormalClosure, "")
		raw.Close()
		ok(t, server.Close())
	})
}
