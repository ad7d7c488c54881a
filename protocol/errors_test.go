package protocol

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestCloseError tells the story of each way to end, and in which class it is:
// normal only if a close frame with 1000, 1001 or no code went each way.
func TestCloseError(t *testing.T) {
	ok, away, none := &Close{1000, ""}, &Close{1001, "bye"}, &Close{Code: NoStatusReceived}
	policy := &Close{1008, "no"}
	for _, tt := range []struct {
		err    CloseError
		normal bool
		code   CloseCode
		reason string
		text   string
	}{
		{CloseError{}, false, 1006, "", "no close frame received or sent"},
		{CloseError{Err: io.EOF}, false, 1006, "", "no close frame received or sent: EOF"},
		{CloseError{Sent: ok}, false, 1006, "", "sent 1000 (OK); no close frame received"},
		{CloseError{Rcvd: away}, false, 1001, "bye", "received 1001 (going away) bye; no close frame sent"},
		{CloseError{Rcvd: ok, Sent: ok}, true, 1000, "", "sent 1000 (OK); then received 1000 (OK)"},
		{CloseError{Rcvd: away, Sent: away, RcvdThenSent: true}, true, 1001, "bye",
			"received 1001 (going away) bye; then sent 1001 (going away) bye"},
		{CloseError{Rcvd: none, Sent: none, RcvdThenSent: true}, true, 1005, "",
			"received 1005 (no status received [internal]); then sent 1005 (no status received [internal])"},
		{CloseError{Rcvd: policy, Sent: policy, RcvdThenSent: true}, false, 1008, "no",
			"received 1008 (policy violation) no; then sent 1008 (policy violation) no"},
		{CloseError{Rcvd: ok, Sent: policy}, false, 1000, "", "sent 1008 (policy violation) no; then received 1000 (OK)"},
		{CloseError{Rcvd: policy, Sent: ok}, false, 1008, "no", "sent 1000 (OK); then received 1008 (policy violation) no"},
	} {
		err := fmt.Errorf("wrapped: %w", &tt.err)
		if want := "wrapped: websocket: " + tt.text; err.Error() != want {
			t.Errorf("text %q, want %q", err, want)
		}
		var ce *CloseError
		if !errors.As(err, &ce) || ce.Code() != tt.code || ce.Reason() != tt.reason {
			t.Errorf("%s: code %v and reason %q, want %v and %q", tt.text, ce.Code(), ce.Reason(), tt.code, tt.reason)
		}
		for target, want := range map[error]bool{
			ErrClosed: true, ErrClosedOK: tt.normal, ErrClosedError: !tt.normal,
			io.EOF: tt.err.Err != nil, ErrMessageTooBig: false,
		} {
			if got := errors.Is(err, target); got != want {
				t.Errorf("%s: is %q: %t", tt.text, target, got)
			}
		}
	}
}

func TestViolationError(t *testing.T) {
	for _, tt := range []struct {
		err  *ViolationError
		text string
		big  bool
	}{
		{&ViolationError{ProtocolError, "5.2", "bad 1"}, "websocket: peer broke the protocol: bad 1 (RFC 6455, section 5.2)", false},
		{&ViolationError{MessageTooBig, "7692, section 7", "big"}, "websocket: peer broke the protocol: big (RFC 7692, section 7)", true},
	} {
		if tt.err.Error() != tt.text {
			t.Errorf("text %q, want %q", tt.err, tt.text)
		}
		closed := &CloseError{Err: tt.err} // as it comes out of a connection
		var v *ViolationError
		if errors.Is(closed, ErrMessageTooBig) != tt.big || !errors.As(closed, &v) || v != tt.err {
			t.Errorf("%v: too big %t, found %v", closed, errors.Is(closed, ErrMessageTooBig), v)
		}
	}
}

// TestErrorsHaveExamples looks for each public error in the examples, which
// show how to tell it from the others.
func TestErrorsHaveExamples(t *testing.T) {
	var examples strings.Builder
	for _, path := range []string{"example_test.go", "example_errors_test.go"} {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		examples.Write(src)
	}
	found := 0
	for _, path := range []string{"errors.go", "handshake_error.go"} {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		declared := regexp.MustCompile(`(?m)^\t(Err[A-Z]\w*) += |^type ([A-Z]\w*Error) `)
		for _, m := range declared.FindAllStringSubmatch(string(src), -1) {
			found++
			if name := "protocol." + m[1] + m[2]; !regexp.MustCompile(regexp.QuoteMeta(name) + `\b`).MatchString(examples.String()) {
				t.Errorf("no example uses %s", name)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d public errors were found", found)
	}
}

// TestProxyError tells the proxy, if there is one, and keeps the cause.
func TestProxyError(t *testing.T) {
	for text, err := range map[string]*ProxyError{
		"websocket: no way through the proxy http://p:1: it said no": {Proxy: "http://p:1", Reason: "it said no", Err: ErrProxyAuth},
		"websocket: no way through the proxy: none today":            {Reason: "none today"},
	} {
		if err.Error() != text {
			t.Errorf("text %q, want %q", err, text)
		}
		if !errors.Is(err, ErrProxy) || errors.Is(err, ErrHandshake) || errors.Is(err, ErrProxyAuth) != (err.Err != nil) {
			t.Errorf("%v is something else", err)
		}
	}
}

// TestRedirectError tells where the answer leads, in ASCII and in one line, and
// keeps the answer and the cause.
func TestRedirectError(t *testing.T) {
	status := &InvalidStatusError{Response: &http.Response{StatusCode: 302}}
	for text, err := range map[string]*RedirectError{
		`websocket: redirect not followed: status 302 leads to "ftp://a/": no`:   {Location: "ftp://a/", Reason: "no", Err: ErrURL},
		`websocket: redirect not followed: status 302 leads to "/two\r\n": none`: {Location: "/two\r\n", Reason: "none"},
	} {
		err.Status = status
		if err.Error() != text {
			t.Errorf("text %q, want %q", err, text)
		}
		var refused *InvalidStatusError
		if !errors.As(err, &refused) || refused != status {
			t.Errorf("%v does not have the answer", err)
		}
		if !errors.Is(err, ErrRedirect) || !errors.Is(err, ErrHandshake) || errors.Is(err, ErrURL) != (err.Err != nil) {
			t.Errorf("%v is something else", err)
		}
	}
}
