package protocol

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestParseExtensions(t *testing.T) {
	for values, want := range map[string][]ExtensionHeader{
		"foo":                       {{Name: "foo"}},
		"foo, bar":                  {{Name: "foo"}, {Name: "bar"}},
		"foo|bar; baz=2":            {{Name: "foo"}, {Name: "bar", Params: []Param{{"baz", "2"}}}}, // section 9.1
		"foo,, ,bar,":               {{Name: "foo"}, {Name: "bar"}},
		"deflate-stream":            {{Name: "deflate-stream"}},
		"mux; max-channels=4; flow": {{"mux", []Param{{"max-channels", "4"}, {"flow", ""}}}},
		`private-extension;a="b"`:   {{"private-extension", []Param{{"a", "b"}}}},
		`x;a="\b\c\~"`:              {{"x", []Param{{"a", "bc~"}}}},
		" x \t; a = b ;c\t":         {{"x", []Param{{"a", "b"}, {"c", ""}}}},
		"x; a; a=1":                 {{"x", []Param{{"a", ""}, {"a", "1"}}}}, // for the extension to refuse
		"permessage-deflate; client_max_window_bits, permessage-deflate": {
			{"permessage-deflate", []Param{{"client_max_window_bits", ""}}}, {Name: "permessage-deflate"}},
	} {
		got, err := ParseExtensions(strings.Split(values, "|"))
		if !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("%q: %+v, %v; want %+v", values, got, err, want)
		}
		text, err := FormatExtensions(got)
		if again, _ := ParseExtensions([]string{text}); !reflect.DeepEqual(again, want) || err != nil {
			t.Errorf("%q: formatted as %q (%v), which is %+v", values, text, err, again)
		}
	}
	if got, err := ParseExtensions(nil); got != nil || err != nil {
		t.Errorf("no header: %v, %v", got, err)
	}
}

// TestParseExtensionsMalformed refuses what the grammar of section 9.1 does
// not allow, as that section demands.
func TestParseExtensionsMalformed(t *testing.T) {
	for values, want := range map[string]string{
		"":                                     "nothing in it",
		" ,|,":                                 "nothing in it",
		";":                                    "expected a token at byte 0",
		"=":                                    "expected a token at byte 0",
		`"x"`:                                  "expected a token at byte 0",
		"x y":                                  "expected a comma at byte 2",
		"x=1":                                  "expected a comma at byte 1",
		"x;":                                   "expected a token at byte 2",
		"x; ,y":                                "expected a token at byte 3",
		"x;a=":                                 "expected a token at byte 4",
		"x;a=,y":                               "expected a token at byte 4",
		"x;a==":                                "expected a token at byte 4",
		"x;a=b c":                              "expected a comma at byte 6",
		`x;a=""`:                               "expected a token between the quotes at byte 6",
		`x;a="`:                                "expected a token between the quotes at byte 5",
		`x;a="b`:                               "expected a token between the quotes at byte 6",
		`x;a="b\`:                              "expected a token between the quotes at byte 7",
		`x;a="b\"`:                             "expected a token between the quotes at byte 7",
		`x;a="b c"`:                            "expected a token between the quotes at byte 6",
		`x;a="b,c"`:                            "expected a token between the quotes at byte 6",
		`x;a="b"c`:                             "expected a comma at byte 7",
		"x|y y":                                "expected a comma at byte 2",
		"x" + strings.Repeat(";a", 128) + ";a": "more than 128 elements at byte 259",
		strings.Repeat("x,", 129):              "more than 128 elements",
	} {
		_, err := ParseExtensions(strings.Split(values, "|"))
		var he *HandshakeError
		if !errors.As(err, &he) || he.Local || he.Status != http.StatusBadRequest || he.Section != "9.1" || !errors.Is(err, ErrExtension) {
			t.Errorf("%.40q: %v, want a HandshakeError with ErrExtension", values, err)
			continue
		}
		if got := strings.TrimPrefix(he.Reason, "malformed Sec-WebSocket-Extensions header: "); got != want {
			t.Errorf("%.40q: %q, want %q", values, got, want)
		}
	}
	// At the bound itself nothing is wrong.
	if _, err := ParseExtensions([]string{"x" + strings.Repeat(";a", 128)}); err != nil {
		t.Errorf("128 parameters: %v", err)
	}
	if _, err := ParseExtensions([]string{strings.Repeat("x,", 128)}); err != nil {
		t.Errorf("128 extensions: %v", err)
	}
}

func TestFormatExtensions(t *testing.T) {
	got, err := FormatExtensions([]ExtensionHeader{{"a", []Param{{"b", ""}, {"c", "1"}}}, {Name: "d"}})
	if got != "a; b; c=1, d" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := FormatExtensions(nil); got != "" || err != nil {
		t.Errorf("no extensions: %q, %v", got, err)
	}
	for _, ext := range []ExtensionHeader{
		{}, {Name: "a b"}, {Name: "a\r\nX: y"}, {"a", []Param{{"", ""}}}, {"a", []Param{{"b", ""}, {"c,", ""}}}, {"a", []Param{{"b", "c d"}}},
	} {
		_, err := FormatExtensions([]ExtensionHeader{{Name: "fine"}, ext})
		var he *HandshakeError
		if !errors.As(err, &he) || !he.Local || !errors.Is(err, ErrExtension) {
			t.Errorf("%+v: %v, want a local HandshakeError with ErrExtension", ext, err)
		}
	}
}
