package dial

import "strings"

// A challenge is one of those in a WWW-Authenticate header, or a proxy's
// Proxy-Authenticate (RFC 9110, section 11.3).
type challenge struct {
	scheme string
	params map[string]string // by their names in lower case
}

// challengesIn reads those of all lines of a header.
func challengesIn(lines []string) (list []challenge) {
	for _, line := range lines {
		list = append(list, parseChallenges(line)...)
	}
	return list
}

// parseChallenges reads the challenges of one line, up to something that is
// none. What is not understood on the way is no parameter that we ask for.
func parseChallenges(line string) (list []challenge) {
	s := scanner{line}
	for {
		s.skip(" \t,")
		name := s.until(" \t,=\"")
		if name == "" {
			return list
		}
		s.skip(" \t")
		if !s.next('=') {
			list = append(list, challenge{name, make(map[string]string)})
			continue
		}
		s.skip(" \t")
		value, ok := s.value()
		if !ok || len(list) == 0 {
			return list
		}
		params := list[len(list)-1].params
		if name = strings.ToLower(name); params[name] == "" {
			params[name] = value // a second one could be an attempt at confusion
		}
	}
}

// A scanner holds what was not read yet.
type scanner struct{ rest string }

func (s *scanner) skip(chars string) { s.rest = strings.TrimLeft(s.rest, chars) }

// until reads up to one of the characters, or all.
func (s *scanner) until(chars string) (piece string) {
	i := strings.IndexAny(s.rest, chars)
	if i < 0 {
		i = len(s.rest)
	}
	piece, s.rest = s.rest[:i], s.rest[i:]
	return piece
}

// next reads c if it comes next.
func (s *scanner) next(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// value reads a token or a quoted string, whose end has to be there.
func (s *scanner) value() (value string, ok bool) {
	if !s.next('"') {
		return s.until(" \t,"), true
	}
	var b strings.Builder
	for {
		b.WriteString(s.until(`"\`))
		switch {
		case s.rest == "":
			return "", false
		case s.next('"'):
			return b.String(), true
		}
		s.next('\\')
		if s.rest != "" {
			b.WriteByte(s.rest[0])
			s.rest = s.rest[1:]
		}
	}
}
