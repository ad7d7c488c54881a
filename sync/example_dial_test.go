package sync_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// Without Proxy, the environment names the proxy. This one lets nobody through.
func ExampleClientOptions_proxy() {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no way to "+r.Host, http.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		log.Fatal(err)
	}
	u.User = url.UserPassword("ada", "guess")

	_, err = wssync.Connect("wss://example.com/", &wssync.ClientOptions{Proxy: http.ProxyURL(u)})
	var failed *protocol.ProxyError
	if errors.As(err, &failed) {
		fmt.Println(failed.Response.StatusCode, strings.TrimSpace(string(failed.Body)))
	}
	fmt.Println(errors.Is(err, protocol.ErrProxyAuth))
	// Output:
	// 407 no way to example.com:443
	// true
}

// Redirects are followed, and a jar keeps the cookies of all answers.
func ExampleClientOptions_jar() {
	server, err := wssync.Serve(func(conn *wssync.ServerConn) error {
		return conn.SendText(conn.Request().URL.Path + " with " + conn.Request().Header.Get("Cookie"))
	}, "localhost:0", &wssync.ServerOptions{
		ProcessRequest: func(w http.ResponseWriter, r *http.Request) *http.Request {
			if r.URL.Path == "/new" {
				return r
			}
			http.SetCookie(w, &http.Cookie{Name: "visitor", Value: "1", Path: "/"})
			http.Redirect(w, r, "/new", http.StatusTemporaryRedirect)
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	conn, err := wssync.Connect("ws://"+server.Addr().String()+"/old", &wssync.ClientOptions{Jar: jar})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	msg, err := conn.Recv()
	fmt.Println(msg, err)
	// Output: /new with visitor=1 <nil>
}

// A redirect that is not followed is an error that tells where it leads.
func ExampleClientOptions_maxRedirects() {
	website := httptest.NewServer(http.RedirectHandler("/again", http.StatusFound))
	defer website.Close()

	_, err := wssync.Connect(website.URL, &wssync.ClientOptions{MaxRedirects: 3})
	var moved *protocol.RedirectError
	if errors.As(err, &moved) {
		fmt.Println(strings.TrimPrefix(moved.Location, website.URL))
		fmt.Println(moved.Reason)
	}
	// Output:
	// /again
	// 3 redirects came before it
}

// A server that asks for Digest is told a proof of the password, and not the
// password.
func ExampleClientOptions_digestAuth() {
	server, err := wssync.Serve(func(conn *wssync.ServerConn) error {
		scheme, _, _ := strings.Cut(conn.Request().Header.Get("Authorization"), " ")
		return conn.SendText(scheme)
	}, "localhost:0", &wssync.ServerOptions{
		ProcessRequest: func(w http.ResponseWriter, r *http.Request) *http.Request {
			if r.Header.Get("Authorization") != "" { // a real server checks it
				return r
			}
			w.Header().Set("WWW-Authenticate", `Digest realm="lab", qop="auth", algorithm=SHA-256, nonce="one"`)
			w.WriteHeader(http.StatusUnauthorized)
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	conn, err := wssync.Connect("ws://"+server.Addr().String()+"/", &wssync.ClientOptions{
		DigestAuth: url.UserPassword("ada", "secret"),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	msg, err := conn.Recv()
	fmt.Println(msg, err)
	// Output: Digest <nil>
}
