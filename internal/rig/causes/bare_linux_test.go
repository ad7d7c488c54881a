package causes

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// A bare peer performs the opening handshake, and then does with the
// connection only what behave does.
type bare struct {
	behave func(conn net.Conn, from *bufio.Reader)
}

func (b bare) serve(t *testing.T) (url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() { // ends with the connection, or with the listener if none comes
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		if err := b.accept(conn); err != nil {
			t.Errorf("bare server: %v", err)
		}
	}()
	return fmt.Sprintf("ws://%v/", listener.Addr())
}

// accept is the server's side of the handshake.
func (b bare) accept(conn net.Conn) error {
	defer conn.Close()
	from := bufio.NewReader(conn)
	request, err := http.ReadRequest(from)
	if err != nil {
		return err
	}
	_, header, err := new(protocol.Acceptor).Accept(request)
	if err != nil {
		return err
	}
	response, err := protocol.AppendResponse(nil, header, time.Now())
	if err != nil {
		return err
	}
	if _, err := conn.Write(response); err != nil {
		return err
	}
	b.behave(conn, from)
	return nil
}

// connect is the client's side of the handshake.
func (b bare) connect(t *testing.T, address string) {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	request, err := new(protocol.Offer).Request(u)
	if err != nil {
		t.Fatal(err)
	}
	if err := request.Write(conn); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(conn)
	if _, err := http.ReadResponse(from, request); err != nil {
		t.Fatal(err)
	}
	go b.behave(conn, from) // ends with the connection
}
