package differential

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/tandemws/tandem/protocol"
)

// An outcome is what a server made of what a client sent.
type outcome struct {
	messages []string // "text ..." or "binary ..."
	closed   bool     // the client's close frame ended it
	failed   bool     // something was wrong; the end of the bytes is not
	reason   string   // Tandem's
}

// tandem has the bytes read by package protocol.
func tandem(input []byte) (o outcome) {
	c := protocol.NewConn(protocol.Config{Role: protocol.Server, MaxMessageSize: limit})
	c.Received(time.Now(), 0, bytes.Clone(input))
	for {
		switch ev := c.Next(); ev.Kind {
		case protocol.EventNone:
			return o
		case protocol.EventMessage:
			o.messages = append(o.messages, ev.Type.String()+" "+string(ev.Data))
		case protocol.EventClose:
			o.closed = true
		case protocol.EventViolation:
			var v *protocol.ViolationError
			if errors.As(c.Violation(), &v) {
				o.failed, o.reason = true, v.Reason
			}
			return o
		}
	}
}

// limit is the size of the largest message, for all of them.
const limit = 1 << 20

// A wire is a connection whose client has sent all that it will.
type wire struct{ in *bytes.Reader }

func (w wire) Read(p []byte) (int, error)     { return w.in.Read(p) }
func (wire) Write(p []byte) (int, error)      { return len(p), nil }
func (wire) Close() error                     { return nil }
func (wire) LocalAddr() net.Addr              { return new(net.TCPAddr) }
func (wire) RemoteAddr() net.Addr             { return new(net.TCPAddr) }
func (wire) SetDeadline(time.Time) error      { return nil }
func (wire) SetReadDeadline(time.Time) error  { return nil }
func (wire) SetWriteDeadline(time.Time) error { return nil }

// A hijackable is an answer that gives its connection away.
type hijackable struct {
	*httptest.ResponseRecorder
	conn wire
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// upgrade returns a handshake behind which the input comes.
func upgrade(input []byte) (hijackable, *http.Request) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	return hijackable{httptest.NewRecorder(), wire{bytes.NewReader(input)}}, r
}

func byGorilla(input []byte) (o outcome) {
	w, r := upgrade(input)
	conn, err := new(gorilla.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		panic(err)
	}
	conn.SetReadLimit(limit)
	for {
		typ, data, err := conn.ReadMessage()
		if err == nil {
			o.messages = append(o.messages, kind(typ == gorilla.TextMessage)+string(data))
			continue
		}
		var closed *gorilla.CloseError
		o.closed = errors.As(err, &closed) && closed.Code != gorilla.CloseAbnormalClosure
		o.failed = !o.closed && !atEnd(err) && (closed == nil)
		return o
	}
}

func byCoder(input []byte) (o outcome) {
	w, r := upgrade(input)
	conn, err := coder.Accept(w, r, &coder.AcceptOptions{CompressionMode: coder.CompressionDisabled})
	if err != nil {
		panic(err)
	}
	defer conn.CloseNow()
	conn.SetReadLimit(limit)
	for {
		typ, data, err := conn.Read(context.Background())
		if err == nil {
			o.messages = append(o.messages, kind(typ == coder.MessageText)+string(data))
			continue
		}
		o.closed = coder.CloseStatus(err) != -1
		o.failed = !o.closed && !atEnd(err)
		return o
	}
}

func byGobwas(input []byte) (o outcome) {
	conn := wire{bytes.NewReader(input)}
	for {
		data, op, err := wsutil.ReadClientData(conn)
		if err == nil {
			o.messages = append(o.messages, kind(op == gobwas.OpText)+string(data))
			continue
		}
		var closed wsutil.ClosedError
		o.closed = errors.As(err, &closed)
		o.failed = !o.closed && !atEnd(err)
		return o
	}
}

func kind(text bool) string {
	if text {
		return "text "
	}
	return "binary "
}

// atEnd reports that nothing is wrong but that no more bytes come.
func atEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
