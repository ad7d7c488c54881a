package protocol

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestCloseCodes checks for all codes whether they may travel, against the
// ranges of section 7.4.2 and the registry: 1004 is reserved, 1005, 1006 and
// 1015 are for use inside of programs, 1012 to 1014 were registered later.
func TestCloseCodes(t *testing.T) {
	travel := map[int]bool{
		1000: true, 1001: true, 1002: true, 1003: true, 1007: true, 1008: true, 1009: true,
		1010: true, 1011: true, 1012: true, 1013: true, 1014: true,
	}
	for code := range 1 << 16 {
		want := travel[code] || code >= 3000 && code <= 4999
		if got := CloseCode(code).IsSendable(); got != want {
			t.Errorf("%d.IsSendable() = %t", code, got)
		}
		_, err := parseClose([]byte{byte(code >> 8), byte(code)})
		if got := err == nil; got != want {
			t.Errorf("close frame with code %d: %v", code, err)
		}
		if got := (Close{Code: CloseCode(code)}).check() == nil; got != (want || code == 1005) {
			t.Errorf("sending code %d is allowed: %t", code, got)
		}
	}
}

func TestCloseStrings(t *testing.T) {
	for c, want := range map[Close]string{
		{Code: 1000}:                         "1000 (OK)",
		{Code: 1001, Reason: "bye"}:          "1001 (going away) bye",
		{Code: 1005}:                         "1005 (no status received [internal])",
		{Code: 1004}:                         "1004 (unknown)",
		{Code: 2999}:                         "2999 (unknown)",
		{Code: 3000}:                         "3000 (registered)",
		{Code: 3999}:                         "3999 (registered)",
		{Code: 4000}:                         "4000 (private use)",
		{Code: 4999}:                         "4999 (private use)",
		{Code: 5000}:                         "5000 (unknown)",
		{Code: 1008, Reason: "too many"}:     "1008 (policy violation) too many",
		{Code: 1015}:                         "1015 (TLS handshake failure [internal])",
		{Code: MandatoryExtension}:           "1010 (mandatory extension)",
		{Code: UnsupportedData, Reason: "x"}: "1003 (unsupported data) x",
	} {
		if got := c.String(); got != want {
			t.Errorf("%d: %q, want %q", uint16(c.Code), got, want)
		}
	}
}

// TestCloseCheck refuses what no close frame may carry.
func TestCloseCheck(t *testing.T) {
	long := strings.Repeat("x", MaxCloseReason)
	for _, c := range []Close{
		{1000, ""}, {1000, long}, {1000, long[:121] + "é"}, {NoStatusReceived, ""}, {4999, "ключ"},
	} {
		if err := c.Validate(); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	for _, tt := range []struct {
		c    Close
		want string
	}{
		{Close{0, ""}, "code 0 (unknown) must not be sent"},
		{Close{1006, ""}, "code 1006 (abnormal closure [internal]) must not be sent"},
		{Close{NoStatusReceived, "why"}, "must not be sent"}, // a reason needs a code before it
		{Close{1000, long + "x"}, "reason of 124 bytes, the most is 123"},
		{Close{1000, long[:122] + "é"}, "reason of 124 bytes, the most is 123"}, // bytes, not characters
		{Close{1000, "\xff"}, "reason is not UTF-8"},
	} {
		err := tt.c.Validate()
		if !errors.Is(err, ErrInvalidClose) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: error %v, want ErrInvalidClose with %q", tt.c, err, tt.want)
		}
	}
}

// TestParseClose reads payloads of close frames (section 5.5.1).
func TestParseClose(t *testing.T) {
	long := strings.Repeat("r", MaxCloseReason)
	for payload, want := range map[string]Close{
		"":                             {NoStatusReceived, ""},
		"\x03\xe8":                     {1000, ""},
		"\x03\xe9gone":                 {1001, "gone"},
		"\x0f\xa0" + long:              {4000, long},
		"\x03\xe8\xce\xba\xe1\xbd\xb9": {1000, "\u03ba\u1f79"},
	} {
		c, err := parseClose([]byte(payload))
		if c != want || err != nil {
			t.Errorf("payload %q: %v, %v; want %v", payload, c, err, want)
		}
		if got := string(c.appendPayload([]byte("before"))); got != "before"+payload {
			t.Errorf("%v: payload %q, want %q", c, got, payload)
		}
	}
	for payload, want := range map[string]ViolationError{
		"\x03":             {ProtocolError, "5.5.1", "close frame with half a code"},
		"\x03\xed":         {ProtocolError, "7.4", "close frame with code 1005"},
		"\x00\x00":         {ProtocolError, "7.4", "close frame with code 0"},
		"\x03\xe7bad\xff":  {ProtocolError, "7.4", "close frame with code 999"},
		"\x03\xe8\xe2\x82": {InvalidPayloadData, "5.5.1", "close frame with a reason that is not UTF-8"},
	} {
		_, err := parseClose([]byte(payload))
		var v *ViolationError
		if !errors.As(err, &v) || *v != want {
			t.Errorf("payload %q: %v, want %v", payload, err, &want)
		}
	}
}

// TestTruncateReason cuts between characters. A reason that is not UTF-8 may
// be cut anywhere; it will not be sent.
func TestTruncateReason(t *testing.T) {
	x := strings.Repeat("x", 200)
	for reason, want := range map[string]string{
		"":                            "",
		x[:123]:                       x[:123],
		x[:124]:                       x[:123],
		x[:122] + "é":                 x[:122],
		x[:121] + "é":                 x[:121] + "é",
		x[:121] + "€uro":              x[:121],
		strings.Repeat("\x80", 200):   "",
		strings.Repeat("𝄞", 50):       strings.Repeat("𝄞", 30),
		x[:120] + "𝄞":                 x[:120],
		x[:123] + "\x80\x80\x80\x80x": x[:122],
	} {
		got := truncateReason(reason)
		if got != want {
			t.Errorf("%q: %q, want %q", reason, got, want)
		}
		if utf8.ValidString(reason) && !utf8.ValidString(got) {
			t.Errorf("%q was cut inside a character: %q", reason, got)
		}
	}
}
