package protocol

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// targetURL returns the URL of the request: that of the HTTP resource, without
// credentials, which must not turn up in logs.
func targetURL(u *url.URL) (*url.URL, error) {
	if reason := checkURL(u); reason != "" {
		return nil, localError("3", reason, ErrURL)
	}
	scheme := "http"
	if isSecure(u.Scheme) {
		scheme = "https"
	}
	return &url.URL{
		Scheme:   scheme,
		Host:     strings.TrimSuffix(lowerName(u.Host), ":"),
		Path:     u.Path,
		RawPath:  u.RawPath,
		RawQuery: escapeQuery(u.RawQuery), // no question mark for an empty one (section 3)
	}, nil
}

// lowerName returns a host in lower case but for a zone, which names an interface of
// this machine (RFC 4007, section 11.2).
func lowerName(host string) string {
	name, zone, zoned := strings.Cut(host, "%")
	if name = strings.ToLower(name); zoned {
		name += "%" + zone
	}
	return name
}

func isSecure(scheme string) bool { return scheme == "wss" || scheme == "https" }

// checkURL returns what is wrong with the URL of a WebSocket server, or "".
// Much of it net/url lets nobody write; but a URL can be put together by hand.
func checkURL(u *url.URL) (reason string) {
	switch {
	case u == nil:
		return "no URL"
	case !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme):
		return "scheme " + quote(u.Scheme) + " instead of ws or wss"
	case u.Opaque != "" || u.Hostname() == "" || !isHost(u.Host):
		return "no host in " + quote(u.Redacted())
	case u.Fragment != "" || u.RawFragment != "":
		return "fragment in " + quote(u.Redacted())
	case u.Path != "" && u.Path[0] != '/':
		return "path " + quote(u.Path) + " does not begin with a slash"
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "port " + quote(port)
		}
	}
	return ""
}

// isHost reports whether s has nothing in it that ends a host or a header line
// (RFC 3986, section 3.2). Characters beyond ASCII are left to those who can
// turn the name into Punycode, net/http among them.
func isHost(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`/?#@\<>"^`+"`{|}", r)
	})
}

// hostHeader returns host and port of the URL, the port only if it is not the
// default (section 4.1, point 4).
func hostHeader(u *url.URL) string {
	port := u.Port()
	if port == "" || port == defaultPort(u.Scheme) {
		return strings.TrimSuffix(u.Host, ":"+port)
	}
	return u.Host
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// escapeQuery escapes what a request line cannot hold: spaces, control and
// non-ASCII characters, which url.Parse leaves in a query as they are, and the
// sign before a fragment.
func escapeQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || c == '#' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
