package peers

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	coderws "github.com/coder/websocket"
	"github.com/gobwas/ws"
	gorillaws "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	wsasync "github.com/tandemws/tandem/async"
	wssync "github.com/tandemws/tandem/sync"
)

// A Client is a connection that sends a message and waits for one of the same
// size, again and again until stop is set. It returns how many came back.
type Client func(stop *atomic.Bool) (messages int64)

// clients connect to an address, for a payload.
var clients = map[string]func(addr string, payload []byte) Client{
	"raw":           rawClient,
	"sync":          syncClient,
	"sync-recv":     syncRecvClient,
	"sync-release":  syncReleaseClient,
	"async":         asyncClient,
	"async-recv":    asyncRecvClient,
	"async-release": asyncReleaseClient,
	"gorilla":       gorillaClient,
	"coder":         coderClient,
	"gobwas":        gobwasClient,
	"gws":           gwsClient,
}

// Connect returns a client of the named library for messages of some size.
func Connect(name, addr string, size int) (Client, error) {
	connect, ok := clients[name]
	if !ok {
		return nil, fmt.Errorf("no client is called %q", name)
	}
	return connect(addr, bytes.Repeat([]byte("x"), size)), nil
}

// repeat returns the client that calls exchange.
func repeat(exchange func() error) Client {
	return func(stop *atomic.Bool) (messages int64) {
		for !stop.Load() {
			if err := exchange(); err != nil {
				panic(err)
			}
			messages++
		}
		return messages
	}
}

func rawClient(addr string, payload []byte) Client {
	conn := must(net.Dial("tcp", addr))
	buf := make([]byte, len(payload))
	return repeat(func() error {
		if _, err := conn.Write(payload); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, buf)
		return err
	})
}

func syncClient(addr string, payload []byte) Client {
	conn := must(wssync.Connect("ws://"+addr, nil))
	var buf []byte
	return repeat(func() (err error) {
		if err := conn.SendBinary(payload); err != nil {
			return err
		}
		_, buf, err = conn.RecvAppend(buf[:0])
		return err
	})
}

func syncRecvClient(addr string, payload []byte) Client {
	conn := must(wssync.Connect("ws://"+addr, nil))
	return repeat(func() error {
		if err := conn.SendBinary(payload); err != nil {
			return err
		}
		_, err := conn.Recv()
		return err
	})
}

func syncReleaseClient(addr string, payload []byte) Client {
	conn := must(wssync.Connect("ws://"+addr, nil))
	return repeat(func() error {
		if err := conn.SendBinary(payload); err != nil {
			return err
		}
		m, err := conn.Recv()
		m.Release()
		return err
	})
}

func asyncClient(addr string, payload []byte) Client {
	ctx := context.Background()
	conn := must(wsasync.Connect(ctx, "ws://"+addr, nil))
	var buf []byte
	return repeat(func() (err error) {
		if err := conn.SendBinary(ctx, payload); err != nil {
			return err
		}
		_, buf, err = conn.RecvAppend(ctx, buf[:0])
		return err
	})
}

func asyncRecvClient(addr string, payload []byte) Client {
	ctx := context.Background()
	conn := must(wsasync.Connect(ctx, "ws://"+addr, nil))
	return repeat(func() error {
		if err := conn.SendBinary(ctx, payload); err != nil {
			return err
		}
		_, err := conn.Recv(ctx)
		return err
	})
}

func asyncReleaseClient(addr string, payload []byte) Client {
	ctx := context.Background()
	conn := must(wsasync.Connect(ctx, "ws://"+addr, nil))
	return repeat(func() error {
		if err := conn.SendBinary(ctx, payload); err != nil {
			return err
		}
		m, err := conn.Recv(ctx)
		m.Release()
		return err
	})
}

// gorillaClient has a write buffer that holds a message: with a smaller one it
// would send fragments.
func gorillaClient(addr string, payload []byte) Client {
	dialer := gorillaws.Dialer{ReadBufferSize: 4096, WriteBufferSize: len(payload) + 32, WriteBufferPool: new(sync.Pool)}
	conn, _, err := dialer.Dial("ws://"+addr, nil)
	must(conn, err)
	var buf bytes.Buffer
	return repeat(func() error {
		if err := conn.WriteMessage(gorillaws.BinaryMessage, payload); err != nil {
			return err
		}
		_, r, err := conn.NextReader()
		if err != nil {
			return err
		}
		buf.Reset()
		_, err = buf.ReadFrom(r)
		return err
	})
}

func coderClient(addr string, payload []byte) Client {
	ctx := context.Background()
	conn, _, err := coderws.Dial(ctx, "ws://"+addr, nil)
	must(conn, err).SetReadLimit(-1)
	var buf bytes.Buffer
	return repeat(func() error {
		if err := conn.Write(ctx, coderws.MessageBinary, payload); err != nil {
			return err
		}
		_, r, err := conn.Reader(ctx)
		if err != nil {
			return err
		}
		buf.Reset()
		_, err = buf.ReadFrom(r)
		return err
	})
}

func gobwasClient(addr string, payload []byte) Client {
	conn, _, _, err := ws.Dial(context.Background(), "ws://"+addr)
	must(conn, err)
	r := bufio.NewReaderSize(conn, 4096)
	var out, in []byte
	return repeat(func() error {
		h := ws.Header{Fin: true, OpCode: ws.OpBinary, Length: int64(len(payload)), Masked: true, Mask: ws.NewMask()}
		head := tail{out[:0]}
		if err := ws.WriteHeader(&head, h); err != nil {
			return err
		}
		n := len(head.bytes)
		out = append(head.bytes, payload...)
		ws.Cipher(out[n:], h.Mask, 0)
		if _, err := conn.Write(out); err != nil {
			return err
		}
		h, err := ws.ReadHeader(r)
		if err != nil {
			return err
		}
		in = slices.Grow(in[:0], int(h.Length))[:h.Length]
		_, err = io.ReadFull(r, in)
		return err
	})
}

// gwsClient sends the next message from where the one before arrives.
func gwsClient(addr string, payload []byte) Client {
	handler := &gwsExchange{payload: payload, done: make(chan int64)}
	conn, _, err := gws.NewClient(handler, &gws.ClientOption{Addr: "ws://" + addr})
	go must(conn, err).ReadLoop()
	return func(stop *atomic.Bool) int64 {
		handler.messages, handler.stop = 0, stop
		if err := conn.WriteMessage(gws.OpcodeBinary, payload); err != nil {
			panic(err)
		}
		return <-handler.done
	}
}

type gwsExchange struct {
	gws.BuiltinEventHandler
	payload  []byte
	messages int64
	stop     *atomic.Bool
	done     chan int64
}

func (e *gwsExchange) OnMessage(conn *gws.Conn, m *gws.Message) {
	m.Close()
	e.messages++
	if e.stop.Load() {
		e.done <- e.messages
		return
	}
	if err := conn.WriteMessage(gws.OpcodeBinary, e.payload); err != nil {
		panic(err)
	}
}
