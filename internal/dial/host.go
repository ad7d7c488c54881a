package dial

import (
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
	return name + port, err
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
