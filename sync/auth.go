package sync

import (
	"net/http"

	"github.com/tandemws/tandem/internal/serve"
)

// BasicAuth returns a function for ProcessRequest in [ServerOptions] that asks
// for user name and password (RFC 7617). A request without the right ones is
// answered with status 401 and the realm, which browsers show; for the others
// [ServerConn.Username] has the user name. Only TLS keeps the password secret.
//
// check is called concurrently. It should take the same time whether or not
// there is such a user; [Credentials] does. BasicAuth panics if it is nil.
func BasicAuth(realm string, check func(r *http.Request, username, password string) bool) func(http.ResponseWriter, *http.Request) *http.Request {
	return serve.BasicAuth(realm, check)
}

// Credentials returns a check for [BasicAuth] that knows the passwords by user
// name, which it copies. Comparing takes the same time whatever the user name
// and the password.
func Credentials(passwords map[string]string) func(r *http.Request, username, password string) bool {
	return serve.Credentials(passwords)
}
