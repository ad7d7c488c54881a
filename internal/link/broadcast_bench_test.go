package link

import (
	"io"
	"net"
	"slices"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// BenchmarkBroadcast sends messages of 32 bytes to connections that wait for
// messages, over sockets. What it tells is for one connection.
func BenchmarkBroadcast(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	conns := make([]*Conn, 1000)
	for i := range conns {
		conns[i] = receiving(b, l)
	}
	defer end(conns...)
	message := protocol.Message{Type: protocol.Binary, Data: make([]byte, 32)}
	opts := new(BroadcastOptions[*Conn])
	report := func(c *Conn, err error) { b.Fatal(c.RemoteAddr(), err) }
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(conns) {
		if err := Broadcast(nil, slices.Values(conns), message, opts, func(c *Conn) *Conn { return c }, report); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
}

// receiving returns a connection that waits for messages, to a peer that reads.
func receiving(b *testing.B, l net.Listener) *Conn {
	theirs, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	ours, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { theirs.Close() })
	go io.Copy(io.Discard, theirs) // ends with the connection
	c := opened(ours, Options{Role: protocol.Server})
	go c.Receive(nil) // ends with the connection
	return c
}
