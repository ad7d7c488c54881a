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
// whose own are subtracted.
func TestHandshakeAllocates(t *testing.T) {
	if Race {
		t.Skip("the race detector allocates")
	}
	for _, c := range []struct {
		offer string
		most  map[face.Face]float64
	}{
		{"", map[face.Face]float64{face.Sync{}: 18, face.Async{}: 23}},
		{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", map[face.Face]float64{face.Sync{}: 30, face.Async{}: 35}},
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
	handler, err := f.NewHandler(func(conn face.Conn) error {
		_, err := conn.Recv(0)
		return err
	}, &face.Options{DiscardRequest: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + offer + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	w := &takeable{rw: bufio.NewReadWriter(bufio.NewReader(nil), bufio.NewWriter(nil))}
	connect := func() {
		ours, theirs := link.NewPipe()
		ours.(interface{ CloseWrite() error }).CloseWrite()
		w.conn = theirs
	}
	return testing.AllocsPerRun(100, func() { connect(); handler.ServeHTTP(w, r) }) - testing.AllocsPerRun(100, connect)
}

// takeable is a response writer of a connection.
type takeable struct {
	http.ResponseWriter
	conn net.Conn
	rw   *bufio.ReadWriter
}

func (w *takeable) Header() http.Header                          { return nil }
func (w *takeable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.conn, w.rw, nil }
