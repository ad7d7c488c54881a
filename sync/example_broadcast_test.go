package sync_test

import (
	"bufio"
	"errors"
	"fmt"
	"slices"

	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// One message goes to several clients. Neither of them could hold up the other.
func ExampleBroadcast() {
	alice, first := wssync.Pipe(nil)
	bob, second := wssync.Pipe(nil)
	defer alice.CloseNow()
	defer bob.CloseNow()

	conns := slices.Values([]*wssync.ServerConn{first, second}) // or server.Connections()
	if err := wssync.Broadcast(conns, protocol.TextMessage("dinner is ready"), nil); err != nil {
		fmt.Println(err)
	}
	for _, client := range []*wssync.ClientConn{alice, bob} {
		m, err := client.Recv()
		fmt.Println(m, err)
	}
	// Output:
	// dinner is ready <nil>
	// dinner is ready <nil>
}

// A message that is sent again and again is encoded once.
func ExamplePrepare() {
	client, server := wssync.Pipe(nil)
	defer client.CloseNow()

	greeting, err := wssync.Prepare(protocol.TextMessage("hello"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		if err := server.SendPrepared(greeting); err != nil {
			fmt.Println(err)
		}
		m, err := client.Recv()
		fmt.Println(m, err)
	}
	// Output:
	// hello <nil>
	// hello <nil>
}

// Values go as JSON. What is not JSON is an error, and the connection goes on.
func ExampleRecvJSON() {
	client, server := wssync.Pipe(nil)
	defer client.CloseNow()

	type point struct{ X, Y int }
	if err := client.SendText("not JSON"); err != nil {
		fmt.Println(err)
	}
	if err := wssync.SendJSON(client, point{3, 4}); err != nil {
		fmt.Println(err)
	}
	for range 2 {
		p, err := wssync.RecvJSON[point](server)
		var wrong *wssync.JSONError
		if errors.As(err, &wrong) {
			fmt.Println("not a point:", wrong.Message)
			continue
		}
		fmt.Println(p, err)
	}
	// Output:
	// not a point: not JSON
	// {3 4} <nil>
}

// Any protocol that runs over TCP runs over a connection.
func ExampleNetConn() {
	client, server := wssync.Pipe(nil)
	go func() {
		stream := wssync.NetConn(server, protocol.Binary)
		defer stream.Close()
		fmt.Fprint(stream, "one\ntwo\n")
	}()

	lines := bufio.NewScanner(wssync.NetConn(client, protocol.Binary))
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	fmt.Println(lines.Err())
	// Output:
	// one
	// two
	// <nil>
}
