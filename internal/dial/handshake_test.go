package dial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// dialScripted dials a server that reads one request and answers with what
// answer makes of it.
func dialScripted(t *testing.T, answer func(*http.Request) string) (*Result, error) {
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() { // ends when it has answered, or when the client has closed
		defer close(done)
		defer server.Close()
		req, err := http.ReadRequest(bufio.NewReader(server))
		if err != nil {
			t.Errorf("no request: %v", err)
			return
		}
		server.Write([]byte(answer(req))) // an error: the client has read enough
	}()
	result, err := Dial(context.Background(), "ws://server.example.com/", &Options{NetConn: client})
	client.Close()
	<-done
	return result, err
}

// accepted is what our own server answers.
func accepted(req *http.Request) string {
	_, header, err := new(protocol.Acceptor).Accept(req)
	if err != nil {
		return fmt.Sprintf("HTTP/1.1 500 %v\r\n\r\n", err)
	}
	var b strings.Builder
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	header.Write(&b)
	return b.String() + "\r\n"
}

// TestInterimResponses come before the answer and mean nothing.
func TestInterimResponses(t *testing.T) {
	const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
	result, err := dialScripted(t, func(req *http.Request) string { return interim + accepted(req) + "early" })
	if err != nil {
		t.Fatal(err)
	}
	if result.Response.StatusCode != 101 || string(result.Early) != "early" {
		t.Errorf("status %d, early data %q", result.Response.StatusCode, result.Early)
	}

	_, err = dialScripted(t, func(*http.Request) string { return interim + "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno" })
	var refused *protocol.InvalidStatusError
	if !errors.As(err, &refused) || refused.Response.StatusCode != 404 || string(refused.Body) != "no" {
		t.Errorf("%v, want status 404 with its body", err)
	}
}

// TestInterimResponsesWithoutEnd are read up to the limit and no further.
func TestInterimResponsesWithoutEnd(t *testing.T) {
	_, err := dialScripted(t, func(*http.Request) string {
		return strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxResponseHeader/20)
	})
	if !errors.Is(err, protocol.ErrHandshake) || !strings.Contains(err.Error(), "more than 262144 bytes") {
		t.Errorf("%v, want an error about the size", err)
	}
}
