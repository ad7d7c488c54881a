package peers

import (
	"context"
	"io"
	"iter"
	"net"
	"net/http"
	"slices"
	"sync"

	coderws "github.com/coder/websocket"
	"github.com/gobwas/ws"
	gorillaws "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	wsasync "github.com/tandemws/tandem/async"
	wssync "github.com/tandemws/tandem/sync"
)

// broadcasters send what one connection sends to all of them. One goroutine
// does so for a message; what the library has for the purpose is used.
var broadcasters = map[string]func(Setup) net.Addr{
	"raw":     rawBroadcast,
	"sync":    syncBroadcast,
	"async":   asyncBroadcast,
	"gorilla": gorillaBroadcast,
	"coder":   coderBroadcast,
	"gobwas":  gobwasBroadcast,
	"gws":     gwsBroadcast,
}

// audience are the connections.
type audience[C any] struct {
	mu       sync.Mutex
	conns    []C
	complete sync.WaitGroup
}

func newAudience[C any](setup Setup) *audience[C] {
	a := new(audience[C])
	a.complete.Add(setup.Conns)
	return a
}

func (a *audience[C]) add(conn C) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = append(a.conns, conn)
	a.complete.Done()
}

// values are the connections, once all are there.
func (a *audience[C]) values() iter.Seq[C] {
	a.complete.Wait()
	return slices.Values(a.conns)
}

// each calls send for each connection once all are there.
func (a *audience[C]) each(send func(C) error) {
	a.complete.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, conn := range a.conns {
		if err := send(conn); err != nil {
			panic(err)
		}
	}
}

func rawBroadcast(setup Setup) net.Addr {
	all := newAudience[net.Conn](setup)
	return serve(setup, func(conn net.Conn) {
		all.add(conn)
		buf := make([]byte, setup.Size)
		for {
			if _, err := io.ReadFull(conn, buf); err != nil {
				return
			}
			all.each(func(c net.Conn) error { _, err := c.Write(buf); return err })
		}
	})
}

func syncBroadcast(setup Setup) net.Addr {
	all := newAudience[*wssync.ServerConn](setup)
	return serveSync(setup, func(conn *wssync.ServerConn) error {
		all.add(conn)
		for {
			m, err := conn.Recv()
			if err != nil {
				return err
			}
			if err := wssync.Broadcast(all.values(), m, nil); err != nil {
				panic(err)
			}
		}
	})
}

func asyncBroadcast(setup Setup) net.Addr {
	all := newAudience[*wsasync.ServerConn](setup)
	return serveAsync(setup, func(ctx context.Context, conn *wsasync.ServerConn) error {
		all.add(conn)
		for {
			m, err := conn.Recv(ctx)
			if err != nil {
				return err
			}
			if err := wsasync.Broadcast(ctx, all.values(), m, nil); err != nil {
				panic(err)
			}
		}
	})
}

func gorillaBroadcast(setup Setup) net.Addr {
	upgrader := gorillaws.Upgrader{ReadBufferSize: 4096, WriteBufferSize: 4096, WriteBufferPool: new(sync.Pool)}
	all := newAudience[*gorillaws.Conn](setup)
	return serveHTTP(setup, func(w http.ResponseWriter, r *http.Request) {
		conn := must(upgrader.Upgrade(w, r, nil))
		all.add(conn)
		go func() {
			for {
				typ, data, err := conn.ReadMessage()
				if err != nil {
					return
				}
				prepared := must(gorillaws.NewPreparedMessage(typ, data))
				all.each(func(c *gorillaws.Conn) error { return c.WritePreparedMessage(prepared) })
			}
		}()
	})
}

func coderBroadcast(setup Setup) net.Addr {
	opts := &coderws.AcceptOptions{CompressionMode: coderws.CompressionDisabled}
	all := newAudience[*coderws.Conn](setup)
	return serveHTTP(setup, func(w http.ResponseWriter, r *http.Request) {
		conn, ctx := must(coderws.Accept(w, r, opts)), context.Background()
		all.add(conn)
		go func() {
			for {
				typ, data, err := conn.Read(ctx)
				if err != nil {
					return
				}
				all.each(func(c *coderws.Conn) error { return c.Write(ctx, typ, data) })
			}
		}()
	})
}

func gobwasBroadcast(setup Setup) net.Addr {
	all := newAudience[net.Conn](setup)
	return serve(setup, func(conn net.Conn) {
		must(ws.Upgrade(conn))
		all.add(conn)
		for {
			frame, err := ws.ReadFrame(conn)
			if err != nil || frame.Header.OpCode == ws.OpClose {
				return
			}
			ws.Cipher(frame.Payload, frame.Header.Mask, 0)
			prepared := must(ws.CompileFrame(ws.NewBinaryFrame(frame.Payload)))
			all.each(func(c net.Conn) error { _, err := c.Write(prepared); return err })
		}
	})
}

func gwsBroadcast(setup Setup) net.Addr {
	handler := &gwsSpreader{all: newAudience[*gws.Conn](setup)}
	upgrader := gws.NewUpgrader(handler, new(gws.ServerOption))
	return serveHTTP(setup, func(w http.ResponseWriter, r *http.Request) {
		conn := must(upgrader.Upgrade(w, r))
		handler.all.add(conn)
		go conn.ReadLoop()
	})
}

type gwsSpreader struct {
	gws.BuiltinEventHandler
	all *audience[*gws.Conn]
}

func (s *gwsSpreader) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer m.Close()
	b := gws.NewBroadcaster(m.Opcode, slices.Clone(m.Bytes()))
	defer b.Close()
	s.all.each(b.Broadcast)
}
