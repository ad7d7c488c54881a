package reconnect

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// retryAfter returns how long the server, or a proxy, wants a client to stay
// away that it has refused (RFC 9110, section 10.2.3); 0 if it does not say. The
// error is about an answer that came now.
func retryAfter(err error, now time.Time) time.Duration {
	var refused *protocol.InvalidStatusError
	var noWay *protocol.ProxyError
	switch {
	case errors.As(err, &refused) && refused.Response != nil:
		return parseRetryAfter(refused.Response.Header, now)
	case errors.As(err, &noWay) && noWay.Response != nil:
		return parseRetryAfter(noWay.Response.Header, now)
	}
	return 0
}

// parseRetryAfter reads the field, a number of seconds or a date. A date is one
// of the server's clock, which its answer tells too: ours may go wrong.
func parseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(longest/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longest)
}
