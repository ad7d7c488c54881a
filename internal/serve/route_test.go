package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tandemws/tandem/internal/link"
)

// TestRoute takes from requests what is left when they are let go of.
func TestRoute(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		values        map[string]string
	}{
		{"/", "/", map[string]string{"": ""}},
		{"/{$}", "/", map[string]string{"$": ""}},
		{"/rooms/{room}", "/rooms/7", map[string]string{"room": "7", "rooms": "", "Room": ""}},
		{"GET example.com/{a}/x/{b}/", "/1/x/2/more", map[string]string{"a": "1", "b": "2"}},
		{"/files/{path...}", "/files/a/b/c", map[string]string{"path": "a/b/c"}},
		{"/files/{path...}", "/files/", map[string]string{"path": ""}},
		{"/{name}/{$}", "/x/", map[string]string{"name": "x", "$": ""}},
	} {
		var got *link.Opening
		mux := http.NewServeMux()
		mux.HandleFunc(test.pattern, func(_ http.ResponseWriter, r *http.Request) {
			got = new(link.Opening)
			setRoute(got, r)
		})
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://example.com"+test.path, nil))
		if got == nil {
			t.Errorf("%s does not match %s", test.pattern, test.path)
			continue
		}
		if path := got.Get().Path; path != test.path {
			t.Errorf("%s: path %q, want %q", test.pattern, path, test.path)
		}
		for name, want := range test.values {
			if value := got.PathValue(name); value != want {
				t.Errorf("%s: %s is %q, want %q", test.pattern, name, value, want)
			}
		}
	}
}

// TestStripPrefix takes the route of requests whose path somebody has shortened.
func TestStripPrefix(t *testing.T) {
	for _, test := range []struct{ pattern, prefix, url, path, room string }{
		{"/ws", "/ws", "/ws", "", ""},
		{"/rooms/{room}/", "/rooms/42", "/rooms/42/", "/", "42"},
	} {
		var got *link.Opening
		mux := http.NewServeMux()
		mux.Handle(test.pattern, http.StripPrefix(test.prefix, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = (&Upgraded{Request: r, DiscardRequest: true}).Opening()
		})))
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", test.url, nil))
		if path, room := got.Get().Path, got.PathValue("room"); path != test.path || room != test.room {
			t.Errorf("%s: path %q, room %q", test.url, path, room)
		}
	}
}

// TestNoRoute takes the route of a request that no ServeMux has seen.
func TestNoRoute(t *testing.T) {
	up := Upgraded{Request: httptest.NewRequest("GET", "/some/path", nil), DiscardRequest: true}
	if o := up.Opening(); o.Get().Path != "/some/path" || o.PathValue("some") != "" {
		t.Errorf("%+v", o)
	}
}

// TestNothingToRemember: a connection keeps nothing of the plainest of requests.
func TestNothingToRemember(t *testing.T) {
	up := Upgraded{Request: httptest.NewRequest("GET", "/", nil), DiscardRequest: true}
	if o := up.Opening(); o != nil || o.Get().Path != "/" || o.Request() != nil {
		t.Errorf("%+v", o)
	}
}
