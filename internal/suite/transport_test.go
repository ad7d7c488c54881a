package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/keepalive"
	"github.com/tandemws/tandem/protocol"
)

// plainly has a listener accept such connections.
type plainly struct{ net.Listener }

func (l plainly) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return plain{conn}, nil
}

// TestSockets sends messages both ways over real sockets of all kinds.
func TestSockets(t *testing.T) {
	for name, over := range map[string]func(t *testing.T, s *Setting) (url string){
		"tcp": func(t *testing.T, s *Setting) string {
			return "ws://" + listen(t, s, "tcp", "127.0.0.1:0")
		},
		"unix": func(t *testing.T, s *Setting) string {
			s.ClientOptions.Unix = filepath.Join(t.TempDir(), "socket")
			listen(t, s, "unix", s.ClientOptions.Unix)
			return "ws://tandem.test/"
		},
		"tls": func(t *testing.T, s *Setting) string {
			s.ServerOptions.TLS, s.ClientOptions.TLS = Certificate(t)
			return "wss://" + listen(t, s, "tcp", "127.0.0.1:0")
		},
		"given": func(t *testing.T, s *Setting) string {
			conn, err := net.Dial("tcp", listen(t, s, "tcp", "127.0.0.1:0"))
			ok(t, err)
			s.ClientOptions.NetConn = conn
			return "ws://tandem.test/"
		},
		"wrapped": func(t *testing.T, s *Setting) string {
			address := listen(t, s, "tcp", "127.0.0.1:0")
			s.ServerOptions.Listener = plainly{s.ServerOptions.Listener}
			s.ClientOptions.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				return plain{conn}, err
			}
			return "ws://" + address
		},
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) { overSocket(t, s, over(t, &s)) })
		})
	}
}

// listen gives the setting's server a listener, and returns its address.
func listen(t *testing.T, s *Setting, network, address string) string {
	t.Helper()
	listener, err := net.Listen(network, address)
	ok(t, err)
	s.ServerOptions.Listener = listener
	return listener.Addr().String()
}

// overSocket has messages echoed by a server at url, and closes.
func overSocket(t *testing.T, s Setting, url string) {
	server, err := s.Server.Serve(echoing, "", &s.ServerOptions)
	ok(t, err)
	client, err := s.Client.Connect(url, &s.ClientOptions)
	ok(t, err)
	for _, n := range []int{0, 1, 126, 65535, 65536, 300 << 10} {
		ok(t, client.Send(protocol.BinaryMessage(pattern(n)), 0))
		m, err := client.Recv(0)
		if err != nil || !bytes.Equal(m.Data, pattern(n)) {
			t.Fatalf("%d bytes: received %d, %v", n, len(m.Data), err)
		}
	}
	ok(t, client.CloseWith(4000, "done"))
	if told := closeError(t, client.Err()); told.Rcvd.Code != 4000 {
		t.Errorf("%v", told)
	}
	ok(t, server.Close())
	ok(t, server.Wait())
}

// TestSeveralListeners serves two TCP ports and a Unix socket at once, and ends
// with all of them.
func TestSeveralListeners(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		path := filepath.Join(t.TempDir(), "socket")
		for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"tcp", "127.0.0.1:0"}, {"unix", path}} {
			listener, err := net.Listen(at[0], at[1])
			ok(t, err)
			s.ServerOptions.Listeners = append(s.ServerOptions.Listeners, listener)
		}
		server, err := s.Server.Serve(echoing, "not used", &s.ServerOptions)
		ok(t, err)
		for i, addr := range server.Addrs() {
			if addr != s.ServerOptions.Listeners[i].Addr() {
				t.Errorf("address %v, want %v", addr, s.ServerOptions.Listeners[i].Addr())
			}
			opts, url := s.ClientOptions, "ws://"+addr.String()+"/"
			if addr.Network() == "unix" {
				opts.Unix, url = path, "ws://tandem.test/"
			}
			client, err := s.Client.Connect(url, &opts)
			ok(t, err)
			send(t, client, "hello")
			expect(t, client, "hello")
			ok(t, client.Close())
		}
		ok(t, server.Close())
		for _, listener := range s.ServerOptions.Listeners {
			if _, err := listener.Accept(); err == nil {
				t.Errorf("%v is still open", listener.Addr())
			}
		}
	})
}

// overTLS is a pair over TLS in memory.
func (s Setting) overTLS(t *testing.T) (client, server Conn) {
	t.Helper()
	s.ServerOptions.TLS, s.ClientOptions.TLS = Certificate(t)
	client, server, _, _ = s.Over(t)
	return client, server
}

// TestTLSBlockedWrite has Sends over TLS that run into their bound. A record
// that was begun must be finished, or TLS is of no more use: then the
// connection fails at once, and the calls after it do not wait.
func TestTLSBlockedWrite(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		s = s.Plain()
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.Keepalive.Interval = noPings
			s.ServerOptions.Keepalive.Interval = noPings
			client, _ := s.overTLS(t)
			var err error
			for range 1000 { // as many as the server's queue and the path take
				err = client.Send(protocol.BinaryMessage(pattern(10000)), time.Second)
				if err != nil {
					break
				}
			}
			is(t, err, FaultsOf(s.Client).PartialWrite)
			is(t, err, client.TimeoutError())
			is(t, client.Send(protocol.TextMessage("more"), 0), protocol.ErrClosed)
			<-client.Done()
			is(t, client.Err(), FaultsOf(s.Client).PartialWrite)
		})
	})
}

// TestTLSQueuedSend has a Send over TLS that runs into its bound while it waits
// for another one: it has sent nothing, and the connection goes on.
func TestTLSQueuedSend(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		s = s.Plain()
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.Keepalive.Interval = noPings
			s.ServerOptions.Keepalive.Interval = noPings
			s.ServerOptions.MaxMessageSize = 4 << 20
			s.ServerOptions.MaxQueueBytes = 1
			client, server := s.overTLS(t)
			send(t, client, "fills the queue")
			time.Sleep(time.Second)
			var sending sync.WaitGroup
			sending.Go(func() {
				if err := client.Send(protocol.BinaryMessage(pattern(3<<20)), 0); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			is(t, client.Send(protocol.TextMessage("never sent"), time.Second), client.TimeoutError())
			expect(t, server, "fills the queue")
			m, err := server.Recv(0)
			if err != nil || !bytes.Equal(m.Data, pattern(3<<20)) {
				t.Fatalf("received %d bytes, %v", len(m.Data), err)
			}
			sending.Wait()
			send(t, client, "next")
			expect(t, server, "next")
		})
	})
}

// TestTLSCancelledRecv leaves Recv over TLS again and again while a message
// comes slowly: TLS loses nothing by it.
func TestTLSCancelledRecv(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		s = s.Plain()
		synctest.Test(t, func(t *testing.T) {
			s.ServerOptions.TLS, s.ClientOptions.TLS = Certificate(t)
			client, server, clientEnd, _ := s.Over(t)
			link.Impair(clientEnd, link.Impairment{Rate: 10000})
			ok(t, client.Send(protocol.BinaryMessage(pattern(30000)), 0))
			left := 0
			m, err := server.Recv(10 * time.Millisecond)
			for ; err != nil && left < 1000; left++ {
				is(t, err, server.TimeoutError())
				m, err = server.Recv(10 * time.Millisecond)
			}
			if err != nil || !bytes.Equal(m.Data, pattern(30000)) || left < 100 {
				t.Fatalf("received %d bytes after %d times, %v", len(m.Data), left, err)
			}
		})
	})
}

// failing is a connection that fails with an error of the test's.
type failing struct {
	net.Conn
	readErr, writeErr chan error
}

func (f *failing) Read(p []byte) (int, error) {
	select {
	case err := <-f.readErr:
		return 0, err
	default:
		return f.Conn.Read(p)
	}
}

func (f *failing) Write(p []byte) (int, error) {
	select {
	case err := <-f.writeErr:
		return 0, err
	default:
		return f.Conn.Write(p)
	}
}

// TestSystemTimeout has the system give up the connection. Its error is a
// time-out too, but none that we asked for: the connection has ended, and the
// error says why, and what that means.
func TestSystemTimeout(t *testing.T) {
	timeout := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}
	broken := &net.OpError{Op: "write", Net: "tcp", Err: os.ErrDeadlineExceeded} // again and again
	EachEnd(t, func(t *testing.T, e End) {
		synctest.Test(t, func(t *testing.T) {
			for _, cause := range []error{timeout, broken} {
				ours, theirs := link.NewPipe()
				f := &failing{ours, make(chan error, 9), make(chan error, 9)}
				conn, peer := e.AgainstOver(t, f, theirs)
				time.Sleep(time.Second) // an attendant reads
				f.readErr <- cause
				peer.Send(t, peer.Text("one"))
				synctest.Wait()
				expect(t, conn, "one")
				isExplained(t, expectClosed(t, conn), cause, cause == timeout)

				ours, theirs = link.NewPipe()
				f = &failing{ours, make(chan error, 9), make(chan error, 9)}
				conn, _ = e.AgainstOver(t, f, theirs)
				f.writeErr <- cause
				is(t, conn.Send(protocol.TextMessage("one"), 0), cause)
				theirs.Close()
				isExplained(t, expectClosed(t, conn), cause, cause == timeout)
			}
		})
	})
}

// isExplained: if it is the system's own time-out that has ended the connection,
// the network is dead.
func isExplained(t *testing.T, err, cause error, explained bool) {
	t.Helper()
	is(t, err, cause)
	var lost *keepalive.TimeoutError
	if errors.As(err, &lost) != explained || explained && (lost.Cause != keepalive.NetworkDead || lost.Err != cause) {
		t.Errorf("%v: explained %t", err, explained)
	}
}

// TestTLSLeftFlush leaves a Ping and a Flush over TLS in the middle of a write.
// They have no message of their own that would be cut short: the write goes on
// without them, and so does the connection.
func TestTLSLeftFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clientEnd, serverEnd := link.NewPipe()
		serverTLS, clientTLS := Certificate(t)
		off := keepalive.Config{Interval: noPings}
		server, err := wsasync.Serve(t.Context(), func(ctx context.Context, conn *wsasync.ServerConn) error {
			m, err := conn.Recv(ctx)
			if err != nil || string(m.Data) != "goes on" {
				t.Errorf("received %q, %v", m.Data, err)
			}
			return err
		}, "", &wsasync.ServerOptions{Listeners: []net.Listener{newListener(serverEnd)}, TLSConfig: serverTLS, Keepalive: off})
		ok(t, err)
		conn, err := wsasync.Connect(t.Context(), "wss://tandem.test/", &wsasync.ClientOptions{NetConn: clientEnd, TLSConfig: clientTLS, Keepalive: off})
		ok(t, err)
		bound := func() context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			t.Cleanup(cancel)
			return ctx
		}
		link.Impair(clientEnd, link.Impairment{Dark: true})
		for i := 0; err == nil && i < 1000; i++ { // as many as the path takes
			_, err = conn.Ping(bound(), fmt.Appendf(nil, "%100d", i))
		}
		is(t, err, context.DeadlineExceeded)
		is(t, conn.Flush(bound()), context.DeadlineExceeded)
		if conn.State() != protocol.Open {
			t.Fatal(conn.Err())
		}
		link.Impair(clientEnd, link.Impairment{})
		ok(t, conn.Flush(bound()))
		ok(t, conn.SendText(t.Context(), "goes on"))
		_, err = conn.Recv(t.Context())
		is(t, err, protocol.ErrClosedOK)
		ok(t, server.Close())
	})
}
