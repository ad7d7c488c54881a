package serve

import (
	"net/http"
	"strings"
)

// A Route is what stays of a request when the rest of it is let go of: its
// path, and the values of the wildcards in the http.ServeMux pattern that it
// matched.
type Route struct{ *routed } // nil stands for the path "/"

type routed struct {
	path   string
	values *pathValue
}

type pathValue struct {
	name, value string
	next        *pathValue
}

// RouteOf returns the route of r. The names of the wildcards are read from the
// pattern, for net/http has no list of them.
func RouteOf(r *http.Request) Route {
	if r.URL.Path == "/" {
		return Route{}
	}
	route := Route{&routed{path: strings.Clone(r.URL.Path)}}
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
