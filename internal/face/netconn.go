package face

import (
	"context"
	"net"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

func (Sync) NetConn(conn Conn, typ protocol.MessageType) net.Conn {
	return wssync.NetConn(conn.(*syncConn).Conn, typ)
}

func (Async) NetConn(conn Conn, typ protocol.MessageType) net.Conn {
	return wsasync.NetConn(conn.(*asyncConn).Conn, typ)
}

// RecvJSON receives JSON of any kind.
func (Sync) RecvJSON(conn Conn, timeout time.Duration) (any, error) {
	if timeout == 0 {
		return wssync.RecvJSON[any](conn.(*syncConn).Conn)
	}
	return wssync.RecvJSONTimeout[any](conn.(*syncConn).Conn, timeout)
}

func (Sync) SendJSON(conn Conn, v any) error { return wssync.SendJSON(conn.(*syncConn).Conn, v) }

func (Async) RecvJSON(conn Conn, timeout time.Duration) (any, error) {
	ctx, cancel := bounded(timeout)
	defer cancel()
	return wsasync.RecvJSON[any](ctx, conn.(*asyncConn).Conn)
}

func (Async) SendJSON(conn Conn, v any) error {
	return wsasync.SendJSON(context.Background(), conn.(*asyncConn).Conn, v)
}
