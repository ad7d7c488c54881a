package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// TestManySenders has many goroutines send messages of all kinds and sizes over
// one connection, and others ping, flush and change its settings. Messages
// arrive whole, and those of one sender in order.
func TestManySenders(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.MaxFragmentSize, s.ServerOptions.MaxFragmentSize = 5000, 5000
			client, server, _, _ := s.Over(t)
			manySenders(t, client, server)
		})
	})
}

// TestManySendersTCP does so over TCP.
func TestManySendersTCP(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		s.ClientOptions.MaxFragmentSize, s.ServerOptions.MaxFragmentSize = 5000, 5000
		clientEnd, serverEnd := tcpPair(t)
		client, server := s.Pair(t, clientEnd, serverEnd)
		manySenders(t, client, server)
	})
}

const senders, sent = 5, 20

func manySenders(t *testing.T, client, server Conn) {
	t.Helper()
	var all sync.WaitGroup
	for _, conn := range []Conn{client, server} {
		for i := range senders {
			all.Go(func() { sendNumbered(t, conn, i) })
		}
		all.Go(func() { disturb(t, conn) })
		all.Go(func() { receiveNumbered(t, conn) })
	}
	all.Wait()
}

// numbered is the k-th message of sender i: who and which, and bytes that show
// whether it is whole.
func numbered(i, k int) []byte {
	return append(fmt.Appendf(nil, "%d %d ", i, k), pattern((i*7919+k*1237)%20000)...)
}

// sendNumbered sends the messages of sender i, every fifth with a writer.
func sendNumbered(t *testing.T, conn Conn, i int) {
	for k := range sent {
		data := numbered(i, k)
		if k%5 != 0 {
			if err := conn.Send(protocol.BinaryMessage(data), time.Duration(k%2)*time.Hour); err != nil {
				t.Error(err)
			}
			continue
		}
		w, err := conn.SendWriter(protocol.Binary)
		if err != nil {
			t.Error(err)
			return
		}
		for chunk := range bytes.SplitAfterSeq(data, []byte("M")) {
			if _, err := w.Write(chunk); err != nil {
				t.Error(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// receiveNumbered receives the messages of all senders.
func receiveNumbered(t *testing.T, conn Conn) {
	var next [senders]int
	for range senders * sent {
		m, err := conn.Recv(0)
		var i, k int
		if err == nil {
			_, err = fmt.Sscanf(string(m.Data), "%d %d ", &i, &k)
		}
		if err != nil || k != next[i] || !bytes.Equal(m.Data, numbered(i, k)) {
			t.Errorf("sender %d: received message %d, want %d, whole: %v", i, k, next[i], err)
			return
		}
		next[i]++
	}
}

// disturb makes all the calls that may come from anywhere at any time.
func disturb(t *testing.T, conn Conn) {
	for i := range 20 {
		pong, err := conn.Ping(nil)
		if err == nil {
			_, err = pong.Wait(0)
		}
		if err == nil {
			err = conn.Pong([]byte("unasked"))
		}
		if err == nil {
			err = conn.Flush()
		}
		if err != nil {
			t.Error(err)
		}
		conn.SetKeepalive(keepalive.Config{Interval: time.Duration(i%3+1) * time.Second})
		conn.KeepaliveStats()
		conn.Latency()
		conn.State()
		conn.ID()
	}
}

// TestSecondReceiver has further receive calls refused at once, of each kind.
func TestSecondReceiver(t *testing.T) {
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := e.Against(t)
			refused := func() {
				t.Helper()
				synctest.Wait()
				begun := time.Now()
				_, err := conn.Recv(0)
				is(t, err, FaultsOf(e.Face).ConcurrentReceive)
				_, _, err = conn.RecvAppend(nil)
				is(t, err, FaultsOf(e.Face).ConcurrentReceive)
				_, _, err = conn.RecvReader()
				is(t, err, FaultsOf(e.Face).ConcurrentReceive)
				for _, err := range conn.Messages() {
					is(t, err, FaultsOf(e.Face).ConcurrentReceive)
				}
				took(t, begun, 0)
			}
			var receiving sync.WaitGroup
			receiving.Go(func() { expect(t, conn, "one") })
			refused()
			peer.Send(t, peer.Text("one"))
			receiving.Wait()

			var r io.Reader
			receiving.Go(func() { r = readOne(t, conn, "t") })
			refused()
			peer.Send(t, peer.Frame(protocol.OpText, false, "t"))
			receiving.Wait()
			receiving.Go(func() { io.ReadAll(r) })
			refused()
			peer.Send(t, peer.Frame(protocol.OpContinuation, true, "wo"))
			receiving.Wait()

			receiving.Go(func() { expectClosed(t, conn) })
			synctest.Wait()
			_, err := r.Read(make([]byte, 1))
			is(t, err, io.EOF) // its message has ended: it receives nothing
			peer.Close()
			receiving.Wait()
		})
	})
}

// TestCloseFromAnywhere closes from several goroutines while all kinds of calls
// are under way: all return, with how the connection ended.
func TestCloseFromAnywhere(t *testing.T) {
	for name, end := range map[string]func(conn Conn){
		"Close":    func(conn Conn) { conn.Close() },
		"CloseNow": func(conn Conn) { conn.CloseNow() },
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				clientEnd, serverEnd := tcpPair(t)
				client, server := s.Pair(t, clientEnd, serverEnd)
				var all sync.WaitGroup
				for _, conn := range []Conn{client, server} {
					busy(t, &all, conn)
				}
				time.Sleep(5 * time.Millisecond) // in the middle of it, whatever is under way
				for _, conn := range []Conn{client, server, client} {
					all.Go(func() { end(conn) })
				}
				all.Wait()
				for _, conn := range []Conn{client, server} {
					<-conn.Done()
					closeError(t, conn.Err())
				}
			})
		})
	}
}

// busy makes all kinds of calls until the connection has ended.
func busy(t *testing.T, all *sync.WaitGroup, conn Conn) {
	large := pattern(200 << 10)
	for _, call := range []func() error{
		func() error { _, err := conn.Recv(0); return err },
		func() error { return conn.Send(protocol.TextMessage("small"), 0) },
		func() error { return conn.Send(protocol.TextMessage("small"), time.Minute) },
		func() error { return conn.Send(protocol.BinaryMessage(large), 0) },
		func() error {
			w, err := conn.SendWriter(protocol.Text)
			if err == nil {
				_, err = io.WriteString(w, strings.Repeat("x", 100))
				err = errors.Join(err, w.Close())
			}
			return err
		},
		func() error {
			pong, err := conn.Ping(nil)
			if err == nil {
				_, err = pong.Wait(0)
			}
			return err
		},
		conn.Flush,
		func() error { conn.SetKeepalive(keepalive.Config{Interval: time.Millisecond}); return conn.Err() },
	} {
		all.Go(func() {
			var err error
			for err == nil {
				err = call()
			}
			if !errors.Is(err, protocol.ErrClosed) {
				t.Error(err)
			}
		})
	}
}

// TestComingAndGoing shuts a server down while clients come and go.
func TestComingAndGoing(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			server, network := inNetwork(t, s.Server, Options{})
			var all sync.WaitGroup
			for i := range 10 {
				all.Go(func() {
					for {
						time.Sleep(time.Duration(i+1) * time.Millisecond)
						client, err := s.Client.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
						if err != nil {
							return // the server is closing
						}
						for range i {
							if client.Send(protocol.TextMessage("hello"), 0) != nil {
								break
							}
							if _, err := client.Recv(0); err != nil {
								break
							}
							time.Sleep(time.Millisecond)
						}
						if i%2 == 0 {
							client.Close()
						} else {
							client.CloseNow()
						}
					}
				})
			}
			time.Sleep(50 * time.Millisecond)
			ok(t, server.Shutdown(time.Minute))
			ok(t, server.Wait())
			all.Wait()
			if n := server.Len(); n != 0 {
				t.Errorf("%d connections are left", n)
			}
		})
	})
}
