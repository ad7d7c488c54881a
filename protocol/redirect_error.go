package protocol

import (
	"errors"
	"fmt"
)

// ErrRedirect is found in every [*RedirectError].
var ErrRedirect = errors.New("websocket: redirect not followed")

// A RedirectError tells a client that the server's answer leads to where the
// client does not go (RFC 6455, section 4.1).
type RedirectError struct {
	// Status is the answer. It is found in the error too.
	Status *InvalidStatusError

	// Location is where it leads, without a password.
	Location string

	Reason string // why it was not followed
	Err    error  // what is wrong with the location, or nil
}

// Error tells the location and the reason.
func (e *RedirectError) Error() string {
	return fmt.Sprintf("%v: status %d leads to %s: %s", ErrRedirect, e.Status.Response.StatusCode, quote(e.Location), e.Reason)
}

// Is reports true for [ErrRedirect] and [ErrHandshake].
func (e *RedirectError) Is(target error) bool { return target == ErrRedirect || target == ErrHandshake }

// Unwrap returns Status and, if there is one, Err.
func (e *RedirectError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Status}
	}
	return []error{e.Status, e.Err}
}
