package protocol

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	anyOrigin  = "*"
	nullOrigin = "null" // of a page that has none (RFC 6454, section 6.2)
)

// checkOrigin refuses browsers that connect for a page of another origin,
// unless it is allowed (RFC 6455, sections 4.2.2, point 4, and 10.2). Nothing
// else would stop such a page: browsers hold no WebSocket back, and they send
// the user's cookies along.
func (a *Acceptor) checkOrigin(r *http.Request) error {
	values := HeaderValues(r.Header, "Origin")
	switch {
	case len(values) == 0: // not a browser (section 4.2.1, point 7)
		return nil
	case len(values) > 1:
		e := badRequest("several Origin headers")
		e.Section = "6454, section 7.3"
		return e
	case a.allowsOrigin(r, trimSpace(values[0])):
		return nil
	}
	e := clientError(http.StatusForbidden, "origin "+quote(values[0])+" is not allowed", ErrOrigin)
	e.Section = "10.2"
	return e
}

func (a *Acceptor) allowsOrigin(r *http.Request, value string) bool {
	from, ok := parseOrigin(value)
	if ok && from.isOf(r) {
		return true
	}
	for _, allowed := range a.Origins {
		if allowed == anyOrigin || allowed == nullOrigin && value == nullOrigin {
			return true
		}
		if pattern, valid := parseOriginPattern(allowed); ok && valid && pattern.matches(from) {
			return true
		}
	}
	return false
}

// An originPattern stands for one origin, or for those of all subdomains, on
// one port or on all.
type originPattern struct {
	origin          // of the domain above, if it is about subdomains
	subdomains bool // "*." before the host
	anyPort    bool // ":*" behind it
}

// parseOriginPattern reads an entry of Acceptor.Origins. A "*" anywhere else
// than in these two places is an error: it would look as if it did something.
func parseOriginPattern(s string) (p originPattern, ok bool) {
	s, p.anyPort = strings.CutSuffix(s, ":*")
	scheme, host, _ := strings.Cut(s, "://")
	if rest, cut := strings.CutPrefix(host, "*."); cut {
		p.subdomains, s = true, scheme+"://"+rest
	}
	p.origin, ok = parseOrigin(s)
	return p, ok && !strings.Contains(s, "*") && !strings.HasPrefix(p.host, ".")
}

func (p originPattern) matches(from origin) bool {
	if p.scheme != from.scheme || !p.anyPort && p.port != from.port {
		return false
	}
	if !p.subdomains {
		return p.host == from.host
	}
	labels, ok := strings.CutSuffix(from.host, "."+p.host)
	return ok && !slices.Contains(strings.Split(labels, "."), "")
}

// An origin is where a web page comes from (RFC 6454, section 4). Two origins
// are the same if they are equal (section 5).
type origin struct {
	scheme, host string // in lower case
	port         string // that of the scheme if none was given
}

// parseOrigin reads a serialized origin (RFC 6454, section 6.2). It is in ASCII:
// browsers send the Punycode of other names, so these could match nothing but
// what merely folds to ASCII.
func parseOrigin(s string) (o origin, ok bool) {
	scheme, authority, found := strings.Cut(strings.ToLower(s), "://")
	if !found || !isASCII(s) || !isScheme(scheme) || !isHost(authority) {
		return origin{}, false
	}
	o = newOrigin(scheme, authority)
	literal := strings.HasPrefix(authority, "[") // an IPv6 address
	return o, o.host != "" && !strings.ContainsAny(o.host, "[]") && (literal || !strings.Contains(o.host, ":"))
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// newOrigin splits an authority in lower case into host and port. What is no
// port it leaves in the host.
func newOrigin(scheme, authority string) origin {
	u := url.URL{Host: authority}
	o := origin{scheme: scheme, host: u.Hostname(), port: u.Port()}
	if o.port == "" {
		o.port = defaultPort(scheme)
	}
	return o
}

// isScheme reports whether s, in lower case, is a URL scheme (RFC 3986,
// section 3.1). Browser extensions and apps have schemes of their own.
func isScheme(s string) bool {
	return s != "" && s[0] >= 'a' && s[0] <= 'z' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("+-.", r)
	})
}

// isOf reports whether a page of this origin comes from the server that r was
// sent to. Without TLS of our own we cannot tell the scheme, for a proxy may
// have ended it, unless whoever knows the proxy has set it in the URL. With it,
// a page that came over plain HTTP is another's.
func (o origin) isOf(r *http.Request) bool {
	secure := r.TLS != nil || r.URL != nil && r.URL.Scheme == "https"
	if o.scheme != "https" && (o.scheme != "http" || secure) {
		return false
	}
	return o == newOrigin(o.scheme, strings.ToLower(r.Host))
}
