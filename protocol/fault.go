package protocol

import "fmt"

// A fault is one of the ways in which a peer can break the protocol. The code
// that finds one only names it; what is to be said about it stands here.
type fault uint8

const (
	noFault fault = iota
	reservedBits
	reservedOpcode
	maskedByServer
	unmaskedByClient
	longLength16
	longLength64
	negativeLength
	strayContinuation
	interruptedMessage
	fragmentedControl
	longControl
	tooBigMessage
	tooManyFragments
	tooManyControls
	lateMessage
	invalidText
	halfCloseCode
	badCloseCode
	invalidCloseReason
)

// faults tells for each fault the close code, the section of the RFC that
// forbids it, and how to describe it with the detail that belongs to it.
var faults = [...]struct {
	code    CloseCode
	section string
	reason  string
}{
	reservedBits:       {ProtocolError, "5.2", "reserved bits %03b"},
	reservedOpcode:     {ProtocolError, "5.2", "reserved %v"},
	maskedByServer:     {ProtocolError, "5.1", "masked frame from the server"},
	unmaskedByClient:   {ProtocolError, "5.1", "unmasked frame from the client"},
	longLength16:       {ProtocolError, "5.2", "length %d in 16 bits"},
	longLength64:       {ProtocolError, "5.2", "length %d in 64 bits"},
	negativeLength:     {ProtocolError, "5.2", "length with its most significant bit set"},
	strayContinuation:  {ProtocolError, "5.4", "continuation frame with nothing to continue"},
	interruptedMessage: {ProtocolError, "5.4", "%v frame inside a fragmented message"},
	fragmentedControl:  {ProtocolError, "5.5", "fragmented %v frame"},
	longControl:        {ProtocolError, "5.5", "%v frame with more than 125 bytes"},
	tooBigMessage:      {MessageTooBig, "7.4.1", "message of more than %d bytes"},
	tooManyFragments:   {PolicyViolation, "10.4", "message of more than %d fragments"},
	tooManyControls:    {PolicyViolation, "10.4", "more than %d control frames a second"},
	lateMessage:        {PolicyViolation, "10.4", "message that takes longer than %v"},
	invalidText:        {InvalidPayloadData, "8.1", "text message that is not UTF-8"},
	halfCloseCode:      {ProtocolError, "5.5.1", "close frame with half a code"},
	badCloseCode:       {ProtocolError, "7.4", "close frame with code %d"},
	invalidCloseReason: {InvalidPayloadData, "5.5.1", "close frame with a reason that is not UTF-8"},
}

// violation describes the fault; detail is for those whose reason has a place
// for one.
func (f fault) violation(detail ...any) *ViolationError {
	rule := &faults[f]
	return &ViolationError{rule.code, rule.section, fmt.Sprintf(rule.reason, detail...)}
}

// inHeader describes a fault of a frame's header.
func (f fault) inHeader(h *Header) *ViolationError {
	switch f {
	case reservedBits:
		return f.violation(h.RSV >> 4)
	case reservedOpcode, interruptedMessage, fragmentedControl, longControl:
		return f.violation(h.Opcode)
	case longLength16, longLength64:
		return f.violation(h.Length)
	}
	return f.violation()
}
