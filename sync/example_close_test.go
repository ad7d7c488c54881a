package sync_test

import (
	"errors"
	"fmt"
	"io"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// The other side learns the code and the reason.
func ExampleConn_CloseWith() {
	client, server := wssync.Pipe(nil)

	fmt.Println(server.CloseWith(protocol.PolicyViolation, "too many requests"))

	_, err := client.Recv()
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
	case errors.Is(err, wssync.ErrAborted):
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
	client, server := wssync.Pipe(nil)
	fmt.Println(whatHappened(client.Err()))
	server.Close()
	<-client.Done()
	fmt.Println(whatHappened(client.Err()))

	client, server = wssync.Pipe(nil)
	server.CloseWith(protocol.TryAgainLater, "")
	<-client.Done()
	fmt.Println(whatHappened(client.Err()))

	client, server = wssync.Pipe(nil)
	server.CloseNow()
	<-client.Done()
	fmt.Println(whatHappened(server.Err()))
	fmt.Println(whatHappened(client.Err()))

	client, server = wssync.Pipe(&wssync.PipeOptions{Server: wssync.ServerOptions{MaxMessageSize: 10}})
	client.SendText("a message that the server finds too long")
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
