package protocol

import "unicode/utf8"

// utf8Validator checks UTF-8 that arrives in pieces (RFC 6455, section 8.1)
// and fails at the first byte that no valid text could contain there, even if
// the rest of its character has not arrived.
type utf8Validator struct {
	partial [utf8.UTFMax]byte // the beginning of a character that a piece ended in
	n       int8              // how many bytes of it
}

// write checks the next piece and reports whether the text can still be valid.
func (v *utf8Validator) write(p []byte) bool {
	for v.n > 0 && len(p) > 0 {
		v.partial[v.n] = p[0]
		v.n++
		p = p[1:]
		if utf8.FullRune(v.partial[:v.n]) {
			// FullRune also holds for what can never become a character.
			if r, size := utf8.DecodeRune(v.partial[:v.n]); r == utf8.RuneError && size == 1 {
				return false
			}
			v.n = 0
		}
	}
	tail := incompleteSuffix(p)
	v.n += int8(copy(v.partial[v.n:], p[len(p)-tail:]))
	return utf8.Valid(p[:len(p)-tail])
}

// complete reports whether the text may end here: not inside a character.
func (v *utf8Validator) complete() bool { return v.n == 0 }

func (v *utf8Validator) reset() { v.n = 0 }

// incompleteSuffix returns how many bytes at the end of p begin a character
// that needs more of them.
func incompleteSuffix(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if b := p[len(p)-n]; utf8.RuneStart(b) {
			if utf8.FullRune(p[len(p)-n:]) {
				return 0
			}
			return n
		}
	}
	return 0
}
