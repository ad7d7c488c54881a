package suite

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/link"
)

// TestHandshakeAllocates counts the allocations of a connection from a request
// that net/http has read to the end of the handler. The connections are pipes,
// whose own are subtracted, but for the one in which a connection remembers that it
// has no socket.
func TestHandshakeAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	for _, c := range []struct {
		offer string
		most  map[face.Face]float64
	}{
		{"", map[face.Face]float64{face.Sync{}: 12, face.Async{}: 16}},
		{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", map[face.Face]float64{face.Sync{}: 24, face.Async{}: 28}},
	} {
		for f, most := range c.most {
			if allocs := handshakeAllocs(t, f, c.offer); allocs > most {
				t.Errorf("%s, %q: %v allocations, want %v at most", f.Name(), c.offer, allocs, most)
			}
		}
	}
}

// handshakeAllocs returns how often a connection allocates whose client offers
// something and then goes.
func handshakeAllocs(t *testing.T, f face.Face, offer string) float64 {
	serve := serving(t, f, offer, func(conn face.Conn) error {
		_, err := conn.Recv(0)
		return err
	})
	return testing.AllocsPerRun(100, func() { serve(halfPipe()) }) - testing.AllocsPerRun(100, func() { halfPipe() })
}

// serving returns a function that serves a connection, whose client's request net/http
// has read. It offers something.
func serving(t *testing.T, f face.Face, offer string, handle func(face.Conn) error) func(net.Conn) {
	handler, err := f.NewHandler(handle, &face.Options{DiscardRequest: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + offer + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	w := &takeable{rw: bufio.NewReadWriter(bufio.NewReader(nil), bufio.NewWriter(nil))}
	return func(conn net.Conn) {
		w.conn = conn
		handler.ServeHTTP(w, r)
	}
}

// halfPipe returns an end of a pipe whose other end sends nothing.
func halfPipe() net.Conn {
	theirs, ours := link.NewPipe()
	theirs.(interface{ CloseWrite() error }).CloseWrite()
	return ours
}

// takeable is a response writer of a connection.
type takeable struct {
	http.ResponseWriter
	conn net.Conn
	rw   *bufio.ReadWriter
}

func (w *takeable) Header() http.Header                          { return nil }
func (w *takeable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.conn, w.rw, nil }
