package differential

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/tandemws/tandem/protocol"
)

// An outcome is what an endpoint made of what its peer sent.
type outcome struct {
	messages []string // "text ..." or "binary ..."
	closed   bool     // the peer's close frame ended it
	failed   bool     // something was wrong; the end of the bytes is not
	code     int      // of the close frame that it sent; see wire.sent
	reason   string   // Tandem's
}

// limit is the size of the largest message, for all of them.
const limit = 1 << 20

// tandem has the bytes read by package protocol.
func tandem(role protocol.Role, input []byte) (o outcome) {
	c := protocol.NewConn(protocol.Config{Role: role, MaxMessageSize: limit})
	c.Received(time.Now(), 0, bytes.Clone(input))
	for {
		switch ev := c.Next(); ev.Kind {
		case protocol.EventNone:
			return o
		case protocol.EventMessage:
			o.messages = append(o.messages, ev.Type.String()+" "+string(ev.Data))
		case protocol.EventClose:
			o.closed, o.code = true, int(c.CloseSent().Code)
		case protocol.EventViolation:
			c.FailViolation()
			o.code = int(c.CloseSent().Code)
			var v *protocol.ViolationError
			if errors.As(c.Violation(), &v) {
				o.failed, o.reason = true, v.Reason
			}
			return o
		}
	}
}

// others are the libraries that Tandem is compared with.
var others = map[string]func(protocol.Role, []byte) outcome{
	"gorilla": byGorilla, "coder": byCoder, "gobwas": byGobwas,
}

// newWire returns the wire of an endpoint of this role.
func newWire(role protocol.Role, input []byte) *wire {
	if role == protocol.Client {
		return clientsWire(input)
	}
	return serversWire(input)
}

func byGorilla(role protocol.Role, input []byte) (o outcome) {
	w := newWire(role, input)
	conn := gorillaConn(role, w)
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
		o.code = w.sent()
		return o
	}
}

func gorillaConn(role protocol.Role, w *wire) (conn *gorilla.Conn) {
	var err error
	if role == protocol.Client {
		d := gorilla.Dialer{NetDial: func(string, string) (net.Conn, error) { return w, nil }}
		conn, _, err = d.Dial("ws://h/", nil)
	} else {
		answer, r := upgrade(w)
		conn, err = new(gorilla.Upgrader).Upgrade(answer, r, nil)
	}
	if err != nil {
		panic(err)
	}
	return conn
}

func byCoder(role protocol.Role, input []byte) (o outcome) {
	w := newWire(role, input)
	conn := coderConn(role, w)
	conn.SetReadLimit(limit)
	for {
		typ, data, err := conn.Read(context.Background())
		if err == nil {
			o.messages = append(o.messages, kind(typ == coder.MessageText)+string(data))
			continue
		}
		conn.CloseNow() // and so waits for what is being written
		o.closed = coder.CloseStatus(err) != -1
		o.failed = !o.closed && !atEnd(err)
		o.code = w.sent()
		return o
	}
}

func coderConn(role protocol.Role, w *wire) (conn *coder.Conn) {
	var err error
	if role == protocol.Client {
		client := &http.Client{Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return w, nil },
		}}
		conn, _, err = coder.Dial(context.Background(), "ws://h/", &coder.DialOptions{HTTPClient: client})
	} else {
		answer, r := upgrade(w)
		conn, err = coder.Accept(answer, r, &coder.AcceptOptions{CompressionMode: coder.CompressionDisabled})
	}
	if err != nil {
		panic(err)
	}
	return conn
}

func byGobwas(role protocol.Role, input []byte) (o outcome) {
	w := serversWire(input) // it needs no handshake
	read := wsutil.ReadClientData
	if role == protocol.Client {
		read = wsutil.ReadServerData
	}
	for {
		data, op, err := read(w)
		if err == nil {
			o.messages = append(o.messages, kind(op == gobwas.OpText)+string(data))
			continue
		}
		var closed wsutil.ClosedError
		o.closed = errors.As(err, &closed)
		o.failed = !o.closed && !atEnd(err)
		o.code = w.sent()
		return o
	}
}

func kind(text bool) string {
	if text {
		return "text "
	}
	return "binary "
}
