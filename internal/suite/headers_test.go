package suite

import (
	"net/http"
	"testing"
	"testing/synctest"
)

// TestOwnHeaders has both sides set the fields that have a meaning of their own,
// and the server choose a subprotocol by a rule of its own.
func TestOwnHeaders(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.Header = http.Header{"Origin": {"https://page.test"}, "User-Agent": {"a client"}}
			s.ServerOptions.Header = http.Header{"Server": {"a server"}}
			s.ServerOptions.Origins = []string{"https://page.test"}
			s.ClientOptions.Protocol = []string{"first", "second"}
			s.ServerOptions.Select = func(_ *http.Request, offered []string) (string, error) { return offered[1], nil }
			client, server, _, _ := s.Over(t)
			r := server.Request()
			if r.Header.Get("Origin") != "https://page.test" || r.UserAgent() != "a client" || client.Subprotocol() != "second" {
				t.Errorf("request %v, subprotocol %q", r.Header, client.Subprotocol())
			}
			if got := client.Response().Header.Get("Server"); got != "a server" {
				t.Errorf("Server: %s", got)
			}
		})
	})
}
