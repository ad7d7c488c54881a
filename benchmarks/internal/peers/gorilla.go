package peers

import (
	"bytes"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// buffers are those that gorilla's and coder's messages are received into.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// gorilla shares its write buffers. A message is received into a shared buffer
// that is taken when the message begins.
func gorilla(setup Setup) net.Addr {
	upgrader := websocket.Upgrader{
		ReadBufferSize:    4096,
		WriteBufferSize:   4096,
		WriteBufferPool:   new(sync.Pool),
		EnableCompression: setup.Deflate,
	}
	return serveHTTP(setup, func(w http.ResponseWriter, r *http.Request) {
		go gorillaEcho(must(upgrader.Upgrade(w, r, nil)))
	})
}

func gorillaEcho(conn *websocket.Conn) {
	defer conn.Close()
	for {
		typ, r, err := conn.NextReader()
		if err != nil {
			return
		}
		buf := buffers.Get().(*bytes.Buffer)
		buf.Reset()
		if _, err := buf.ReadFrom(r); err != nil {
			return
		}
		if err := conn.WriteMessage(typ, buf.Bytes()); err != nil {
			return
		}
		buffers.Put(buf)
	}
}
