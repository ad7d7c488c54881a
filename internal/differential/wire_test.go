package differential

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// A wire is a connection whose peer has sent all that it will, and which keeps
// what is sent to it. A client's is answered its opening handshake first.
type wire struct {
	input  []byte // of the peer, behind the handshake
	opened chan struct{}

	mu        sync.Mutex
	in        *bytes.Reader
	out       bytes.Buffer
	answering bool // the request is still coming
}

// serversWire returns the wire of a server: its handshake goes another way.
func serversWire(input []byte) *wire {
	w := &wire{input: input, opened: make(chan struct{}), in: bytes.NewReader(input)}
	close(w.opened)
	return w
}

func clientsWire(input []byte) *wire {
	return &wire{input: input, opened: make(chan struct{}), answering: true}
}

func (w *wire) Read(p []byte) (int, error) {
	<-w.opened
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.in.Read(p)
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Write(p)
	if w.answering && bytes.HasSuffix(w.out.Bytes(), []byte("\r\n\r\n")) {
		w.answering = false
		w.in = bytes.NewReader(append(accept(w.out.Bytes()), w.input...))
		w.out.Reset()
		close(w.opened)
	}
	return len(p), nil
}

// accept answers a request.
func accept(request []byte) []byte {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		panic(err)
	}
	_, header, err := new(protocol.Acceptor).Accept(req)
	if err != nil {
		panic(err)
	}
	response, err := protocol.AppendResponse(nil, header, time.Now())
	if err != nil {
		panic(err)
	}
	return response
}

// sent returns the code of the close frame that was sent, 1005 for an empty one
// and 0 if there was none.
func (w *wire) sent() (code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.out.Bytes()
	if bytes.HasPrefix(out, []byte("HTTP/")) { // the answer of a server that writes it itself
		_, out, _ = bytes.Cut(out, []byte("\r\n\r\n"))
	}
	for {
		h, size, err := protocol.ParseHeader(out)
		if err != nil || size == 0 {
			return 0
		}
		payload := bytes.Clone(out[size : size+int(h.Length)])
		out = out[size+int(h.Length):]
		if h.Masked {
			protocol.Mask(payload, payload, h.Mask, 0)
		}
		switch {
		case h.Opcode != protocol.OpClose:
		case len(payload) < 2:
			return int(protocol.NoStatusReceived)
		default:
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

func (*wire) Close() error                     { return nil }
func (*wire) LocalAddr() net.Addr              { return new(net.TCPAddr) }
func (*wire) RemoteAddr() net.Addr             { return new(net.TCPAddr) }
func (*wire) SetDeadline(time.Time) error      { return nil }
func (*wire) SetReadDeadline(time.Time) error  { return nil }
func (*wire) SetWriteDeadline(time.Time) error { return nil }

// A hijackable is an answer that gives its connection away.
type hijackable struct {
	*httptest.ResponseRecorder
	conn *wire
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// upgrade returns a handshake whose connection is the wire.
func upgrade(w *wire) (hijackable, *http.Request) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	return hijackable{httptest.NewRecorder(), w}, r
}

// atEnd reports that nothing is wrong but that no more bytes come.
func atEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
