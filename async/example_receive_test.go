package async_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// A context bounds the call, not the connection: leaving loses nothing.
func ExampleConn_Recv() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	defer client.Close()
	defer server.Close()

	brief, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err := client.Recv(brief)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	if err := server.SendText(ctx, "here I am"); err != nil {
		log.Fatal(err)
	}
	msg, err := client.Recv(ctx)
	fmt.Println(msg, err)
	// Output:
	// true
	// here I am <nil>
}

// The loop ends quietly when the connection is closed normally. Any other end
// is an error.
func ExampleConn_Messages() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	for _, word := range []string{"one", "two"} {
		if err := server.SendText(ctx, word); err != nil {
			log.Fatal(err)
		}
	}
	go server.Close()

	for msg, err := range client.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(msg.Type, msg)
	}
	<-server.Done()
	// Output:
	// text one
	// text two
}

// A large message need not be held in memory.
func ExampleConn_RecvReader() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	defer client.Close()
	defer server.Close()
	go server.SendBinary(ctx, make([]byte, 500_000))

	typ, r, err := client.RecvReader(ctx)
	if err != nil {
		log.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r)
	fmt.Println(typ, n, err)
	// Output: binary 500000 <nil>
}

// A message that was answered is of no use any more: its memory may serve others.
func ExampleConn_Recv_release() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	defer client.Close()
	defer server.Close()
	go func() { // ends with the connection
		for {
			msg, err := server.Recv(ctx)
			if err != nil {
				return
			}
			if err := server.Send(ctx, msg); err != nil {
				return
			}
			msg.Release() // msg.Data is nil now
		}
	}()

	for _, word := range []string{"one", "two"} {
		if err := client.SendText(ctx, word); err != nil {
			log.Fatal(err)
		}
		msg, err := client.Recv(ctx)
		fmt.Println(msg, err)
		msg.Release()
	}
	// Output:
	// one <nil>
	// two <nil>
}

// Receiving into the same buffer again and again allocates nothing.
func ExampleConn_RecvAppend() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	defer client.Close()
	defer server.Close()
	for _, word := range []string{"one", "two"} {
		if err := server.SendText(ctx, word); err != nil {
			log.Fatal(err)
		}
	}

	buf := make([]byte, 0, 4096)
	for range 2 {
		typ, data, err := client.RecvAppend(ctx, buf)
		fmt.Println(typ == protocol.Text, string(data), err)
	}
	// Output:
	// true one <nil>
	// true two <nil>
}
