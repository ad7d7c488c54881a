package async_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

// One message goes to several clients. Neither of them could hold up the other.
func ExampleBroadcast() {
	ctx := context.Background()
	alice, first := wsasync.Pipe(ctx, nil)
	bob, second := wsasync.Pipe(ctx, nil)
	defer alice.CloseNow()
	defer bob.CloseNow()

	conns := slices.Values([]*wsasync.ServerConn{first, second}) // or server.Connections()
	if err := wsasync.Broadcast(ctx, conns, protocol.TextMessage("dinner is ready"), nil); err != nil {
		fmt.Println(err)
	}
	for _, client := range []*wsasync.ClientConn{alice, bob} {
		m, err := client.Recv(ctx)
		fmt.Println(m, err)
	}
	// Output:
	// dinner is ready <nil>
	// dinner is ready <nil>
}

// A message that is sent again and again is encoded once.
func ExamplePrepare() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	defer client.CloseNow()

	greeting, err := wsasync.Prepare(protocol.TextMessage("hello"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		if err := server.SendPrepared(ctx, greeting); err != nil {
			fmt.Println(err)
		}
		m, err := client.Recv(ctx)
		fmt.Println(m, err)
	}
	// Output:
	// hello <nil>
	// hello <nil>
}

// Values go as JSON. What is not JSON is an error, and the connection goes on.
func ExampleRecvJSON() {
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	defer client.CloseNow()

	type point struct{ X, Y int }
	if err := client.SendText(ctx, "not JSON"); err != nil {
		fmt.Println(err)
	}
	if err := wsasync.SendJSON(ctx, client, point{3, 4}); err != nil {
		fmt.Println(err)
	}
	for range 2 {
		p, err := wsasync.RecvJSON[point](ctx, server)
		var wrong *wsasync.JSONError
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
	ctx := context.Background()
	client, server := wsasync.Pipe(ctx, nil)
	go func() {
		stream := wsasync.NetConn(server, protocol.Binary)
		defer stream.Close()
		fmt.Fprint(stream, "one\ntwo\n")
	}()

	lines := bufio.NewScanner(wsasync.NetConn(client, protocol.Binary))
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	fmt.Println(lines.Err())
	// Output:
	// one
	// two
	// <nil>
}
