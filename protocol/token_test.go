package protocol

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestHeaderValues finds a field in both spellings: that of net/http, which
// has what was received, and that of the RFC, which our own requests have.
func TestHeaderValues(t *testing.T) {
	for _, tt := range []struct {
		header http.Header
		name   string
		want   []string
	}{
		{nil, "Sec-WebSocket-Key", nil},
		{http.Header{"Sec-Websocket-Key": {"a"}}, "Sec-WebSocket-Key", []string{"a"}},
		{http.Header{"Sec-WebSocket-Key": {"a"}}, "Sec-WebSocket-Key", []string{"a"}},
		{http.Header{"Sec-WebSocket-Key": {"a"}}, "Sec-Websocket-Key", []string{"a"}},
		{http.Header{"Sec-WebSocket-Key": {"a"}}, "sec-websocket-key", []string{"a"}},
		{http.Header{"Sec-Websocket-Key": {"a"}, "Sec-WebSocket-Key": {"b"}}, "Sec-WebSocket-Key", []string{"a", "b"}},
		{http.Header{"Upgrade": {"a", "b"}}, "upgrade", []string{"a", "b"}},
		{http.Header{"Sec-Websocket-Key": {"a"}}, "Upgrade", nil},
	} {
		if got := HeaderValues(tt.header, tt.name); !slices.Equal(got, tt.want) {
			t.Errorf("%s in %v: %q, want %q", tt.name, tt.header, got, tt.want)
		}
	}
	// The result must not grow into the header's memory.
	h := http.Header{"Sec-Websocket-Key": append(make([]string, 0, 4), "a"), "Sec-WebSocket-Key": {"b"}}
	if HeaderValues(h, "Sec-WebSocket-Key"); h["Sec-Websocket-Key"][:2][1] != "" {
		t.Error("HeaderValues wrote behind the header's slice")
	}
}

// TestTokenBytes compares with the list of RFC 9110, section 5.6.2.
func TestTokenBytes(t *testing.T) {
	const tchars = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for b := range 256 {
		if got, want := isTokenByte(byte(b)), strings.IndexByte(tchars, byte(b)) >= 0; got != want {
			t.Errorf("byte %q in a token: %t", rune(b), got)
		}
	}
	for s, want := range map[string]bool{"": false, "a": true, "graphql-ws": true, "a b": false, "a,b": false, " a": false, "é": false} {
		if got := isToken(s); got != want {
			t.Errorf("%q is a token: %t", s, got)
		}
	}
}

func TestListContains(t *testing.T) {
	for _, tt := range []struct {
		values string // lines, with | between them
		want   bool
	}{
		{"upgrade", true},
		{"Upgrade", true},
		{"UPGRADE", true},
		{"keep-alive, Upgrade", true},
		{"keep-alive,Upgrade,foo", true},
		{"\t Upgrade \t", true},
		{",, ,upgrade", true},
		{"keep-alive|foo, upgrade", true},
		{"this is no list, upgrade", true}, // what others broke is for others
		{"", false},
		{"keep-alive", false},
		{"upgrades", false},
		{"up grade", false},
		{"upgrade/1", false},
		{`"upgrade"`, false},
		{"up|grade", false},
		{"upgra\u0111e", false},
	} {
		if got := listContains(strings.Split(tt.values, "|"), "upgrade"); got != tt.want {
			t.Errorf("%q contains upgrade: %t", tt.values, got)
		}
	}
	for _, other := range []string{"upgrada", "vpgrade", "up7rade", "u\x10grade"} { // as long as the token
		if listContains([]string{other}, "upgrade") {
			t.Errorf("%q is taken for upgrade", other)
		}
	}
	if !equalFoldASCII("aAzZ", "AazZ") || !equalFoldASCII("Zz", "zZ") {
		t.Error("letters were not folded")
	}
	if equalFoldASCII("[@", "{`") { // they differ by the bit that makes letters small
		t.Error("signs were folded")
	}
	// Unicode takes the Kelvin sign for a k and the long s for an s; the RFC
	// wants ASCII letters compared.
	if listContains([]string{"web\u017focket", "websoc\u212aet"}, "websocket") {
		t.Error("letters beyond ASCII were folded")
	}
}

func TestParseTokens(t *testing.T) {
	for values, want := range map[string]string{
		"chat":                      "chat",
		"chat, superchat":           "chat superchat",
		"a|b":                       "a b",
		"a,|,b":                     "a b",
		" , a,,\t, b , ":            "a b",
		"|a":                        "a",
		"":                          "error: nothing in it",
		",":                         "error: nothing in it",
		" | ,":                      "error: nothing in it",
		"a b":                       "error: expected a comma at byte 2",
		"a;b":                       "error: expected a comma at byte 1",
		`"a"`:                       "error: expected a token at byte 0",
		"a, (b)":                    "error: expected a token at byte 3",
		"a,\xffb":                   "error: expected a token at byte 2",
		strings.Repeat("a,", 128):   strings.TrimSpace(strings.Repeat("a ", 128)),
		strings.Repeat("a,", 129):   "error: more than 128 elements",
		strings.Repeat("a|", 129):   "error: more than 128 elements", // over all lines
		strings.Repeat(",", 1<<16):  "error: nothing in it",
		strings.Repeat("| ", 1<<10): "error: nothing in it",
	} {
		tokens, err := parseTokens(strings.Split(values, "|"))
		got := strings.Join(tokens, " ")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%.40q: %.60q, want %.60q", values, got, want)
		}
	}
}

// TestLinear counts the work of a scan, by way of a header of a megabyte that
// makes each part of the grammar look far ahead: if it were quadratic, this
// test would not end.
func TestLinear(t *testing.T) {
	const size = 1 << 20
	for _, value := range []string{
		strings.Repeat("a", size),
		strings.Repeat(",", size),
		strings.Repeat(" ", size),
		strings.Repeat("a ", size/2),
		"a" + strings.Repeat(" ", size),
		"a;" + strings.Repeat(" ", size),
		"a;b=" + strings.Repeat(" ", size),
		`a;b="` + strings.Repeat("c", size),
		`a;b="` + strings.Repeat(`\c`, size/2) + `"`,
		`a;b="` + strings.Repeat(`\`, size),
		strings.Repeat(`a;b="`, size/5),
		strings.Repeat("a;", size/2),
		strings.Repeat("a;b=c;", size/6),
		strings.Repeat("a,", size/2),
	} {
		list, err := ParseExtensions([]string{value})
		if len(list) > maxListElements {
			t.Errorf("%.20q...: %d extensions", value, len(list))
		}
		if err != nil && (!errors.Is(err, ErrExtension) || len(err.Error()) > 200) {
			t.Errorf("%.20q...: error %.300v", value, err)
		}
		_, _ = parseTokens([]string{value})
		_ = listContains([]string{value}, "upgrade")
	}
}
