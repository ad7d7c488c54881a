package sync_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// A message whose length is not known beforehand leaves in fragments.
func ExampleConn_SendWriter() {
	client, server := wssync.Pipe(nil)
	defer client.Close()
	defer server.Close()

	w, err := server.SendWriter(protocol.Text)
	if err != nil {
		log.Fatal(err)
	}
	for n := range 3 {
		fmt.Fprintf(w, "line %d;", n)
	}
	if err := w.Close(); err != nil { // ends the message
		log.Fatal(err)
	}

	msg, err := client.Recv()
	fmt.Println(msg, err)
	// Output: line 0;line 1;line 2; <nil>
}

// A message that could not even be begun in time is not sent, and the
// connection goes on. Here one that is sent in pieces is in the way.
func ExampleWithTimeout() {
	client, server := wssync.Pipe(nil)
	defer client.Close()
	defer server.Close()
	w, err := client.SendWriter(protocol.Text)
	if err != nil {
		log.Fatal(err)
	}

	err = client.SendText("too late", wssync.WithTimeout(10*time.Millisecond))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))

	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.SendText("in time", wssync.WithTimeout(time.Second)))
	// Output:
	// true
	// <nil>
}
