package serve

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// BasicAuth returns a hook for Options.ProcessRequest that asks for user name
// and password (RFC 7617).
func BasicAuth(realm string, check func(r *http.Request, username, password string) bool) func(http.ResponseWriter, *http.Request) *http.Request {
	if check == nil {
		panic("websocket: BasicAuth without a function that checks")
	}
	challenge := `Basic realm="` + quotedPair.Replace(realm) + `", charset="UTF-8"`
	return func(w http.ResponseWriter, r *http.Request) *http.Request {
		username, password, ok := r.BasicAuth()
		if ok && check(r, username, password) {
			return r.WithContext(context.WithValue(r.Context(), usernameKey{}, username))
		}
		declineBody(w, r)
		w.Header().Set("WWW-Authenticate", challenge)
		http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
		return nil
	}
}

// quotedPair escapes what would end a quoted string (RFC 9110, section 5.6.4).
var quotedPair = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

type usernameKey struct{}

// usernameOf returns the user name that BasicAuth has checked, "" if none was.
func usernameOf(r *http.Request) string {
	name, _ := r.Context().Value(usernameKey{}).(string)
	return name
}

// Credentials returns a check for BasicAuth: passwords by user name. It takes
// the same time whatever the user name and the password, so that neither can be
// found by measuring. Hashes are compared because they have all the same length.
func Credentials(passwords map[string]string) func(r *http.Request, username, password string) bool {
	type hashed struct{ username, password [sha256.Size]byte }
	known := make([]hashed, 0, len(passwords))
	for username, password := range passwords {
		known = append(known, hashed{sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))})
	}
	return func(_ *http.Request, username, password string) bool {
		u, p := sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))
		found := 0
		for i := range known {
			found |= subtle.ConstantTimeCompare(u[:], known[i].username[:]) & subtle.ConstantTimeCompare(p[:], known[i].password[:])
		}
		return found == 1
	}
}
