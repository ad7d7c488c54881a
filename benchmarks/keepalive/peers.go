package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	coderws "github.com/coder/websocket"
	"github.com/gobwas/ws"
	gorillaws "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	"nhooyr.io/websocket"
)

// Around each library is the loop that its users write: a goroutine that reads,
// and one with a ticker that pings. A peer that does not answer is given up by
// a read deadline that each pong moves, or by the time that Ping is given. The
// handlers return, so that nothing of net/http stays behind.

// serveHTTP serves on loopback.
func serveHTTP(handler http.HandlerFunc) string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	go http.Serve(listener, handler)
	return listener.Addr().String()
}

func gorilla(c clock) string {
	var upgrader gorillaws.Upgrader
	return serveHTTP(func(w http.ResponseWriter, r *http.Request) {
		conn := must(upgrader.Upgrade(w, r, nil))
		conn.SetReadDeadline(time.Now().Add(patience))
		conn.SetPongHandler(func(string) error { return conn.SetReadDeadline(time.Now().Add(patience)) })
		go func() {
			defer conn.Close()
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
		go c.tick(func() error {
			return conn.WriteControl(gorillaws.PingMessage, nil, time.Now().Add(patience))
		})
	})
}

// A pinger is a connection of coder's and nhooyr's, whose Ping waits for the
// pong.
type pinger interface {
	Ping(context.Context) error
	CloseNow() error
}

func (c clock) tickPinger(conn pinger) {
	defer conn.CloseNow()
	c.tick(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return conn.Ping(ctx)
	})
}

func coder(c clock) string {
	return serveHTTP(func(w http.ResponseWriter, r *http.Request) {
		conn := must(coderws.Accept(w, r, nil))
		go func() {
			for ctx := context.Background(); ; {
				if _, _, err := conn.Read(ctx); err != nil {
					return
				}
			}
		}()
		go c.tickPinger(conn)
	})
}

func nhooyrServer(c clock) string {
	return serveHTTP(func(w http.ResponseWriter, r *http.Request) {
		conn := must(websocket.Accept(w, r, nil))
		go func() {
			for ctx := context.Background(); ; {
				if _, _, err := conn.Read(ctx); err != nil {
					return
				}
			}
		}()
		go c.tickPinger(conn)
	})
}

// gwsHandler moves the deadline, and discards messages.
type gwsHandler struct{ gws.BuiltinEventHandler }

func (gwsHandler) OnPong(conn *gws.Conn, _ []byte) { conn.SetReadDeadline(time.Now().Add(patience)) }

func (gwsHandler) OnMessage(_ *gws.Conn, message *gws.Message) { message.Close() }

func gwsServer(c clock) string {
	upgrader := gws.NewUpgrader(gwsHandler{}, nil)
	return serveHTTP(func(w http.ResponseWriter, r *http.Request) {
		conn := must(upgrader.Upgrade(w, r))
		conn.SetReadDeadline(time.Now().Add(patience))
		go conn.ReadLoop()
		go c.tick(func() error { return conn.WritePing(nil) })
	})
}

// gobwas reads frames through a small buffer, which costs less than two system
// calls for each header, and sends a frame that it has made once.
func gobwas(c clock) string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			conn := must(listener.Accept())
			go func() {
				must(ws.Upgrade(conn))
				go c.tick(func() error {
					_, err := conn.Write(ws.CompiledPing)
					return err
				})
				readGobwas(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func readGobwas(conn net.Conn) {
	defer conn.Close()
	for in := bufio.NewReaderSize(conn, 512); ; {
		header, err := ws.ReadHeader(in)
		if err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, in, header.Length); err != nil {
			return
		}
		if header.OpCode == ws.OpPong {
			conn.SetReadDeadline(time.Now().Add(patience))
		}
	}
}
