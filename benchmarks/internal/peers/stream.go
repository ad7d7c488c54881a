package peers

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	wsasync "github.com/tandemws/tandem/async"
	wssync "github.com/tandemws/tandem/sync"
)

// Servers that pass on what has come of a message before the rest is here.

// pieceSize is the size in bytes of the memory that each of them has for it.
const pieceSize = 64 << 10

func syncStream(setup Setup) net.Addr {
	return serveSync(setup, func(conn *wssync.ServerConn) error {
		for piece := make([]byte, pieceSize); ; {
			typ, r, err := conn.RecvReader()
			if err != nil {
				return err
			}
			w, err := conn.SendWriter(typ)
			if err != nil {
				return err
			}
			if err := pass(w, r, piece); err != nil {
				return err
			}
		}
	})
}

func asyncStream(setup Setup) net.Addr {
	return serveAsync(setup, func(ctx context.Context, conn *wsasync.ServerConn) error {
		for piece := make([]byte, pieceSize); ; {
			typ, r, err := conn.RecvReader(ctx)
			if err != nil {
				return err
			}
			w, err := conn.SendWriter(ctx, typ)
			if err != nil {
				return err
			}
			if err := pass(w, r, piece); err != nil {
				return err
			}
		}
	})
}

func gorillaStream(setup Setup) net.Addr {
	upgrader := &websocket.Upgrader{WriteBufferPool: new(sync.Pool)}
	return serveHTTP(setup, func(w http.ResponseWriter, r *http.Request) {
		conn := must(upgrader.Upgrade(w, r, nil))
		defer conn.Close()
		for piece := make([]byte, pieceSize); ; {
			typ, r, err := conn.NextReader()
			if err != nil {
				return
			}
			w, err := conn.NextWriter(typ)
			if err != nil || pass(w, r, piece) != nil {
				return
			}
		}
	})
}

// pass writes the message as it comes.
func pass(w io.WriteCloser, r io.Reader, piece []byte) error {
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, piece); err != nil {
		return err
	}
	return w.Close()
}
