package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"
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
		var got *Route
		mux := http.NewServeMux()
		mux.HandleFunc(test.pattern, func(_ http.ResponseWriter, r *http.Request) {
			route := RouteOf(r)
			got = &route
		})
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://example.com"+test.path, nil))
		if got == nil {
			t.Errorf("%s does not match %s", test.pattern, test.path)
			continue
		}
		if got.Path() != test.path {
			t.Errorf("%s: path %q, want %q", test.pattern, got.Path(), test.path)
		}
		for name, want := range test.values {
			if value := got.PathValue(name); value != want {
				t.Errorf("%s: %s is %q, want %q", test.pattern, name, value, want)
			}
		}
	}
}

// TestNoRoute takes the route of a request that no ServeMux has seen.
func TestNoRoute(t *testing.T) {
	route := RouteOf(httptest.NewRequest("GET", "/some/path", nil))
	if route.Path() != "/some/path" || route.PathValue("some") != "" {
		t.Errorf("%+v", route)
	}
}
