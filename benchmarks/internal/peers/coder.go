package peers

import (
	"bytes"
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// coder receives a message into a shared buffer that is taken when the message
// begins.
func coder(setup Setup) net.Addr {
	opts := &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled}
	if setup.Deflate {
		opts.CompressionMode = websocket.CompressionNoContextTakeover
	}
	if setup.Takeover {
		opts.CompressionMode = websocket.CompressionContextTakeover
	}
	return serveHTTP(setup, func(w http.ResponseWriter, r *http.Request) {
		go coderEcho(must(websocket.Accept(w, r, opts)))
	})
}

func coderEcho(conn *websocket.Conn) {
	defer conn.CloseNow()
	conn.SetReadLimit(-1)
	for ctx := context.Background(); ; {
		typ, r, err := conn.Reader(ctx)
		if err != nil {
			return
		}
		buf := buffers.Get().(*bytes.Buffer)
		buf.Reset()
		if _, err := buf.ReadFrom(r); err != nil {
			return
		}
		if err := conn.Write(ctx, typ, buf.Bytes()); err != nil {
			return
		}
		buffers.Put(buf)
	}
}
