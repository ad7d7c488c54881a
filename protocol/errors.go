package protocol

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that errors.Is finds in what a connection returns.
var (
	// ErrClosed is found in every [*CloseError].
	ErrClosed = errors.New("websocket: connection closed")

	// ErrClosedOK is found in a [*CloseError] of a connection that ended as
	// both sides wanted: a close frame with code 1000, 1001 or none went
	// each way.
	ErrClosedOK = errors.New("websocket: connection closed normally")

	// ErrClosedError is found in every other [*CloseError].
	ErrClosedError = errors.New("websocket: connection closed with an error")

	// ErrMessageTooBig is found when a message is larger than the receiver
	// accepts, in a [*ViolationError] with code 1009.
	ErrMessageTooBig = errors.New("websocket: message too big")

	// ErrInvalidClose: the caller gave a close code or a reason that no
	// close frame may carry.
	ErrInvalidClose = errors.New("websocket: invalid close frame")

	// ErrControlTooBig: the caller gave a ping or pong more than
	// [MaxControlPayload] bytes.
	ErrControlTooBig = errors.New("websocket: control frame payload over 125 bytes")

	// ErrDuplicatePing: the caller sent a ping with the payload of another
	// one that has not been answered yet.
	ErrDuplicatePing = errors.New("websocket: a ping with this payload is already waiting for its pong")

	// ErrInvalidText: the caller gave a text message that is not UTF-8.
	ErrInvalidText = errors.New("websocket: text message is not UTF-8")

	// ErrMessageType: the caller gave a type that is neither [Text] nor
	// [Binary].
	ErrMessageType = errors.New("websocket: message is neither text nor binary")

	// ErrMessageOrder: the caller began a message inside another one, whole
	// or of another type (RFC 6455, section 5.4).
	ErrMessageOrder = errors.New("websocket: frame out of order in a fragmented message")
)

// A ViolationError says how the peer broke the protocol or a limit of ours.
// The remote end is to blame; the connection fails with Code.
type ViolationError struct {
	Code    CloseCode // what we close with: 1002, 1007, 1008 or 1009
	Section string    // of RFC 6455, or of the RFC it names
	Reason  string    // what was wrong; also the close frame's reason
}

func (e *ViolationError) Error() string {
	return fmt.Sprintf("websocket: peer broke the protocol: %s (RFC %s)", e.Reason, rfc(e.Section))
}

// rfc completes a section of RFC 6455; one of another RFC names it, for
// example "7692, section 7.2".
func rfc(section string) string {
	if strings.Contains(section, ",") {
		return section
	}
	return "6455, section " + section
}

// Is reports true for [ErrMessageTooBig] when the code is 1009.
func (e *ViolationError) Is(target error) bool {
	return target == ErrMessageTooBig && e.Code == MessageTooBig
}

// A CloseError says how a connection ended. Every call on a connection that
// has ended returns one.
type CloseError struct {
	Rcvd         *Close // the peer's close frame, nil when none came
	Sent         *Close // our close frame, nil when none was sent
	RcvdThenSent bool   // with both: whether the peer's came first
	Err          error  // what made us fail the connection, or nil
}

// Code returns the connection's close code as RFC 6455, section 7.1.5,
// defines it: the peer's, or [AbnormalClosure] when it sent none.
func (e *CloseError) Code() CloseCode {
	if e.Rcvd == nil {
		return AbnormalClosure
	}
	return e.Rcvd.Code
}

// Reason returns the peer's reason (section 7.1.6), "" when there is none.
func (e *CloseError) Reason() string {
	if e.Rcvd == nil {
		return ""
	}
	return e.Rcvd.Reason
}

// Error tells both close frames in their order and the cause.
func (e *CloseError) Error() string {
	text := "websocket: " + e.frames()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *CloseError) frames() string {
	switch {
	case e.Rcvd == nil && e.Sent == nil:
		return "no close frame received or sent"
	case e.Rcvd == nil:
		return fmt.Sprintf("sent %v; no close frame received", *e.Sent)
	case e.Sent == nil:
		return fmt.Sprintf("received %v; no close frame sent", *e.Rcvd)
	case e.RcvdThenSent:
		return fmt.Sprintf("received %v; then sent %v", *e.Rcvd, *e.Sent)
	}
	return fmt.Sprintf("sent %v; then received %v", *e.Sent, *e.Rcvd)
}

// Is reports true for [ErrClosed] and one of [ErrClosedOK] and
// [ErrClosedError].
func (e *CloseError) Is(target error) bool {
	switch target {
	case ErrClosed:
		return true
	case ErrClosedOK:
		return e.isOK()
	case ErrClosedError:
		return !e.isOK()
	}
	return false
}

func (e *CloseError) isOK() bool {
	return e.Rcvd != nil && e.Sent != nil && e.Rcvd.Code.isOK() && e.Sent.Code.isOK()
}

// Unwrap returns the cause.
func (e *CloseError) Unwrap() error { return e.Err }
