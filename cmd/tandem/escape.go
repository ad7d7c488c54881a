package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape makes what a peer sent fit for a terminal, on one line. A terminal
// obeys control characters: they move the cursor, rename the window and, on
// some, type commands. So everything that is not graphic or a plain space
// (controls, invisible formatting such as that which turns the direction of
// text, invalid bytes) is written as Go writes it in a string: \n, \x1b,
// \u202e. A line break is escaped too, lest a message look like two. A
// backslash stays as it is, for it is harmless and JSON has many.
func escape(s string) string {
	if isGraphic(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError {
			r = invalidAt(s[i:])
		}
		writeEscaped(&b, r)
	}
	return b.String()
}

func isGraphic(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }) < 0
}

// invalidAt returns what a RuneError at the start of s stands for: itself if s
// has that character, else the invalid byte as a negative number.
func invalidAt(s string) rune {
	if _, size := utf8.DecodeRuneInString(s); size > 1 {
		return utf8.RuneError
	}
	return -rune(s[0])
}

func writeEscaped(b *strings.Builder, r rune) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < 0:
		fmt.Fprintf(b, `\x%02x`, -r)
	case unicode.IsGraphic(r):
		b.WriteRune(r)
	case r < utf8.RuneSelf:
		fmt.Fprintf(b, `\x%02x`, r)
	case r <= 0xffff:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}
