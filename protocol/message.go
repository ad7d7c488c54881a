package protocol

import "fmt"

// A MessageType says how a message is to be understood (RFC 6455, section
// 5.6). Its values are the opcodes of its frames.
type MessageType uint8

// The two types of messages.
const (
	Text   MessageType = MessageType(OpText)   // UTF-8 text
	Binary MessageType = MessageType(OpBinary) // arbitrary bytes
)

// String returns "text" or "binary".
func (t MessageType) String() string {
	switch t {
	case Text, Binary:
		return Opcode(t).String()
	}
	return fmt.Sprintf("message type %d", uint8(t))
}

// A Message is one message, whole.
type Message struct {
	Type MessageType
	Data []byte
}

// TextMessage returns a text message. s should be valid UTF-8.
func TextMessage(s string) Message { return Message{Text, []byte(s)} }

// BinaryMessage returns a binary message that holds data, not a copy.
func BinaryMessage(data []byte) Message { return Message{Binary, data} }

// String returns the message's bytes as a string, whatever its type.
func (m Message) String() string { return string(m.Data) }
