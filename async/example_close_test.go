package async_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// The other side learns the code and the reason.
func ExampleConn_CloseWith() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)

	fmt.Println(server.CloseWith(protocol.PolicyViolation, "too many requests"))

	_, err := client.Recv(ctx)
	var closed *protocol.CloseError
	if errors.As(err, &closed) {
		fmt.Println(closed.Code(), "because of", closed.Reason())
		fmt.Println("the server closed first:", closed.RcvdThenSent)
	}
	<-client.Done()
	// Output:
	// <nil>
	// 1008 (policy violation) because of too many requests
	// the server closed first: true
}

// whatHappened tells ends of a connection apart.
func whatHappened(err error) string {
	var lost *keepalive.TimeoutError
	var broken *protocol.ViolationError
	switch {
	case errors.Is(err, protocol.ErrClosedOK):
		return "closed normally"
	case errors.As(err, &lost):
		return "the peer is gone: " + lost.Cause.String()
	case errors.As(err, &broken):
		return "the peer broke the protocol: " + broken.Reason
	case errors.Is(err, wsasync.ErrAborted):
		return "we cut it ourselves"
	case errors.Is(err, io.EOF):
		return "TCP ended without a close frame"
	case errors.Is(err, protocol.ErrClosed):
		return "closed with an error"
	}
	return "it is open"
}

// Every call on a connection that has ended returns a *protocol.CloseError,
// which says how it ended.
func ExampleConn_Err() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	fmt.Println(whatHappened(client.Err()))
	server.Close()
	<-client.Done()
	fmt.Println(whatHappened(client.Err()))

	client, server = wsasync.Pipe(ctx, nil)
	server.CloseWith(protocol.TryAgainLater, "")
	<-client.Done()
	fmt.Println(whatHappened(client.Err()))

	client, server = wsasync.Pipe(ctx, nil)
	server.CloseNow()
	<-client.Done()
	fmt.Println(whatHappened(server.Err()))
	fmt.Println(whatHappened(client.Err()))

	client, server = wsasync.Pipe(ctx, &wsasync.PipeOptions{Server: wsasync.ServerOptions{MaxMessageSize: 10}})
	client.SendText(ctx, "a message that the server finds too long")
	<-server.Done()
	fmt.Println(whatHappened(server.Err()))
	<-client.Done()
	// Output:
	// it is open
	// closed normally
	// closed with an error
	// we cut it ourselves
	// TCP ended without a close frame
	// the peer broke the protocol: message of more than 10 bytes
}

// A connection's context ends with it, and knows why.
func ExampleConn_Context() {
	client, server := wsasync.Pipe(context.Background(), nil)
	server.CloseWith(protocol.GoingAway, "maintenance")

	<-client.Context().Done()
	fmt.Println(context.Cause(client.Context()))
	<-client.Done()
	// Output: websocket: received 1001 (going away) maintenance; then sent 1001 (going away) maintenance
}
