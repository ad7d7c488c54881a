package serve

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tandemws/tandem/internal/link"
)

// Opening returns what the connection remembers of its opening handshake: the rest
// is let go of when the options say so.
func (up *Upgraded) Opening() *link.Opening { return up.opening().Keep() }

// OpeningInContext is Opening with the values of the request's context.
func (up *Upgraded) OpeningInContext() *link.Opening {
	o := up.opening()
	o.Context = up.context()
	return o.Keep()
}

func (up *Upgraded) opening() link.Opening {
	o := link.Opening{Subprotocol: up.Agreement.Subprotocol}
	setRoute(&o, up.Request)
	if !up.DiscardRequest {
		o.Response = up.response()
	}
	return o
}

// setRoute notes the path of r, the values of the wildcards in the http.ServeMux
// pattern that it matched, and who has sent it. The names of the wildcards are
// read from the pattern, for net/http has no list of them.
func setRoute(o *link.Opening, r *http.Request) {
	o.Username = strings.Clone(usernameOf(r))
	if o.Path = "/"; r.URL.Path != "/" {
		o.Path = strings.Clone(r.URL.Path)
	}
	for segment := range strings.SplitSeq(r.Pattern, "/") {
		name, ok := wildcard(segment)
		if !ok {
			continue
		}
		if value := r.PathValue(name); value != "" {
			o.Values = &link.PathValue{Name: strings.Clone(name), Value: strings.Clone(value), Next: o.Values}
		}
	}
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
	s.mux.Handle(pattern, routed(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, handle) }))
	return nil
}

// routed is the handler of a pattern. Its type tells it from those that
// http.ServeMux has for what matches none, and for what it would redirect.
type routed func(http.ResponseWriter, *http.Request)

func (h routed) ServeHTTP(w http.ResponseWriter, r *http.Request) { h(w, r) }

// route has a request answered by its route. One that has none, or that would be
// redirected to one, may be the fallback's, or a hook's.
func (s *Server[C]) route(w http.ResponseWriter, r *http.Request) {
	if h, _ := s.mux.Handler(r); !isRouted(h) {
		s.answer(w, r, nil)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func isRouted(h http.Handler) (yes bool) {
	_, yes = h.(routed)
	return yes
}
