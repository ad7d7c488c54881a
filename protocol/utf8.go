package protocol

import "unicode/utf8"

// A UTF8Validator checks UTF-8 that comes in pieces (RFC 6455, section 8.1)
// and fails at the first byte that no valid text could contain there, even if
// the rest of its character has not come. The zero value is for a new text.
type UTF8Validator struct {
	partial [utf8.UTFMax]byte // the beginning of a character that a piece ended in
	n       int8              // how many bytes of it
}

// Write checks the next piece and reports whether the text can still be valid.
// Once it cannot, only Reset makes the validator usable again.
func (v *UTF8Validator) Write(p []byte) (ok bool) {
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

// Complete reports whether the text may end here: not inside a character.
func (v *UTF8Validator) Complete() bool { return v.n == 0 }

// Reset makes v a validator for a new text.
func (v *UTF8Validator) Reset() { v.n = 0 }

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
