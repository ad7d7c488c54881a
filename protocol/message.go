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

// Release gives the memory of m.Data back, for messages that are received later,
// and sets m.Data to nil. Neither Data, nor any part of it or copy of the Message,
// may be used any more.
//
// It is optional, and worthwhile where many messages are received and soon done
// with: what is not released is the garbage collector's. It may be called by
// whoever owns the message, from any goroutine, and once: not again for a copy of the
// Message. A message that was sent may be released when Send has returned. Data of
// the caller's own are kept for later messages too, so release nothing that
// anything else points into. Data that were resliced or grown may be left to
// the garbage collector.
//
// Without a driver that keeps memory ([KeepReleased]; packages async and sync do)
// everything is.
func (m *Message) Release() {
	data := m.Data
	m.Data = nil
	if memory != nil {
		memory.Release(data)
	}
}
