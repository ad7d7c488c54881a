package serve

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// A Route is what stays of a request when the rest of it is let go of: its
// path, the values of the wildcards in the http.ServeMux pattern that it
// matched, and who has sent it.
type Route struct{ *routed } // nil stands for the path "/" and nobody in particular

type routed struct {
	path     string
	values   *pathValue
	username string
}

type pathValue struct {
	name, value string
	next        *pathValue
}

// RouteOf returns the route of r. The names of the wildcards are read from the
// pattern, for net/http has no list of them.
func RouteOf(r *http.Request) Route {
	username := usernameOf(r)
	if r.URL.Path == "/" && username == "" {
		return Route{}
	}
	route := Route{&routed{path: strings.Clone(r.URL.Path), username: strings.Clone(username)}}
	for _, segment := range strings.Split(r.Pattern, "/") {
		name, ok := wildcard(segment)
		if !ok {
			continue
		}
		if value := r.PathValue(name); value != "" {
			route.values = &pathValue{strings.Clone(name), strings.Clone(value), route.values}
		}
	}
	return route
}

// wildcard returns the name in a segment {name} or {name...} of a pattern.
func wildcard(segment string) (name string, ok bool) {
	name, ok = strings.CutPrefix(segment, "{")
	if !ok {
		return "", false
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, "}"), "...")
	return name, name != "$"
}

// Path returns the path of the request's URL.
func (r *Route) Path() string {
	if r.routed == nil {
		return "/"
	}
	return r.path
}

// Username returns the user name that BasicAuth has checked, "" if none was.
func (r *Route) Username() string {
	if r.routed == nil {
		return ""
	}
	return r.username
}

// PathValue returns the value of the named wildcard, "" if there is none.
func (r *Route) PathValue(name string) string {
	if r.routed == nil {
		return ""
	}
	for v := r.values; v != nil; v = v.next {
		if v.name == name {
			return v.value
		}
	}
	return ""
}

// ErrNoHandler: a handler is nil.
var ErrNoHandler = errors.New("websocket: no handler")

// Handle has the requests that match a pattern of http.ServeMux handled by
// handle. It is called before Listen.
func (s *Server[C]) Handle(pattern string, handle func(C) error) (err error) {
	if handle == nil {
		return fmt.Errorf("%w for pattern %q", ErrNoHandler, pattern)
	}
	defer func() {
		if v := recover(); v != nil { // that is how http.ServeMux refuses a pattern
			err = fmt.Errorf("websocket: %v", v)
		}
	}()
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, handle) })
	return nil
}

// route has a request answered by its route. One that matches none may be the
// fallback's, or a hook's.
func (s *Server[C]) route(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.answer(w, r, nil)
		return
	}
	s.mux.ServeHTTP(w, r)
}
