package sync_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// Waiting for a while and going on with something else loses nothing.
func ExampleConn_RecvTimeout() {
	client, server := wssync.Pipe(nil)
	defer client.Close()
	defer server.Close()

	_, err := client.RecvTimeout(10 * time.Millisecond)
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))

	if err := server.SendText("here I am"); err != nil {
		log.Fatal(err)
	}
	msg, err := client.Recv()
	fmt.Println(msg, err)
	// Output:
	// true
	// here I am <nil>
}

// The loop ends quietly when the connection is closed normally. Any other end
// is an error.
func ExampleConn_Messages() {
	client, server := wssync.Pipe(nil)
	for _, word := range []string{"one", "two"} {
		if err := server.SendText(word); err != nil {
			log.Fatal(err)
		}
	}
	go server.Close()

	for msg, err := range client.Messages() {
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
	client, server := wssync.Pipe(nil)
	defer client.Close()
	defer server.Close()
	go server.SendBinary(make([]byte, 500_000))

	typ, r, err := client.RecvReader()
	if err != nil {
		log.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r)
	fmt.Println(typ, n, err)
	// Output: binary 500000 <nil>
}

// A message that was answered is of no use any more: its memory may serve others.
func ExampleConn_Recv_release() {
	client, server := wssync.Pipe(nil)
	defer client.Close()
	defer server.Close()
	go func() { // ends with the connection
		for {
			msg, err := server.Recv()
			if err != nil {
				return
			}
			if err := server.Send(msg); err != nil {
				return
			}
			msg.Release() // msg.Data is nil now
		}
	}()

	for _, word := range []string{"one", "two"} {
		if err := client.SendText(word); err != nil {
			log.Fatal(err)
		}
		msg, err := client.Recv()
		fmt.Println(msg, err)
		msg.Release()
	}
	// Output:
	// one <nil>
	// two <nil>
}

// Receiving into the same buffer again and again allocates nothing.
func ExampleConn_RecvAppend() {
	client, server := wssync.Pipe(nil)
	defer client.Close()
	defer server.Close()
	for _, word := range []string{"one", "two"} {
		if err := server.SendText(word); err != nil {
			log.Fatal(err)
		}
	}

	buf := make([]byte, 0, 4096)
	for range 2 {
		typ, data, err := client.RecvAppend(buf)
		fmt.Println(typ == protocol.Text, string(data), err)
	}
	// Output:
	// true one <nil>
	// true two <nil>
}
