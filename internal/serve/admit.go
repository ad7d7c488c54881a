package serve

import (
	"net/http"
	"net/netip"
	"strconv"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// Defaults of options that only a server has.
const (
	DefaultMaxHeaderBytes = 64 << 10
	DefaultMaxURLBytes    = 8 << 10
)

// checkURL refuses a URL that is too long, whatever it is asked for.
func (s *Server[C]) checkURL(r *http.Request) error {
	most := link.Default(s.opts.MaxURLBytes, DefaultMaxURLBytes)
	if most < 0 || len(r.RequestURI) <= most {
		return nil
	}
	return &protocol.HandshakeError{
		Status:  http.StatusRequestURITooLong,
		Reason:  "URL of more than " + strconv.Itoa(most) + " bytes",
		Section: "9110, section 15.5.15",
	}
}

// unavailable refuses a client that may come again.
func unavailable(reason string) error {
	return &protocol.HandshakeError{Status: http.StatusServiceUnavailable, Reason: reason, Section: "9110, section 15.6.4"}
}

// enter admits a handshake, which leave ends, or the handler that follows it,
// which remove ends.
func (s *Server[C]) enter(r *http.Request) (from netip.Prefix, err error) {
	if s.opts.MaxConnectionsPerAddress > 0 {
		from = network(r.RemoteAddr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch most := s.opts.MaxConnections; {
	case s.closing:
		return from, unavailable("server is shutting down")
	case most > 0 && s.active >= most:
		return from, unavailable("too many connections")
	case from.IsValid() && s.from[from] >= s.opts.MaxConnectionsPerAddress:
		return from, unavailable("too many connections from this address")
	}
	s.active++
	if from.IsValid() {
		s.from[from]++
	}
	return from, nil
}

// network returns what a remote address is counted as: an IPv4 address, or the
// /64 of an IPv6 one, all of which belongs to one client as a rule. What is no
// IP address, as on a Unix socket, is not counted.
func network(remote string) netip.Prefix {
	addr, err := netip.ParseAddr(remote) // as middleware may write it
	if err != nil {
		withPort, _ := netip.ParseAddrPort(remote)
		addr = withPort.Addr()
	}
	addr = addr.Unmap().WithZone("")
	prefix, _ := addr.Prefix(min(addr.BitLen(), 64))
	return prefix
}

func (s *Server[C]) leave(from netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left(from)
}

// left counts down. s.mu is held.
func (s *Server[C]) left(from netip.Prefix) {
	s.active--
	if from.IsValid() {
		s.from[from]--
		if s.from[from] == 0 {
			delete(s.from, from)
		}
	}
	s.checkIdle()
}

// add tracks a connection. One that comes when the others were closed is closed
// as they were.
func (s *Server[C]) add(conn C, from netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[conn] = struct{}{}
	if from.IsValid() {
		s.froms[conn] = from
	}
	if s.parting {
		s.sayGoodbye(conn)
	}
}

func (s *Server[C]) remove(conn C) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.froms[conn]
	delete(s.conns, conn)
	delete(s.froms, conn)
	s.left(from)
}
