package howto

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/protocol"
)

// patience bounds what takes no time when all is well.
const patience = 30 * time.Second

// toProxy are the options of a client that connects to a proxy on this machine,
// whatever its URL says, from an address of its own.
func toProxy(proxy, local string, trusting *tls.Config) face.Options {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}}
	return face.Options{
		TLS: trusting, Proxy: http.ProxyURL(nil), CloseTimeout: 5 * time.Second,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", proxy) },
	}
}

// A gateway is a proxy that runs as a page says.
type gateway struct {
	address string
	host    string // with its port, for clients
	url     string
	client  face.Options // that gets there, from 127.0.0.1
}

func newGateway(address string, trusting *tls.Config) gateway {
	_, port, _ := net.SplitHostPort(address)
	host := "tandem.test:" + port
	return gateway{address, host, "wss://" + host + "/chat", toProxy(address, "127.0.0.1", trusting)}
}

// asPage has the client be a page of this origin.
func asPage(opts face.Options, origin string) face.Options {
	opts.Header = http.Header{"Origin": {origin}}
	return opts
}

// greeted connects, and returns what the server says first. The connection ends
// with the test.
func greeted(t testing.TB, f face.Face, url string, opts face.Options) (conn face.Conn, greeting string) {
	t.Helper()
	conn, err := f.Connect(url, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.CloseNow)
	m, err := conn.Recv(patience)
	if err != nil {
		t.Fatal(err)
	}
	echo(t, conn)
	return conn, string(m.Data)
}

// echo sends a message and has it back.
func echo(t testing.TB, conn face.Conn) {
	t.Helper()
	if err := conn.Send(protocol.TextMessage("hello"), patience); err != nil {
		t.Fatal(err)
	}
	if m, err := conn.Recv(patience); err != nil || string(m.Data) != "hello" {
		t.Fatalf("echo %q, %v", m.Data, err)
	}
}

// goneAway fails the test unless the server says that it is going away.
func goneAway(t testing.TB, conn face.Conn) {
	t.Helper()
	_, err := conn.Recv(patience)
	var closed *protocol.CloseError
	if !errors.As(err, &closed) || closed.Rcvd == nil || closed.Rcvd.Code != protocol.GoingAway {
		t.Errorf("%v, want code 1001", err)
	}
}

// refused fails the test unless the server answers with this status.
func refused(t testing.TB, f face.Face, url string, opts face.Options, status int) {
	t.Helper()
	conn, err := f.Connect(url, &opts)
	if err == nil {
		conn.CloseNow()
	}
	var failed *protocol.InvalidStatusError
	if !errors.As(err, &failed) || failed.Response.StatusCode != status {
		t.Errorf("%v, want status %d", err, status)
	}
}
