package main

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// linked returns the two ends of a connection through a faulty link. Reads
// have a limit, for a test to fail and not to hang.
func linked(t *testing.T) (link *faultyLink, client, server *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if link, err = newFaultyLink(listener.Addr().String(), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.close)
	near, err := net.Dial("tcp", link.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.Conn{near, far} {
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		t.Cleanup(func() { conn.Close() })
	}
	return link, near.(*net.TCPConn), far.(*net.TCPConn)
}

// carries checks that bytes get from one end to the other.
func carries(t *testing.T, from, to net.Conn) {
	t.Helper()
	const text = "hello"
	if _, err := io.WriteString(from, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to, got); err != nil || string(got) != text {
		t.Fatalf("got %q, %v", got, err)
	}
}

// TestLinkForwards: bytes and the end of each direction, one by one, so that a
// closing handshake looks as it does without a link.
func TestLinkForwards(t *testing.T) {
	_, client, server := linked(t)
	carries(t, client, server)
	carries(t, server, client)
	server.CloseWrite()
	if n, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("read %d bytes and %v, want %v", n, err, io.EOF)
	}
	carries(t, client, server)
}

// TestLinkSilent: a silent link takes everything and delivers nothing, not even
// that an end has closed.
func TestLinkSilent(t *testing.T) {
	link, client, server := linked(t)
	carries(t, server, client)
	link.silence()
	delivered := link.lastDelivery()
	for _, conn := range []net.Conn{client, server} {
		if _, err := io.WriteString(conn, "lost"); err != nil {
			t.Error(err)
		}
	}
	server.CloseWrite()
	client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := client.Read(make([]byte, 1)); n > 0 || err == io.EOF {
		t.Errorf("read %d bytes and %v, want silence", n, err)
	}
	if !link.lastDelivery().Equal(delivered) {
		t.Error("the link tells of a delivery that did not take place")
	}
}

// TestLinkClose: closing the link closes both ends.
func TestLinkClose(t *testing.T) {
	link, client, server := linked(t)
	carries(t, server, client)
	link.close()
	for _, conn := range []net.Conn{client, server} {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("read something, want the end")
		}
	}
}

// TestPace: the rate holds over many small pieces, oversleeping is made up for,
// idleness is not.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace{rate: 1000}
		begin := time.Now()
		takes := func(what string, want time.Duration) {
			t.Helper()
			if got := time.Since(begin); got != want {
				t.Errorf("%s took %v, want %v", what, got, want)
			}
			begin = time.Now()
		}
		for range 10 {
			p.wait(100)
		}
		takes("1000 bytes", time.Second)
		time.Sleep(50 * time.Millisecond)
		p.wait(100)
		takes("100 bytes after a nap", 100*time.Millisecond)
		time.Sleep(time.Hour)
		begin = time.Now()
		p.wait(100)
		takes("100 bytes after an hour", 100*time.Millisecond)
	})
}
