package suite

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/protocol"
)

// asking notes the requests of a server, and goes on with them unless answer
// has answered.
func asking(asked *[]*http.Request, answer func(w http.ResponseWriter, r *http.Request) bool) face.Processor {
	return func(w http.ResponseWriter, r *http.Request) *http.Request {
		*asked = append(*asked, r.Clone(context.Background()))
		if answer(w, r) {
			return nil
		}
		return r
	}
}

// TestRedirectsAndJar: both faces go where a server of both faces sends them,
// with the cookies that it gave them on the way.
func TestRedirectsAndJar(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			var asked []*http.Request
			s.ServerOptions.Process = asking(&asked, func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/new/place" {
					return false
				}
				http.SetCookie(w, &http.Cookie{Name: "moved", Value: "yes", Path: "/"})
				http.Redirect(w, r, "/new/place?from="+r.URL.Path, http.StatusPermanentRedirect)
				return true
			})
			network := s.in(t, echoing)
			jar, err := cookiejar.New(nil)
			ok(t, err)
			client, err := s.Client.Connect("ws://ada:secret@tandem.test/old", &Options{
				Dial: network.Dial, Jar: jar, Header: http.Header{"X-Mine": {"yes"}},
			})
			ok(t, err)
			send(t, client, "here")
			expect(t, client, "here")
			last := asked[len(asked)-1]
			if len(asked) != 2 || last.URL.RequestURI() != "/new/place?from=/old" || last.Header.Get("X-Mine") != "yes" {
				t.Errorf("%d requests, the last one for %v with %v", len(asked), last.URL, last.Header)
			}
			if user, password, _ := last.BasicAuth(); user != "ada" || password != "secret" {
				t.Errorf("credentials %q, %q", user, password)
			}
			if got := last.Header.Get("Cookie"); got != "moved=yes" {
				t.Errorf("cookie %q", got)
			}
			if u := client.Request().URL; u.Path != "/new/place" {
				t.Errorf("the connection's request is for %v", u)
			}
			ok(t, client.Close())
		})
	})
}

// TestRedirectGivenTLS: on a connection that was given, TLS is begun once, and
// what follows a redirect goes through it.
func TestRedirectGivenTLS(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			served, trusting := Certificate(t)
			s.ServerOptions.TLS = served
			s.ServerOptions.Process = func(w http.ResponseWriter, r *http.Request) *http.Request {
				if r.URL.Path == "/new" {
					return r
				}
				http.Redirect(w, r, "/new", http.StatusFound)
				return nil
			}
			network := s.in(t, echoing)
			conn, err := network.Dial(t.Context(), "", "")
			ok(t, err)
			client, err := s.Client.Connect("wss://tandem.test/old", &Options{NetConn: conn, TLS: trusting})
			ok(t, err)
			send(t, client, "here")
			expect(t, client, "here")
			ok(t, client.Close())
		})
	})
}

// TestRedirectsRefused: both faces tell where a redirect leads that they do not
// follow.
func TestRedirectsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		location string
		most     int // redirects
		tells    string
		err      error // one more that is found
		attempts int
	}{
		"no server":  {"ftp://user:secret@files.test/", 0, "no URL of a server", protocol.ErrURL, 1},
		"in circles": {"/", 3, "3 redirects", nil, 4},
		"off":        {"/", -1, "302", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				place := newSite(t, refusing("302 Found", "Location: "+test.location))
				_, err := face.Connect("ws://tandem.test/", &Options{Dial: place.Dial, MaxRedirects: test.most})
				is(t, err, protocol.ErrHandshake)
				if !strings.Contains(err.Error(), test.tells) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%v", err)
				}
				moved := as[*protocol.RedirectError](err)
				if test.most < 0 != (moved == nil) {
					t.Errorf("error %v", err)
				}
				if refused := as[*protocol.InvalidStatusError](err); refused == nil || refused.Response.StatusCode != 302 {
					t.Errorf("%v does not have the answer", err)
				}
				if test.err != nil {
					is(t, err, test.err)
				}
				if n := len(place.came()); n != test.attempts {
					t.Errorf("%d attempts, want %d", n, test.attempts)
				}
				synctest.Wait()
			})
		})
	}
}

// TestDigestAuth: both faces prove a password to a server that asks for it, and
// tell the password to nobody.
func TestDigestAuth(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			var asked []*http.Request
			s.ServerOptions.Process = asking(&asked, func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.Header.Get("Authorization"), `Digest username="ada", `) {
					return false
				}
				w.Header().Set("WWW-Authenticate", `Digest realm="lab", qop="auth", nonce="n", algorithm=SHA-256`)
				http.Error(w, "who is it?", http.StatusUnauthorized)
				return true
			})
			network := s.in(t, echoing)
			opts := &Options{Dial: network.Dial, Digest: url.UserPassword("ada", "secret")}
			client, err := s.Client.Connect("ws://tandem.test/chat", opts)
			ok(t, err)
			send(t, client, "proved")
			expect(t, client, "proved")
			ok(t, client.Close())

			opts.Digest = url.UserPassword("eve", "secret") // challenged once, and again
			_, err = s.Client.Connect("ws://tandem.test/chat", opts)
			if refused := as[*protocol.InvalidStatusError](err); refused == nil || refused.Response.StatusCode != http.StatusUnauthorized {
				t.Errorf("%v", err)
			}
			if len(asked) != 4 {
				t.Errorf("%d requests, want 4", len(asked))
			}
			for _, r := range asked {
				if got := r.Header.Get("Authorization"); strings.Contains(got, "secret") || strings.HasPrefix(got, "Basic") {
					t.Errorf("Authorization %q", got)
				}
			}
		})
	})
}
