package async_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// A message whose length is not known beforehand leaves in fragments.
func ExampleConn_SendWriter() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	defer client.Close()
	defer server.Close()

	w, err := server.SendWriter(ctx, protocol.Text)
	if err != nil {
		log.Fatal(err)
	}
	for n := range 3 {
		fmt.Fprintf(w, "line %d;", n)
	}
	if err := w.Close(); err != nil { // ends the message
		log.Fatal(err)
	}

	msg, err := client.Recv(ctx)
	fmt.Println(msg, err)
	// Output: line 0;line 1;line 2; <nil>
}

// A message that could not even be begun in time is not sent, and the
// connection goes on. Here one that is sent in pieces is in the way.
func ExampleConn_Send() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	defer client.Close()
	defer server.Close()
	w, err := client.SendWriter(ctx, protocol.Text)
	if err != nil {
		log.Fatal(err)
	}

	brief, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	err = client.Send(brief, protocol.TextMessage("too late"))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Send(ctx, protocol.TextMessage("in time")))
	// Output:
	// true
	// <nil>
}
