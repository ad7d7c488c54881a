package main

import (
	"context"
	"net"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// servers start echo servers on loopback and return their addresses.
var servers = map[string]func() string{
	"raw":        raw,
	"sync":       syncAppend,
	"sync-recv":  syncRecv,
	"async":      asyncAppend,
	"async-recv": asyncRecv,
}

// raw echoes bytes without framing, with a goroutine and a buffer for each
// connection.
func raw() string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			conn := must(listener.Accept())
			go func() {
				defer conn.Close()
				for buf := make([]byte, 64<<10); ; {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					conn.Write(buf[:n])
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// syncAppend receives into the caller's buffer.
func syncAppend() string {
	handler := func(conn *wssync.ServerConn) error {
		for buf := []byte(nil); ; {
			typ, data, err := conn.RecvAppend(buf[:0])
			if err != nil {
				return err
			}
			if err := conn.Send(protocol.Message{Type: typ, Data: data}); err != nil {
				return err
			}
			buf = data
		}
	}
	server := must(wssync.Serve(handler, "127.0.0.1:0", &wssync.ServerOptions{MaxMessageSize: -1, DiscardRequest: true}))
	return server.Addr().String()
}

// syncRecv receives messages of its own.
func syncRecv() string {
	handler := func(conn *wssync.ServerConn) error {
		for {
			m, err := conn.Recv()
			if err != nil {
				return err
			}
			if err := conn.Send(m); err != nil {
				return err
			}
		}
	}
	server := must(wssync.Serve(handler, "127.0.0.1:0", &wssync.ServerOptions{MaxMessageSize: -1, DiscardRequest: true}))
	return server.Addr().String()
}

func asyncAppend() string {
	handler := func(ctx context.Context, conn *wsasync.ServerConn) error {
		for buf := []byte(nil); ; {
			typ, data, err := conn.RecvAppend(ctx, buf[:0])
			if err != nil {
				return err
			}
			if err := conn.Send(ctx, protocol.Message{Type: typ, Data: data}); err != nil {
				return err
			}
			buf = data
		}
	}
	return serveAsync(handler)
}

func asyncRecv() string {
	handler := func(ctx context.Context, conn *wsasync.ServerConn) error {
		for {
			m, err := conn.Recv(ctx)
			if err != nil {
				return err
			}
			if err := conn.Send(ctx, m); err != nil {
				return err
			}
		}
	}
	return serveAsync(handler)
}

func serveAsync(handler wsasync.HandlerFunc) string {
	opts := &wsasync.ServerOptions{MaxMessageSize: -1, DiscardRequest: true}
	server := must(wsasync.Serve(context.Background(), handler, "127.0.0.1:0", opts))
	return server.Addr().String()
}
