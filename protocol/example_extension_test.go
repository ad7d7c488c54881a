package protocol_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// A checksum is an extension that puts four bytes behind each message, by which
// the receiver sees whether anything between the two has changed it. It marks
// its messages with RSV2, so that it can be combined with compression.
type checksum struct {
	sent     uint32 // of the message that is being sent
	before   uint32 // the same before the last frame
	received uint32 // of the message that is being received
	tail     []byte // its last four bytes so far, which may be the checksum
}

func (c *checksum) Name() string      { return "x-checksum" }
func (c *checksum) RSV() protocol.RSV { return protocol.RSV2 }

func (c *checksum) Encode(dst, payload []byte, frame protocol.Fragment) ([]byte, bool, error) {
	if frame.First {
		c.sent = 0
	}
	c.before, c.sent = c.sent, crc32.Update(c.sent, crc32.IEEETable, payload)
	dst = append(dst, payload...)
	if frame.Last {
		dst = append(dst, byte(c.sent>>24), byte(c.sent>>16), byte(c.sent>>8), byte(c.sent))
	}
	return dst, true, nil
}

func (c *checksum) Sent(sent bool) {
	if !sent {
		c.sent = c.before
	}
}

func (c *checksum) Decode(dst, piece []byte, last bool, room int) ([]byte, error) {
	c.tail = append(c.tail, piece...)
	if known := len(c.tail) - 4; known > 0 {
		if known > room {
			return dst, protocol.ErrMessageTooBig
		}
		c.received = crc32.Update(c.received, crc32.IEEETable, c.tail[:known])
		dst = append(dst, c.tail[:known]...)
		c.tail = append(c.tail[:0], c.tail[known:]...)
	}
	if !last {
		return dst, nil
	}
	t := c.tail
	if len(t) < 4 || c.received != uint32(t[0])<<24|uint32(t[1])<<16|uint32(t[2])<<8|uint32(t[3]) {
		return dst, errors.New("the message was changed on its way")
	}
	c.tail, c.received = c.tail[:0], 0
	return dst, nil
}

// checksums makes them, for clients and for servers. There are no parameters.
type checksums struct{}

func (checksums) Name() string                    { return "x-checksum" }
func (checksums) RequestParams() []protocol.Param { return nil }

func (checksums) ProcessResponseParams(params []protocol.Param, _ []protocol.Extension) (protocol.Extension, error) {
	if len(params) > 0 {
		return nil, errors.New("it has no parameters")
	}
	return new(checksum), nil
}

func (checksums) ProcessRequestParams(params []protocol.Param, _ []protocol.Extension) ([]protocol.Param, protocol.Extension, error) {
	if len(params) > 0 {
		return nil, nil, errors.New("it has no parameters")
	}
	return nil, new(checksum), nil
}

// An extension of one's own, together with compression. In packages async and
// sync it goes into the field Extensions of the options.
func ExampleExtension() {
	compression := new(protocol.Deflate)
	ofClient, ofServer, err := protocol.Negotiate(
		[]protocol.ClientExtensionFactory{checksums{}, compression},
		[]protocol.ServerExtensionFactory{checksums{}, compression},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := protocol.NewConn(protocol.Config{Role: protocol.Client, Extensions: ofClient})
	server := protocol.NewConn(protocol.Config{Role: protocol.Server, Extensions: ofServer})

	wire, err := client.AppendMessage(nil, protocol.Text, []byte("never gonna give you up, never gonna let you down, never gonna run around"))
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Received(time.Now(), 0, wire)
	fmt.Printf("%s\n", server.Next().Data)

	// A bit that was changed is found.
	wire, _ = client.AppendMessage(nil, protocol.Text, []byte("short"))
	wire[len(wire)-6] ^= 1
	server.Received(time.Now(), 0, wire)
	server.Next()
	fmt.Println(server.Violation())
	// Output:
	// never gonna give you up, never gonna let you down, never gonna run around
	// websocket: peer broke the protocol: x-checksum: the message was changed on its way (RFC 6455, section 9.2)
}
