package dial

import (
	"net/http"
	"strings"
)

// addCookies adds the jar's cookies to those that the request has. All of them
// go into one field (RFC 6265, section 5.4).
func addCookies(req *http.Request, jar http.CookieJar) {
	cookies := jar.Cookies(req.URL)
	if len(cookies) == 0 {
		return
	}
	var pairs []string
	for name, values := range req.Header {
		if strings.EqualFold(name, "Cookie") {
			pairs = append(pairs, values...)
			delete(req.Header, name)
		}
	}
	for _, c := range cookies {
		pair := http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted}
		pairs = append(pairs, pair.String())
	}
	req.Header["Cookie"] = []string{strings.Join(pairs, "; ")}
}
