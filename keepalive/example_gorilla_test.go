package keepalive_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tandemws/tandem/keepalive"
)

// A gorillaConn gives a connection of github.com/gorilla/websocket what
// [keepalive.PingConn] demands. As ever with that library one goroutine has to
// read; it is there that pongs are handled.
type gorillaConn struct {
	*websocket.Conn

	mu      sync.Mutex
	sent    int
	waiting map[string]chan struct{} // by payload, closed by the pong
}

func newGorillaConn(conn *websocket.Conn) *gorillaConn {
	c := &gorillaConn{Conn: conn, waiting: make(map[string]chan struct{})}
	conn.SetPongHandler(c.pong)
	return c
}

// pong settles the ping with the payload, if somebody still waits for it.
func (c *gorillaConn) pong(payload string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answered, ok := c.waiting[payload]; ok {
		close(answered)
		delete(c.waiting, payload)
	}
	return nil
}

// expect returns the payload of the next ping and what its pong will close.
func (c *gorillaConn) expect() (payload string, answered chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	payload, answered = strconv.Itoa(c.sent), make(chan struct{})
	c.waiting[payload] = answered
	return payload, answered
}

func (c *gorillaConn) forget(payload string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, payload)
}

// Ping may be called while others write: WriteControl allows that.
func (c *gorillaConn) Ping(ctx context.Context) error {
	payload, answered := c.expect()
	defer c.forget(payload)
	deadline := time.Now().Add(5 * time.Second)
	if err := c.WriteControl(websocket.PingMessage, []byte(payload), deadline); err != nil {
		return notWritten(err)
	}
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// notWritten tells a ping for which there was no room from a connection that
// failed.
func notWritten(err error) error {
	if late, ok := err.(net.Error); ok && late.Timeout() {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}

// CloseNow closes the network connection, as Close does with this library.
func (c *gorillaConn) CloseNow() error { return c.Close() }

// With a small adapter a connection of github.com/gorilla/websocket is watched
// too.
func ExampleWatcher_gorilla() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}))
	defer server.Close()

	inner, _, err := websocket.DefaultDialer.Dial("ws"+server.URL[len("http"):], nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn := newGorillaConn(inner)
	reader := make(chan struct{})
	go func() {
		defer close(reader)
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	watcher := &keepalive.Watcher{Pong: func(rtt time.Duration) { cancel() }}
	err = watcher.Watch(ctx, conn, keepalive.Config{Interval: 20 * time.Millisecond})
	fmt.Println(err)
	fmt.Println("latency known:", watcher.Stats().LastRTT > 0)

	conn.Close()
	<-reader
	// Output:
	// context canceled
	// latency known: true
}
