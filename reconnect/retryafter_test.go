package reconnect

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// noon is the time on our clock in these tests.
var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// TestRetryAfter reads the field in all of its forms (RFC 9110, sections 10.2.3
// and 5.6.7).
func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		name, value, date string
		want              time.Duration
	}{
		{"none", "", "", 0},
		{"seconds", "120", "", 2 * time.Minute},
		{"zero", "0", "", 0},
		{"leading zero", "010", "", 10 * time.Second},
		{"more than 64 bits", "99999999999999999999", "", longest / time.Second * time.Second},
		{"more than a duration", "9999999999999", "", longest / time.Second * time.Second},
		{"sign", "+5", "", 0},
		{"negative", "-5", "", 0},
		{"fraction", "1.5", "", 0},
		{"unit", "5s", "", 0},
		{"words", "soon", "", 0},
		{"date", "Sun, 01 Mar 2026 12:00:30 GMT", "", 30 * time.Second},
		{"date of RFC 850", "Sunday, 01-Mar-26 12:00:30 GMT", "", 30 * time.Second},
		{"date of asctime", "Sun Mar  1 12:00:30 2026", "", 30 * time.Second},
		{"past", "Sun, 01 Mar 2026 11:59:30 GMT", "", 0},
		{"far", "Sun, 01 Mar 9026 12:00:00 GMT", "", longest},
		{"clock of the server ahead", "Sun, 01 Mar 2026 13:00:30 GMT", "Sun, 01 Mar 2026 13:00:00 GMT", 30 * time.Second},
		{"clock of the server behind", "Sun, 01 Mar 2026 11:00:30 GMT", "Sun, 01 Mar 2026 11:00:00 GMT", 30 * time.Second},
		{"bad date of the answer", "Sun, 01 Mar 2026 12:00:30 GMT", "today", 30 * time.Second},
	} {
		header := http.Header{"Retry-After": {test.value}, "Date": {test.date}}
		if got := parseRetryAfter(header, noon); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if got := parseRetryAfter(nil, noon); got != 0 {
		t.Errorf("without a header: %v", got)
	}
}

// TestRetryAfterOfErrors finds the answer inside of an error, if there is one.
func TestRetryAfterOfErrors(t *testing.T) {
	header := http.Header{"Retry-After": {"7"}}
	refused := &protocol.InvalidStatusError{Response: &http.Response{Header: header}}
	for _, test := range []struct {
		err  error
		want time.Duration
	}{
		{refused, 7 * time.Second},
		{fmt.Errorf("wrapped: %w", refused), 7 * time.Second},
		{errors.Join(errNetwork, refused), 7 * time.Second},
		{&protocol.ProxyError{Response: &http.Response{Header: header}}, 7 * time.Second},
		{&protocol.InvalidStatusError{}, 0},
		{&protocol.ProxyError{}, 0},
		{errNetwork, 0},
		{nil, 0},
	} {
		if got := retryAfter(test.err, noon); got != test.want {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
}

// FuzzRetryAfter: whatever a server sends, the time is within bounds.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"", "0", "120", "-1", "1e9", "18446744073709551616", "Sun, 01 Mar 2026 12:00:30 GMT", "Sunday, 01-Mar-26 12:00:30 GMT"} {
		f.Add(value, "")
		f.Add(value, "Sun, 01 Mar 2026 12:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		got := parseRetryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, noon)
		if got < 0 || got > longest {
			t.Errorf("%v", got)
		}
	})
}
