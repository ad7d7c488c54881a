package protocol_test

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// The peer broke a rule of the protocol or a limit of ours. What it did is in
// the error, and so is the code that the connection closes with.
func ExampleViolationError() {
	conn := protocol.NewConn(protocol.Config{Role: protocol.Client, MaxMessageSize: 4})
	conn.Received(time.Now(), 0, []byte("\x81\x05Hello"))
	if ev := conn.Next(); ev.Kind == protocol.EventViolation {
		conn.FailViolation()
	}
	err := error(conn.CloseError()) // as every call returns it from now on

	var violation *protocol.ViolationError
	if errors.As(err, &violation) {
		fmt.Println(violation.Code, "for a", violation.Reason)
	}
	fmt.Println(errors.Is(err, protocol.ErrMessageTooBig))
	// Output:
	// 1009 (message too big) for a message of more than 4 bytes
	// true
}

// Sending fails when the connection has ended, and when the caller asks for
// something that must not be sent; then the connection goes on.
func ExampleConn_AppendMessage() {
	conn := protocol.NewConn(protocol.Config{Role: protocol.Server})
	try := func(typ protocol.MessageType, data string) {
		_, err := conn.AppendMessage(nil, typ, []byte(data))
		var closed *protocol.CloseError
		switch {
		case errors.As(err, &closed): // or errors.Is(err, protocol.ErrClosed)
			fmt.Println("too late, we closed with", closed.Sent)
		case errors.Is(err, protocol.ErrInvalidText):
			fmt.Println("this should have been a binary message")
		case errors.Is(err, protocol.ErrMessageType):
			fmt.Println("there is no such type")
		case errors.Is(err, protocol.ErrMessageOrder):
			fmt.Println("another message is not finished")
		default:
			fmt.Println("sent")
		}
	}
	try(protocol.Text, "Hello")
	try(protocol.Text, "\xff")
	try(0, "Hello")
	if _, err := conn.AppendFragment(nil, protocol.Text, false, []byte("Once")); err != nil {
		fmt.Println(err)
	}
	try(protocol.Text, "Hello")
	if err := conn.SendClose(protocol.GoingAway, ""); err != nil {
		fmt.Println(err)
	}
	try(protocol.Text, "Hello")
	// Output:
	// sent
	// this should have been a binary message
	// there is no such type
	// another message is not finished
	// too late, we closed with 1001 (going away)
}

func ExampleConn_SendPing() {
	conn := protocol.NewConn(protocol.Config{Role: protocol.Server})
	for _, payload := range []string{"1", "1", strings.Repeat("long", 100)} {
		_, err := conn.SendPing([]byte(payload))
		switch {
		case errors.Is(err, protocol.ErrDuplicatePing):
			fmt.Println("the pong could not be told from that for the first")
		case errors.Is(err, protocol.ErrControlTooBig):
			fmt.Println("more than", protocol.MaxControlPayload, "bytes")
		default:
			fmt.Println("owed:", conn.Owed())
		}
	}
	// Output:
	// owed: true
	// the pong could not be told from that for the first
	// more than 125 bytes
}

func ExampleConn_SendClose() {
	conn := protocol.NewConn(protocol.Config{Role: protocol.Server})
	err := conn.SendClose(protocol.AbnormalClosure, "")
	fmt.Println(errors.Is(err, protocol.ErrInvalidClose), conn.State())
	fmt.Println(err)
	// Output:
	// true open
	// websocket: invalid close frame: code 1006 (abnormal closure [internal]) must not be sent (RFC 6455, section 7.4)
}

// A server answers a handshake that it refuses with the status in the error.
func ExampleHandshakeError() {
	acceptor := &protocol.Acceptor{Subprotocols: []string{"chat"}}
	accept := func(further ...string) {
		request := &http.Request{
			Method:     "GET",
			ProtoMajor: 1, ProtoMinor: 1,
			Host:   "example.com",
			Header: http.Header{"Connection": {"Upgrade"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"}},
		}
		for i := 0; i < len(further); i += 2 {
			request.Header.Set(further[i], further[i+1])
		}
		_, _, err := acceptor.Accept(request)
		var he *protocol.HandshakeError
		if !errors.As(err, &he) {
			fmt.Println("accepted")
			return
		}
		switch {
		case he.Local:
			fmt.Print("our own fault, for the log: ")
		case errors.Is(err, protocol.ErrUpgrade):
			fmt.Print("not meant for us: ")
		case errors.Is(err, protocol.ErrSubprotocol):
			fmt.Print("nothing in common: ")
		case errors.Is(err, protocol.ErrExtension):
			fmt.Print("garbled: ")
		}
		fmt.Println(he.Status, he.Reason)
	}
	accept()
	accept("Upgrade", "websocket", "Sec-Websocket-Protocol", "mqtt")
	accept("Upgrade", "websocket", "Sec-Websocket-Extensions", ";")
	accept("Upgrade", "websocket", "Sec-Websocket-Protocol", "mqtt, chat")
	// Output:
	// not meant for us: 426 no "websocket" in the Upgrade header; this is a WebSocket server
	// nothing in common: 400 client offers none of the subprotocols chat
	// garbled: 400 malformed Sec-WebSocket-Extensions header: expected a token at byte 0
	// accepted
}

// A client learns what the server answered in place of an upgrade.
func ExampleInvalidStatusError() {
	offer := new(protocol.Offer)
	req, err := offer.Request(&url.URL{Scheme: "ws", Host: "example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = offer.CheckResponse(req, resp)

	var status *protocol.InvalidStatusError
	if errors.As(err, &status) && status.Response.StatusCode == http.StatusUnauthorized {
		fmt.Println("credentials needed:", status.Response.Header.Get("WWW-Authenticate"))
	}
	fmt.Println(errors.Is(err, protocol.ErrHandshake))
	// Output:
	// credentials needed: Basic
	// true
}

func ExampleOffer_Request() {
	_, err := new(protocol.Offer).Request(&url.URL{Scheme: "ftp", Host: "example.com"})
	fmt.Println(errors.Is(err, protocol.ErrURL))
	fmt.Println(err)
	// Output:
	// true
	// websocket: opening handshake failed: scheme "ftp" instead of ws or wss (RFC 6455, section 3)
}
