package dial

import (
	"errors"
	"net"
	"strings"

	"golang.org/x/net/idna"
)

// asciiHost returns a host, with or without a port, as it goes into requests,
// certificates and look-ups: names with characters beyond ASCII in Punycode
// (RFC 5891).
func asciiHost(host string) (string, error) {
	if isASCII(host) {
		return host, nil
	}
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && net.ParseIP(host) == nil {
		name, port = host[:i], host[i:]
	}
	name, err := idna.Lookup.ToASCII(name)
	if err == nil && name == "" {
		err = errNoName // an empty one would be this machine's
	}
	return name + port, err
}

// errNoName: a name has nothing but characters that are not seen.
var errNoName = errors.New("nothing is left of it in ASCII")

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
