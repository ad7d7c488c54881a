package protocol

import (
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
)

// unhex reads hexadecimal bytes with spaces between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestHeader encodes and decodes headers at each boundary of the length
// (section 5.2), and cut short at each byte.
func TestHeader(t *testing.T) {
	key := [4]byte{1, 2, 3, 4}
	for _, tt := range []struct {
		wire string
		h    Header
	}{
		{"00 00", Header{}},
		{"81 00", Header{Fin: true, Opcode: OpText}},
		{"82 01", Header{Fin: true, Opcode: OpBinary, Length: 1}},
		{"82 7d", Header{Fin: true, Opcode: OpBinary, Length: 125}},
		{"82 7e 007e", Header{Fin: true, Opcode: OpBinary, Length: 126}},
		{"82 7e 007f", Header{Fin: true, Opcode: OpBinary, Length: 127}},
		{"82 7e ffff", Header{Fin: true, Opcode: OpBinary, Length: 65535}},
		{"82 7f 0000000000010000", Header{Fin: true, Opcode: OpBinary, Length: 65536}},
		{"02 7f 0000000000100000", Header{Opcode: OpBinary, Length: 1 << 20}},
		{"82 7f 7fffffffffffffff", Header{Fin: true, Opcode: OpBinary, Length: math.MaxInt64}},
		{"80 80 01020304", Header{Fin: true, Masked: true, Mask: key}},
		{"82 fd 01020304", Header{Fin: true, Opcode: OpBinary, Masked: true, Mask: key, Length: 125}},
		{"82 fe 0100 01020304", Header{Fin: true, Opcode: OpBinary, Masked: true, Mask: key, Length: 256}},
		{"82 ff 0000000100000000 01020304", Header{Fin: true, Opcode: OpBinary, Masked: true, Mask: key, Length: 1 << 32}},
		{"88 02", Header{Fin: true, Opcode: OpClose, Length: 2}},
		{"89 7d", Header{Fin: true, Opcode: OpPing, Length: 125}},
		{"8a fd 01020304", Header{Fin: true, Opcode: OpPong, Masked: true, Mask: key, Length: 125}},
		{"c1 00", Header{Fin: true, RSV: RSV1, Opcode: OpText}},
		{"a1 00", Header{Fin: true, RSV: RSV2, Opcode: OpText}},
		{"91 00", Header{Fin: true, RSV: RSV3, Opcode: OpText}},
		{"71 00", Header{RSV: RSV1 | RSV2 | RSV3, Opcode: OpText}},
	} {
		t.Run(tt.wire, func(t *testing.T) {
			wire := unhex(t, tt.wire)
			if got := AppendHeader([]byte("before"), tt.h); string(got) != "before"+string(wire) {
				t.Errorf("AppendHeader: %x", got)
			}
			for n := range wire {
				if _, size, err := ParseHeader(wire[:n:n]); size != 0 || err != nil {
					t.Errorf("ParseHeader of %d bytes: %d, %v; want to be asked for more", n, size, err)
				}
			}
			h, size, err := ParseHeader(append(wire, 0xff)) // a byte of payload follows
			if h != tt.h || size != len(wire) || err != nil {
				t.Errorf("ParseHeader: %+v, %d, %v", h, size, err)
			}
			if len(wire) > MaxHeaderSize {
				t.Errorf("header of %d bytes, over MaxHeaderSize", len(wire))
			}
		})
	}
}

// TestHeaderMalformed feeds each header byte by byte and expects the error at
// the last byte given here: it is the first that shows what is wrong.
func TestHeaderMalformed(t *testing.T) {
	for wire, want := range map[string]string{
		"83":                     "reserved opcode 0x3 (RFC 6455, section 5.2)",
		"04":                     "reserved opcode 0x4 (RFC 6455, section 5.2)",
		"85":                     "reserved opcode 0x5 (RFC 6455, section 5.2)",
		"06":                     "reserved opcode 0x6 (RFC 6455, section 5.2)",
		"87":                     "reserved opcode 0x7 (RFC 6455, section 5.2)",
		"8b":                     "reserved opcode 0xb (RFC 6455, section 5.2)",
		"8c":                     "reserved opcode 0xc (RFC 6455, section 5.2)",
		"0d":                     "reserved opcode 0xd (RFC 6455, section 5.2)",
		"8e":                     "reserved opcode 0xe (RFC 6455, section 5.2)",
		"8f":                     "reserved opcode 0xf (RFC 6455, section 5.2)",
		"08":                     "fragmented close frame (RFC 6455, section 5.5)",
		"09":                     "fragmented ping frame (RFC 6455, section 5.5)",
		"0a":                     "fragmented pong frame (RFC 6455, section 5.5)",
		"88 7e":                  "close frame with more than 125 bytes (RFC 6455, section 5.5)",
		"89 fe":                  "ping frame with more than 125 bytes (RFC 6455, section 5.5)",
		"8a 7f":                  "pong frame with more than 125 bytes (RFC 6455, section 5.5)",
		"82 7e 0000":             "length 0 in 16 bits (RFC 6455, section 5.2)",
		"82 fe 007d":             "length 125 in 16 bits (RFC 6455, section 5.2)",
		"82 7f 0000000000000000": "length 0 in 64 bits (RFC 6455, section 5.2)",
		"82 ff 000000000000007e": "length 126 in 64 bits (RFC 6455, section 5.2)",
		"82 7f 000000000000ffff": "length 65535 in 64 bits (RFC 6455, section 5.2)",
		"82 7f 80":               "length with its most significant bit set (RFC 6455, section 5.2)",
		"82 ff ff":               "length with its most significant bit set (RFC 6455, section 5.2)",
	} {
		t.Run(wire, func(t *testing.T) {
			b := unhex(t, wire)
			for n := range b {
				if _, size, err := ParseHeader(b[:n:n]); size != 0 || err != nil {
					t.Errorf("ParseHeader of %d bytes: %d, %v; nothing is wrong yet", n, size, err)
				}
			}
			_, size, err := ParseHeader(b)
			var v *ViolationError
			if !errors.As(err, &v) || v.Code != ProtocolError || size != 0 {
				t.Fatalf("ParseHeader: %d, %v; want a violation with code 1002", size, err)
			}
			if got := strings.TrimPrefix(err.Error(), "websocket: peer broke the protocol: "); got != want {
				t.Errorf("error %q, want %q", got, want)
			}
		})
	}
}

func TestOpcode(t *testing.T) {
	for op, want := range map[Opcode]string{
		OpContinuation: "continuation", OpText: "text", OpBinary: "binary",
		OpClose: "close", OpPing: "ping", OpPong: "pong", 3: "opcode 0x3", 15: "opcode 0xf",
	} {
		if got := op.String(); got != want {
			t.Errorf("opcode %#x is called %q, want %q", uint8(op), got, want)
		}
		if got, want := op.IsControl(), op >= 8; got != want { // section 5.5: the top bit is set
			t.Errorf("%v.IsControl() = %t", op, got)
		}
	}
}
