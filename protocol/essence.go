package protocol

import (
	"encoding/binary"
	"unicode/utf8"
)

// An Essence is all that is to be known of a [Conn] to receive a simple message, and
// if nothing is under way to send one: a driver of very many connections has it at
// hand, and need not touch a Conn, which with many is in no cache of the processor's
// when its next message comes. It is [Conn.Essence], or [Conn.EssenceOfNext].
//
// Simple is a message in one frame that nothing has changed and nothing will change.
type Essence struct {
	Role           Role
	MaxMessageSize int64 // negative: no limit
}

// Essence returns what stands for the connection as long as ok, that is, until
// anything is done with it but by way of the Essence: it is [Conn.Idle], and all of
// its extensions leave messages alone that have no reserved bits.
func (c *Conn) Essence() (e Essence, ok bool) {
	return c.essence(), c.Idle() && c.in.simple && !c.out.unsettled
}

func (c *Conn) essence() Essence { return Essence{c.role, c.in.maxMessage} }

// AppendReceived does what [Conn.Received] and [Conn.Next] do, and appends the
// message to dst, if the data begin with a simple one. rest is what follows it, for
// Received. If it is not like that typ is 0, nothing was done, though what lies behind
// the length of dst may have changed, and all of the data are for Received.
func (e Essence) AppendReceived(dst, data []byte) (typ MessageType, appended, rest []byte) {
	header, length := e.Measure(data)
	if header == 0 {
		return 0, dst, data
	}
	return e.AppendMeasured(dst, data, header, length)
}

// AppendMeasured is AppendReceived for data that begin with a message that Measure has
// found.
func (e Essence) AppendMeasured(dst, data []byte, header, length int) (typ MessageType, appended, rest []byte) {
	typ = MessageType(data[0] & opcodeBits)
	payload, rest := data[header:header+length], data[header+length:]
	switch {
	case e.Role == Client:
		appended = append(dst, payload...)
	case length > cap(dst)-len(dst):
		appended = AppendMasked(dst, payload, [4]byte(data[header-4:]), 0)
	default: // with less of the stack
		appended = dst[:len(dst)+length]
		Mask(appended[len(dst):], payload, [4]byte(data[header-4:]), 0)
	}
	if typ == Text && !utf8.Valid(appended[len(dst):]) {
		return 0, dst, data
	}
	return typ, appended, rest
}

// Measure returns the lengths in bytes of the header and the payload of the message
// that AppendReceived would append, unless it is text and no UTF-8; 0 if there is none.
func (e Essence) Measure(data []byte) (header, length int) {
	if len(data) < 2 || data[0] != finBit|byte(OpText) && data[0] != finBit|byte(OpBinary) || data[1]&maskBit != 0 != (e.Role == Server) {
		return 0, 0
	}
	header, length = 2, int(data[1]&lengthBits)
	switch {
	case length < length16:
	case length == length16 && len(data) >= 4:
		if header, length = 4, int(binary.BigEndian.Uint16(data[2:])); length < length16 {
			return 0, 0
		}
	case length == length64 && len(data) > 0xffff && binary.BigEndian.Uint64(data[2:]) <= uint64(len(data)):
		if header, length = 10, int(binary.BigEndian.Uint64(data[2:])); length <= 0xffff {
			return 0, 0
		}
	default:
		return 0, 0
	}
	if e.Role == Server {
		header += 4
	}
	if len(data) < header+length || e.MaxMessageSize >= 0 && int64(length) > e.MaxMessageSize {
		return 0, 0
	}
	return header, length
}

// MeasureHeader returns the type, and the length in bytes of the payload, of the simple
// message whose header, and nothing else, is given; ok is false if it is no such one.
func (e Essence) MeasureHeader(header []byte) (typ MessageType, length int, ok bool) {
	var h Header
	size, wrong := h.parse(header)
	if size != len(header) || wrong != noFault || !h.Fin || h.RSV != 0 || h.Opcode != OpText && h.Opcode != OpBinary ||
		h.Masked != (e.Role == Server) || h.Length > sizeLimit(e.MaxMessageSize) {
		return 0, 0, false
	}
	return MessageType(h.Opcode), int(h.Length), true
}

// TakePayload is AppendReceived for a binary message whose header MeasureHeader has
// measured. Its payload may be where it is to be put, or overlap that and lie behind it.
// One that a client has received must already be there: nothing is done.
func (e Essence) TakePayload(dst, header, payload []byte) {
	if e.Role == Server {
		Mask(dst, payload, [4]byte(header[len(header)-4:]), 0)
	}
}

// SendsPlain reports that an endpoint with these extensions, which has nothing under
// way, may send such a message, of length bytes, in one frame and as it is.
func (e Essence) SendsPlain(typ MessageType, length int, extensions []Extension, wanted Compression) bool {
	return (typ == Text || typ == Binary) && (len(extensions) == 0 || leftAlone(extensions, length, wanted))
}

// AppendPlainHeader appends the header of a message that [Essence.SendsPlain]. A
// client's masking key is to follow it.
func (e Essence) AppendPlainHeader(dst []byte, typ MessageType, length int) []byte {
	at := len(dst)
	dst = appendPlainHeader(dst, typ, length)
	if e.Role == Client {
		dst[at+1] |= maskBit
	}
	return dst
}

// AppendPingHeader appends the header of a ping whose payload has length bytes, at most
// [MaxControlPayload]. A client's masking key is to follow it. The connection is to be
// told of the ping with [Conn.SentPing] before anything is done with it, unless the pong
// has come by then and was [Essence.LonePong].
func (e Essence) AppendPingHeader(dst []byte, length int) []byte {
	return e.AppendPlainHeader(dst, MessageType(OpPing), length)
}

// LonePong returns the payload of a pong if the data are one whose payload is of
// [PingSize], and nothing else.
func (e Essence) LonePong(data []byte) (payload [PingSize]byte, ok bool) {
	size, second := 2, byte(PingSize)
	if e.Role == Server {
		size, second = size+4, second|maskBit
	}
	if len(data) != size+PingSize || data[0] != finBit|byte(OpPong) || data[1] != second {
		return payload, false
	}
	bits := binary.NativeEndian.Uint32(data[size:])
	if e.Role == Server {
		bits ^= binary.NativeEndian.Uint32(data[2:])
	}
	binary.NativeEndian.PutUint32(payload[:], bits)
	return payload, true
}

func appendPlainHeader(dst []byte, typ MessageType, length int) []byte {
	switch {
	case length < length16:
		return append(dst, finBit|byte(typ), byte(length))
	case length <= 0xffff:
		return append(dst, finBit|byte(typ), length16, byte(length>>8), byte(length))
	}
	return AppendHeader(dst, Header{Fin: true, Opcode: Opcode(typ), Length: int64(length)})
}
