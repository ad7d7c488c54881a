package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
)

func TestPingStats(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name string
		sent int
		rtts []time.Duration
		want string
	}{
		{"nothing sent", 0, nil, "0 pings sent, 0 pongs received, 0% loss\n"},
		{"all lost", 3, nil, "3 pings sent, 0 pongs received, 100% loss\n"},
		{"one", 1, []time.Duration{2 * ms}, "1 pings sent, 1 pongs received, 0% loss\n" +
			"rtt min/avg/max/jitter = 2.000/2.000/2.000/0.000 ms\n"},
		{"steps of 3, 1 and 2", 4, []time.Duration{4 * ms, 1 * ms, 2 * ms, 4 * ms}, "4 pings sent, 4 pongs received, 0% loss\n" +
			"rtt min/avg/max/jitter = 1.000/2.750/4.000/2.000 ms\n"},
		{"a third lost", 3, []time.Duration{1 * ms, 1*ms + 500}, "3 pings sent, 2 pongs received, 33.33% loss\n" +
			"rtt min/avg/max/jitter = 1.000/1.000/1.000/0.001 ms\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := pingStats{sent: test.sent}
			for _, rtt := range test.rtts {
				s.add(rtt)
			}
			if got := s.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestPing: the peer's data do not get in the way of its pongs.
func TestPing(t *testing.T) {
	url := serveTest(t, func(ctx context.Context, conn *wsasync.ServerConn) (err error) {
		for err == nil {
			err = conn.SendBinary(ctx, make([]byte, 10_000))
		}
		return err
	})
	status, out, errs := call(t, "ping", "--count", "3", "--interval", "10ms", url)
	if status != statusOK || errs != "" {
		t.Errorf("status %d, standard error %q", status, errs)
	}
	for _, part := range []string{"PING ws://127.0.0.1:", "seq=1 rtt=", "seq=2 rtt=", "seq=3 rtt=", "3 pings sent, 3 pongs received, 0% loss", "rtt min/avg/max/jitter = "} {
		checkContains(t, "standard output", out, part)
	}
}

// TestPingInterrupt: without a count it goes on until Ctrl-C, and then tells
// the statistics.
func TestPingInterrupt(t *testing.T) {
	tandem := start(t, "ping", "--interval", "1ms", serveTest(t, echoAsync))
	tandem.out.waitFor(t, "seq=10 ")
	tandem.interrupt()
	tandem.wait(t, statusOK)
	checkContains(t, "standard output", tandem.out.String(), " pings sent, ")
}

// TestPingNoPong: a peer that answers nothing is not an error, but none of its
// pongs came.
func TestPingNoPong(t *testing.T) {
	t.Parallel() // for the closing handshake takes its whole second
	url, _ := serveMute(t)
	status, out, errs := call(t, "ping", "--count", "2", "--interval", "10ms", "--timeout", "200ms", url)
	if status != statusFailed || errs != "" {
		t.Errorf("status %d, standard error %q", status, errs)
	}
	for _, part := range []string{"no pong for seq=1 within 200ms\n", "no pong for seq=2 within 200ms\n", "2 pings sent, 0 pongs received, 100% loss\n"} {
		checkContains(t, "standard output", out, part)
	}
}

// TestPingLastLost: a connection that ends with the last ping unanswered is an error.
func TestPingLastLost(t *testing.T) {
	url := serveRaw(t, func(conn net.Conn) { conn.Read(make([]byte, 1)) })
	status, out, errs := call(t, "ping", "--count", "1", url)
	if status != statusPingError || errs == "" {
		t.Errorf("status %d, standard error %q", status, errs)
	}
	checkContains(t, "standard output", out, "1 pings sent, 0 pongs received")
}

// serveMute starts a server that agrees to the opening handshake and is silent
// from then on. heard is closed when it hears something; it is for one client.
func serveMute(t *testing.T) (url string, heard <-chan struct{}) {
	first := make(chan struct{})
	url = serveRaw(t, func(conn net.Conn) {
		conn.Read(make([]byte, 1))
		close(first)
		io.Copy(io.Discard, conn)
	})
	return url, first
}

// serveRaw starts a server that agrees to the opening handshake, does as it is told and
// drops the connection.
func serveRaw(t *testing.T, talk func(conn net.Conn)) (url string) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, header, err := new(protocol.Acceptor).Accept(r)
		if err != nil {
			t.Error(err)
			return
		}
		response, err := protocol.AppendResponse(nil, header, time.Now())
		if err != nil {
			t.Error(err)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		conn.Write(response)
		talk(conn)
	}))
	t.Cleanup(web.Close)
	return strings.Replace(web.URL, "http", "ws", 1)
}

// TestPingLastPong: when all pongs have come nothing is lost with the connection. Of
// twenty times, for which of the two is seen first is chance.
func TestPingLastPong(t *testing.T) {
	url := serveRaw(t, func(conn net.Conn) {
		ping := make([]byte, 2+4+125) // and its mask
		if n, err := conn.Read(ping); err == nil {
			pong := unmasked(ping[:n])
			pong[0] ^= 0x9 ^ 0xa // the opcode
			conn.Write(pong)
		}
	})
	for range 20 {
		if status, out, errs := call(t, "ping", "--count", "1", url); status != statusOK {
			t.Fatalf("status %d, standard output %q, standard error %q", status, out, errs)
		}
	}
}

// unmasked returns a short frame without its mask (RFC 6455, section 5.3).
func unmasked(frame []byte) []byte {
	mask, payload := frame[2:6], frame[6:]
	short := []byte{frame[0], byte(len(payload))}
	for i, b := range payload {
		short = append(short, b^mask[i%4])
	}
	return short
}

// TestPingLost: the loss of the connection is an error, whatever came before.
func TestPingLost(t *testing.T) {
	drop := make(chan struct{})
	url := serveTest(t, func(_ context.Context, conn *wsasync.ServerConn) error {
		<-drop
		conn.CloseNow()
		return nil
	})
	tandem := start(t, "ping", "--interval", "10ms", url)
	tandem.out.waitFor(t, "seq=2 ")
	close(drop)
	tandem.wait(t, statusPingError)
	checkContains(t, "standard output", tandem.out.String(), " pings sent, ")
	checkContains(t, "standard error", tandem.err.String(), "tandem ping: websocket: no close frame received")
}
