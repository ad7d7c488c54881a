package protocol_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// A client and a server talk in memory. Whoever drives a Conn reads and writes
// for it and knows the time.
func ExampleConn() {
	client := protocol.NewConn(protocol.Config{Role: protocol.Client})
	server := protocol.NewConn(protocol.Config{Role: protocol.Server})
	now := time.Now()

	// The client sends a message and a ping.
	wire, err := client.AppendMessage(nil, protocol.Text, []byte("Hello"))
	if err != nil {
		fmt.Println(err)
	}
	if _, err := client.SendPing(nil); err != nil {
		fmt.Println(err)
	}
	wire, err = client.AppendOwed(wire, now)
	if err != nil {
		fmt.Println(err)
	}

	// The server receives both and answers.
	var answer []byte
	server.Received(now, 0, wire)
	for ev := server.Next(); ev.Kind != protocol.EventNone; ev = server.Next() {
		switch ev.Kind {
		case protocol.EventMessage:
			fmt.Printf("server received %v %q\n", ev.Type, ev.Data)
			answer, err = server.AppendMessage(answer, ev.Type, ev.Data)
		case protocol.EventPing:
			fmt.Println("server received a ping")
		case protocol.EventViolation:
			server.FailViolation()
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	if err := server.SendClose(protocol.NormalClosure, "bye"); err != nil {
		fmt.Println(err)
	}
	answer, err = server.AppendOwed(answer, now) // the pong, then the close frame
	if err != nil {
		fmt.Println(err)
	}

	// The client receives it all, 20 ms later.
	now = now.Add(20 * time.Millisecond)
	client.Received(now, 0, answer)
	for ev := client.Next(); ev.Kind != protocol.EventNone; ev = client.Next() {
		switch ev.Kind {
		case protocol.EventMessage:
			fmt.Printf("client received %v %q\n", ev.Type, ev.Data)
		case protocol.EventPong:
			fmt.Println("client received a pong after", client.Settled()[0].RTT)
		case protocol.EventClose:
			fmt.Println("client received close frame", client.CloseReceived())
		}
	}
	fmt.Println("client is", client.State(), "and owes an answer:", client.Owed())

	// Output:
	// server received text "Hello"
	// server received a ping
	// client received text "Hello"
	// client received a pong after 20ms
	// client received close frame 1000 (OK) bye
	// client is closing and owes an answer: true
}

// The opening handshake, with net/http to write and read requests and
// responses.
func ExampleOffer() {
	var toServer, toClient bytes.Buffer

	offer := &protocol.Offer{Subprotocols: []string{"chat"}}
	req, err := offer.Request(&url.URL{Scheme: "ws", Host: "example.com", Path: "/room"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := req.Write(&toServer); err != nil {
		fmt.Println(err)
		return
	}

	acceptor := &protocol.Acceptor{Subprotocols: []string{"superchat", "chat"}}
	got, err := http.ReadRequest(bufio.NewReader(&toServer))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, header, err := acceptor.Accept(got)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := protocol.AppendResponse(nil, header, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	toClient.Write(response)

	resp, err := http.ReadResponse(bufio.NewReader(&toClient), req)
	if err != nil {
		fmt.Println(err)
		return
	}
	agreement, err := offer.CheckResponse(req, resp)
	fmt.Printf("%s with subprotocol %q, error %v\n", resp.Status, agreement.Subprotocol, err)
	// Output: 101 Switching Protocols with subprotocol "chat", error <nil>
}

// A server tells a web page of another origin that it may not connect.
func ExampleAcceptor_Accept() {
	request := &http.Request{
		Method:     "GET",
		ProtoMajor: 1, ProtoMinor: 1,
		Host: "example.com",
		Header: http.Header{
			"Upgrade":               {"websocket"},
			"Connection":            {"Upgrade"},
			"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="},
			"Sec-Websocket-Version": {"13"},
			"Origin":                {"https://evil.example.net"},
		},
	}
	_, _, err := new(protocol.Acceptor).Accept(request)
	var he *protocol.HandshakeError
	if errors.As(err, &he) {
		fmt.Println(he.Status, http.StatusText(he.Status))
	}
	fmt.Println(errors.Is(err, protocol.ErrOrigin))
	fmt.Println(err)
	// Output:
	// 403 Forbidden
	// true
	// websocket: opening handshake failed: origin "https://evil.example.net" is not allowed (RFC 6455, section 10.2)
}

// A connection ends in one of these ways.
func ExampleCloseError() {
	tell := func(err error) {
		var violation *protocol.ViolationError
		switch {
		case errors.Is(err, protocol.ErrClosedOK):
			fmt.Println("ended as both sides wanted")
		case errors.As(err, &violation):
			fmt.Println("the peer broke the protocol:", violation.Reason)
		case errors.Is(err, io.EOF):
			fmt.Println("the peer went away without a word")
		case errors.Is(err, protocol.ErrClosedError):
			fmt.Println("ended with an error:", err)
		}
	}

	conn := func() *protocol.Conn { return protocol.NewConn(protocol.Config{Role: protocol.Client}) }
	receive := func(c *protocol.Conn, data string) {
		c.Received(time.Now(), 0, []byte(data))
		for ev := c.Next(); ev.Kind != protocol.EventNone; ev = c.Next() {
			if ev.Kind == protocol.EventViolation {
				c.FailViolation()
			}
		}
	}

	c := conn()
	receive(c, "\x88\x02\x03\xe8") // a close frame with code 1000
	tell(c.CloseError())

	c = conn()
	receive(c, "\x81\x01\xff") // a text message that is none
	tell(c.CloseError())

	c = conn()
	c.Disconnected(io.EOF)
	tell(c.CloseError())

	c = conn()
	receive(c, "\x88\x06\x03\xf0full")
	tell(c.CloseError())

	// Output:
	// ended as both sides wanted
	// the peer broke the protocol: text message that is not UTF-8
	// the peer went away without a word
	// ended with an error: websocket: received 1008 (policy violation) full; then sent 1008 (policy violation) full
}

// Both sides can be told apart in what they put on the wire: clients mask.
func ExampleAppendHeader() {
	h := protocol.Header{Fin: true, Opcode: protocol.OpText, Length: 5}
	fmt.Printf("% x\n", protocol.AppendHeader(nil, h))
	h.Masked, h.Mask = true, [4]byte{0x37, 0xfa, 0x21, 0x3d}
	payload := []byte("Hello")
	protocol.Mask(payload, payload, h.Mask, 0)
	fmt.Printf("% x\n", append(protocol.AppendHeader(nil, h), payload...))
	// Output:
	// 81 05
	// 81 85 37 fa 21 3d 7f 9f 4d 51 58
}
