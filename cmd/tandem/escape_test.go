package main

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"plain text", "Hello, world!", "Hello, world!"},
		{"other scripts", "Γειά, 世界 🎉", "Γειά, 世界 🎉"},
		{"accent of its own", "e\u0301", "e\u0301"},
		{"JSON keeps its backslashes", `{"a":"\n"}`, `{"a":"\n"}`},
		{"line breaks", "a\r\nb", `a\r\nb`},
		{"tab", "a\tb", `a\tb`},
		{"NUL and DEL", "\x00\x7f", `\x00\x7f`},
		{"clears the screen", "\x1b[2J", `\x1b[2J`},
		{"sets the window's title", "\x1b]0;pwned\a", `\x1b]0;pwned\x07`},
		{"eight-bit CSI", "\u009b2J", `\u009b2J`},
		{"turns the direction", "\u202egnp.exe", `\u202egnp.exe`},
		{"invisible", "a\u200bb\ufeff", `a\u200bb\ufeff`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"tag characters", "\U000e0041", `\U000e0041`},
		{"private use", "\ue000", `\ue000`},
		{"invalid bytes", "a\xff\xc0b", `a\xff\xc0b`},
		{"half a character", "\xe4\xb8", `\xe4\xb8`},
		{"an eight-bit CSI that is no UTF-8", "\x9b2J", `\x9b2J`},
		{"a real replacement character", "\ufffd\x01", "\ufffd\\x01"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := escape(test.in); got != test.want {
				t.Errorf("escape(%+q) is %+q, want %+q", test.in, got, test.want)
			}
		})
	}
}

// FuzzEscape: whatever comes, nothing reaches the terminal that it would obey,
// and what needs no escaping stays.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[2J\r\n", "\xff\xfe", "\u202e\u009b", "\ufffd\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escape(s)
		if !utf8.ValidString(got) {
			t.Errorf("escape(%+q) is %+q, which is not UTF-8", s, got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) }); i >= 0 {
			t.Errorf("escape(%+q) is %+q, with something to obey at %d", s, got, i)
		}
		if escape(got) != got {
			t.Errorf("escape(%+q) is %+q, which has something to escape", s, got)
		}
		if isGraphic(s) && got != s {
			t.Errorf("escape(%+q) is %+q, but there was nothing to escape", s, got)
		}
	})
}
