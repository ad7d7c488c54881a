package dial

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// defaultMaxRedirects is how many redirects are followed, as in Python's
// websockets.
const defaultMaxRedirects = 10

// isRedirect reports whether a response leads elsewhere (RFC 9110, section
// 15.4). 304 and 305 do not.
func isRedirect(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMultipleChoices, http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return resp.Header.Get("Location") != ""
	}
	return false
}

func (j *journey) maxRedirects() int { return link.Default(j.opts.MaxRedirects, defaultMaxRedirects) }

// follow takes the journey to where the server says, or tells why it does not.
func (j *journey) follow(refused *protocol.InvalidStatusError) error {
	location := refused.Response.Header.Get("Location")
	failed := &protocol.RedirectError{Status: refused}
	target, err := redirectTarget(j.url, location)
	if err != nil {
		failed.Location, failed.Reason, failed.Err = withoutUser(location), "that is no URL of a server", err
		return failed
	}
	failed.Location = target.Redacted()
	if failed.Reason = j.obstacle(target); failed.Reason != "" {
		return failed
	}
	j.redirects++
	j.move(target)
	if failed.Err = j.prepare(); failed.Err != nil {
		failed.Reason = "that is no URL of a server"
		return failed
	}
	return nil
}

// withoutUser removes what may be a password from what cannot be read as a URL.
func withoutUser(location string) string {
	if i := strings.LastIndexByte(location, '@'); i >= 0 {
		return "xxxxx" + location[i:] // as url.URL.Redacted has it
	}
	return location
}

// redirectTarget resolves a Location. Its fragment is for a browser.
func redirectTarget(from *url.URL, location string) (*url.URL, error) {
	to, err := parseURL(location)
	if err != nil {
		return nil, err
	}
	target := from.ResolveReference(to)
	target.Fragment, target.RawFragment = "", ""
	if target.User == nil && sameOrigin(from, target) {
		target.User = from.User
	}
	return target, nil
}

// obstacle returns why the target is not to be connected to, or "".
func (j *journey) obstacle(target *url.URL) (reason string) {
	limit := j.maxRedirects()
	elsewhere := !sameOrigin(j.url, target)
	switch {
	case j.redirects >= limit:
		return fmt.Sprintf("%d redirects came before it", limit)
	case isSecure(j.url) && !isSecure(target):
		return "it would do without TLS"
	case j.opts.UnixSocket != "" && elsewhere:
		return "it is another server, and there is a Unix socket for this one"
	case j.opts.NetConn != nil && elsewhere:
		return "it is another server, and the connection to this one was given"
	case j.opts.NetConn != nil && j.kept == nil:
		return "the connection that was given has ended with this answer"
	}
	return ""
}

// move goes to the target. To another origin goes nothing that lets us in
// here, and it does not come back if a redirect leads back. A server that has led
// us on knows our password; there it may want it proved anew.
func (j *journey) move(target *url.URL) {
	if !sameOrigin(j.url, target) {
		j.offer.Host = ""
		j.offer.Header = withoutCredentials(j.offer.Header)
		j.user, j.digest = nil, nil
	}
	if j.digest != nil {
		j.digest.proven = true
	}
	j.url = target
}

// withoutCredentials returns a copy of the header for strangers.
func withoutCredentials(header http.Header) http.Header {
	kept := header.Clone()
	for name := range header {
		switch http.CanonicalHeaderKey(name) {
		case "Authorization", "Proxy-Authorization", "Cookie", "Cookie2", "Www-Authenticate":
			delete(kept, name)
		}
	}
	return kept
}

// sameOrigin compares scheme, host and port (RFC 6454, section 5).
func sameOrigin(a, b *url.URL) bool {
	return isSecure(a) == isSecure(b) && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func isSecure(u *url.URL) bool { return u.Scheme == "wss" || u.Scheme == "https" }

func portOf(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case isSecure(u):
		return "443"
	}
	return "80"
}
