package protocol

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// A CloseCode is the status code of a close frame (RFC 6455, section 7.4).
type CloseCode uint16

// The registered status codes. NoStatusReceived, AbnormalClosure and
// TLSHandshake never travel in a frame (section 7.4.1).
const (
	NormalClosure      CloseCode = 1000
	GoingAway          CloseCode = 1001
	ProtocolError      CloseCode = 1002
	UnsupportedData    CloseCode = 1003
	NoStatusReceived   CloseCode = 1005
	AbnormalClosure    CloseCode = 1006
	InvalidPayloadData CloseCode = 1007
	PolicyViolation    CloseCode = 1008
	MessageTooBig      CloseCode = 1009
	MandatoryExtension CloseCode = 1010
	InternalError      CloseCode = 1011
	ServiceRestart     CloseCode = 1012
	TryAgainLater      CloseCode = 1013
	BadGateway         CloseCode = 1014
	TLSHandshake       CloseCode = 1015
)

var closeCodeNames = map[CloseCode]string{
	NormalClosure:      "OK",
	GoingAway:          "going away",
	ProtocolError:      "protocol error",
	UnsupportedData:    "unsupported data",
	NoStatusReceived:   "no status received [internal]",
	AbnormalClosure:    "abnormal closure [internal]",
	InvalidPayloadData: "invalid frame payload data",
	PolicyViolation:    "policy violation",
	MessageTooBig:      "message too big",
	MandatoryExtension: "mandatory extension",
	InternalError:      "internal error",
	ServiceRestart:     "service restart",
	TryAgainLater:      "try again later",
	BadGateway:         "bad gateway",
	TLSHandshake:       "TLS handshake failure [internal]",
}

// String returns the code with its meaning, for example "1001 (going away)".
func (c CloseCode) String() string {
	name, ok := closeCodeNames[c]
	switch {
	case ok:
	case c >= 3000 && c < 4000:
		name = "registered"
	case c >= 4000 && c < 5000:
		name = "private use"
	default:
		name = "unknown"
	}
	return fmt.Sprintf("%d (%s)", uint16(c), name)
}

// IsSendable reports whether a close frame may carry the code: those that
// RFC 6455 and IANA's registry define for endpoints, and 3000 to 4999 for
// libraries and applications (section 7.4.2).
func (c CloseCode) IsSendable() bool {
	switch {
	case c >= NormalClosure && c <= UnsupportedData, c >= InvalidPayloadData && c <= BadGateway:
		return true
	}
	return c >= 3000 && c <= 4999
}

// isOK reports whether the code ends a connection as both sides wanted.
func (c CloseCode) isOK() bool {
	return c == NormalClosure || c == GoingAway || c == NoStatusReceived
}

// MaxCloseReason is the most bytes of UTF-8 that a reason may have: what a
// control frame leaves beside the code (section 5.5.1).
const MaxCloseReason = MaxControlPayload - 2

// A Close is what a close frame says.
type Close struct {
	Code   CloseCode // NoStatusReceived when the frame was empty
	Reason string    // UTF-8, at most [MaxCloseReason] bytes
}

// String returns, for example, "1008 (policy violation) too many requests".
func (c Close) String() string {
	if c.Reason == "" {
		return c.Code.String()
	}
	return c.Code.String() + " " + c.Reason
}

// Validate reports why a caller may not send such a close frame: nil, or an
// error that is [ErrInvalidClose].
func (c Close) Validate() error { return c.check() }

// check reports why the caller may not send such a close frame.
func (c Close) check() error {
	switch {
	case c.Code == NoStatusReceived && c.Reason == "":
		return nil // an empty frame
	case !c.Code.IsSendable():
		return fmt.Errorf("%w: code %v must not be sent (RFC 6455, section 7.4)", ErrInvalidClose, c.Code)
	case len(c.Reason) > MaxCloseReason:
		return fmt.Errorf("%w: reason of %d bytes, the most is %d (RFC 6455, section 5.5)", ErrInvalidClose, len(c.Reason), MaxCloseReason)
	case !utf8.ValidString(c.Reason):
		return fmt.Errorf("%w: reason is not UTF-8 (RFC 6455, section 5.5.1)", ErrInvalidClose)
	}
	return nil
}

// appendPayload appends the payload of the close frame.
func (c Close) appendPayload(dst []byte) []byte {
	if c.Code == NoStatusReceived {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(c.Code))
	return append(dst, c.Reason...)
}

// parseClose reads the payload of a close frame that the peer sent.
func parseClose(payload []byte) (Close, error) {
	switch len(payload) {
	case 0:
		return Close{Code: NoStatusReceived}, nil
	case 1:
		return Close{}, halfCloseCode.violation()
	}
	c := Close{CloseCode(binary.BigEndian.Uint16(payload)), string(payload[2:])}
	if !c.Code.IsSendable() {
		return Close{}, badCloseCode.violation(uint16(c.Code))
	}
	if !utf8.ValidString(c.Reason) {
		return Close{}, invalidCloseReason.violation()
	}
	return c, nil
}

// truncateReason shortens a reason that the library itself makes, between two
// characters, so that a close frame holds it.
func truncateReason(reason string) string {
	if len(reason) <= MaxCloseReason {
		return reason
	}
	cut := MaxCloseReason
	for cut > 0 && !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut]
}
