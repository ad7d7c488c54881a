package peers

import (
	"context"
	"crypto/tls"
	"net"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/protocol"
	wssync "github.com/tandemws/tandem/sync"
)

// syncAppend receives into the caller's buffer.
func syncAppend(setup Setup) net.Addr {
	return serveSync(setup, func(conn *wssync.ServerConn) error {
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
	})
}

// syncRecv receives messages of its own, syncRelease gives them back too.
func syncRecv(setup Setup) net.Addr    { return syncOwned(setup, false) }
func syncRelease(setup Setup) net.Addr { return syncOwned(setup, true) }

func syncOwned(setup Setup, release bool) net.Addr {
	return serveSync(setup, func(conn *wssync.ServerConn) error {
		for {
			m, err := conn.Recv()
			if err != nil {
				return err
			}
			if err := conn.Send(m); err != nil {
				return err
			}
			if release {
				m.Release()
			}
		}
	})
}

func serveSync(setup Setup, handler wssync.HandlerFunc) net.Addr {
	opts := &wssync.ServerOptions{MaxMessageSize: -1, DiscardRequest: true}
	opts.Compression, opts.TLSConfig = compression(setup), tandemTLS(setup)
	return must(wssync.Serve(handler, "127.0.0.1:0", opts)).Addr()
}

func asyncAppend(setup Setup) net.Addr {
	return serveAsync(setup, func(ctx context.Context, conn *wsasync.ServerConn) error {
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
	})
}

func asyncRecv(setup Setup) net.Addr    { return asyncOwned(setup, false) }
func asyncRelease(setup Setup) net.Addr { return asyncOwned(setup, true) }

func asyncOwned(setup Setup, release bool) net.Addr {
	return serveAsync(setup, func(ctx context.Context, conn *wsasync.ServerConn) error {
		for {
			m, err := conn.Recv(ctx)
			if err != nil {
				return err
			}
			if err := conn.Send(ctx, m); err != nil {
				return err
			}
			if release {
				m.Release()
			}
		}
	})
}

func serveAsync(setup Setup, handler wsasync.HandlerFunc) net.Addr {
	opts := &wsasync.ServerOptions{MaxMessageSize: -1, DiscardRequest: true}
	opts.Compression, opts.TLSConfig = compression(setup), tandemTLS(setup)
	return must(wsasync.Serve(context.Background(), handler, "127.0.0.1:0", opts)).Addr()
}

// compression leaves the defaults as they are: what is not asked for by the
// client is not negotiated.
func compression(setup Setup) protocol.Deflate {
	return protocol.Deflate{
		ServerNoContextTakeover: !setup.Takeover,
		ClientNoContextTakeover: !setup.Takeover,
	}
}

func tandemTLS(setup Setup) *tls.Config {
	if setup.TLS {
		return tlsConfig()
	}
	return nil
}
