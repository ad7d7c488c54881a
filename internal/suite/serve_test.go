package suite

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// echoing is a handler that echoes messages until its client closes.
func echoing(conn Conn) error {
	for m, err := range conn.Messages() {
		if err != nil {
			return err
		}
		if err := conn.Send(m, 0); err != nil {
			return err
		}
	}
	return nil
}

// serving has a handler served in a network of its own, for the clients that
// connect returns. The server ends with the test.
func (s Setting) serving(t *testing.T, handler func(Conn) error) (server Server, connect func() Conn) {
	t.Helper()
	network := NewNetwork()
	s.ServerOptions.Listener = network
	server, err := s.Server.Serve(handler, "", &s.ServerOptions)
	ok(t, err)
	t.Cleanup(func() { server.Shutdown(time.Minute) })
	s.ClientOptions.Dial = network.Dial
	return server, func() Conn {
		t.Helper()
		client, err := s.Client.Connect("ws://tandem.test/path?query", &s.ClientOptions)
		ok(t, err)
		t.Cleanup(client.CloseNow)
		return client
	}
}

// inNetwork has a server of the face echo messages in a network of its own.
func inNetwork(t *testing.T, face Face, opts Options) (Server, Network) {
	t.Helper()
	network := NewNetwork()
	opts.Listener = network
	server, err := face.Serve(echoing, "", &opts)
	ok(t, err)
	return server, network
}

// TestHandlerEnds has handlers end in all ways. The client sees the code, the
// log has what was wrong, and other connections go on.
func TestHandlerEnds(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler func(Conn) error
		code    protocol.CloseCode
		log     string // "": nothing but debug messages
	}{
		{"nil", func(Conn) error { return nil }, protocol.NormalClosure, ""},
		{"error", func(Conn) error { return errors.New("no more coffee") }, protocol.InternalError, "no more coffee"},
		{"panic", func(Conn) error { panic("at the disco") }, protocol.InternalError, "at the disco"},
		{"nil panic", func(conn Conn) error { return *(*error)(nil) }, protocol.InternalError, "nil pointer"},
		{"Goexit", func(Conn) error { runtime.Goexit(); return nil }, protocol.InternalError, "Goexit"},
		{"closed itself", func(conn Conn) error { conn.CloseWith(4000, ""); return errors.New("late") }, 4000, "late"},
		{"close error", func(conn Conn) error { conn.CloseWith(4000, ""); return conn.Err() }, 4000, ""},
		// Its context has ended with its connection, and so does what it waits for.
		{"end of its context", func(conn Conn) error {
			conn.CloseWith(4000, "")
			return fmt.Errorf("no more coffee: %w", context.Canceled)
		}, 4000, ""},
		{"end of another context", func(Conn) error { return context.Canceled }, protocol.InternalError, "context canceled"},
		{"somebody else's", func(Conn) error { return &protocol.CloseError{} }, protocol.InternalError, "no close frame"},
	} {
		t.Run(test.name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					var log Log
					s.ServerOptions.Log = &log
					server, connect := s.serving(t, func(conn Conn) error {
						m, err := conn.Recv(0)
						if err != nil || string(m.Data) == "echo" {
							return echoing(conn)
						}
						return test.handler(conn)
					})
					other := connect()
					send(t, other, "echo")
					client := connect()
					send(t, client, "end")
					if told := expectClosed(t, client); told.Rcvd == nil || told.Rcvd.Code != test.code {
						t.Errorf("closed with %v, want %v", told, test.code)
					}
					<-client.Done()
					synctest.Wait()
					if n := server.Len(); n != 1 {
						t.Errorf("%d connections", n)
					}
					send(t, other, "still here")
					expect(t, other, "still here")
					logged := log.String()
					if test.log == "" && strings.Contains(logged, "level=ERROR") || !strings.Contains(logged, test.log) {
						t.Errorf("want %q in the log:\n%s", test.log, logged)
					}
					ok(t, other.Close())
				})
			})
		})
	}
}

// TestConnectionsLogged: at debug level the log has the beginning and the end of each
// connection, under the same ID.
func TestConnectionsLogged(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			var log Log
			s.ServerOptions.Log = &log
			var id atomic.Value
			s.in(t, func(conn Conn) error {
				id.Store(conn.ID())
				return echoing(conn)
			})
			client, err := s.Client.Connect("ws://tandem.test/rooms/7?secret=1", &s.ClientOptions)
			ok(t, err)
			send(t, client, "hello")
			expect(t, client, "hello")
			ok(t, client.CloseWith(4000, "lunch"))
			synctest.Wait()
			of := fmt.Sprint("connection=", id.Load())
			lines := strings.SplitAfter(log.String(), "\n")
			if len(lines) != 3 { // the last one is empty
				t.Fatalf("the log:\n%s", log.String())
			}
			for i, parts := range [][]string{
				{"level=DEBUG", "websocket: connection opened", of, "path=/rooms/7"},
				{"level=DEBUG", "websocket: connection ended", of, "received 4000 (private use) lunch; then sent 4000"},
			} {
				for _, part := range parts {
					if !strings.Contains(lines[i], part) {
						t.Errorf("no %q in line %d of the log:\n%s", part, i, log.String())
					}
				}
			}
			if strings.Contains(log.String(), "secret") {
				t.Errorf("the log has the query:\n%s", log.String())
			}
		})
	})
}

// TestShutdown ends a server with clients of several kinds.
func TestShutdown(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			server, connect := s.serving(t, echoing)
			clients := []Conn{connect(), connect(), connect()}
			send(t, clients[1], "answered")
			expect(t, clients[1], "answered")
			begun := time.Now()
			var all sync.WaitGroup
			for _, client := range clients {
				all.Go(func() {
					told := expectClosed(t, client)
					if told.Rcvd == nil || told.Rcvd.Code != protocol.GoingAway {
						t.Errorf("%v", told)
					}
				})
			}
			ok(t, server.Close())
			ok(t, server.Wait())
			<-server.Done()
			took(t, begun, 0)
			all.Wait()
			ok(t, server.Close()) // again
			if n := server.Len(); n != 0 {
				t.Errorf("%d connections", n)
			}
		})
	})
}

// TestShutdownWith ends a server with a code of its own, and not with one that
// must not be sent: then it goes on.
func TestShutdownWith(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			server, connect := s.serving(t, echoing)
			client := connect()
			is(t, server.CloseWith(protocol.AbnormalClosure, ""), protocol.ErrInvalidClose)
			is(t, server.CloseWith(4000, strings.Repeat("long", 40)), protocol.ErrInvalidClose)
			send(t, client, "still here")
			expect(t, client, "still here")
			connect()
			var receiving sync.WaitGroup
			receiving.Go(func() {
				if told := expectClosed(t, client); told.Rcvd == nil || *told.Rcvd != (protocol.Close{Code: 4000, Reason: "gone"}) {
					t.Errorf("%v", told)
				}
			})
			ok(t, server.CloseWith(4000, "gone"))
			receiving.Wait()
		})
	})
}

// TestShutdownStuck ends a server whose handler does not take notice: it is cut
// off at the deadline, and waited for no longer.
func TestShutdownStuck(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			free := make(chan struct{})
			server, connect := s.serving(t, func(Conn) error { <-free; return nil })
			client := connect()
			var receiving sync.WaitGroup
			receiving.Go(func() { expectClosed(t, client) })
			begun := time.Now()
			is(t, server.Shutdown(3*time.Second), timeoutOf(s.Server))
			took(t, begun, 3*time.Second)
			receiving.Wait()
			select {
			case <-server.Done():
				t.Error("the server has ended while a handler was running")
			default:
			}
			close(free)
			ok(t, server.Wait())
		})
	})
}

// TestShutdownSilentClient ends a server with a client that answers nothing: a
// closing handshake takes the close timeout, and no longer.
func TestShutdownSilentClient(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{CloseTimeout: 2 * time.Second})
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		raw := newRaw(conn, protocol.Client)
		raw.connect(t)
		begun := time.Now()
		ok(t, server.Close())
		took(t, begun, 2*time.Second)
		raw.ExpectClose(t, protocol.GoingAway, "")
		raw.ExpectEnd(t)
		raw.Close()
	})
}

// TestShutdownDuringHandshake ends a server while clients are opening.
func TestShutdownDuringHandshake(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{})
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: tand")
		synctest.Wait()
		ended := make(chan error, 1)
		go func() { ended <- server.Shutdown(time.Minute) }()
		synctest.Wait()
		io.WriteString(conn, "em.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		answer, _ := io.ReadAll(conn)
		if len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 503") {
			t.Errorf("answered %q", answer)
		}
		ok(t, <-ended)
		ok(t, server.Wait())
		conn.Close()
		if _, err := network.Dial(t.Context(), "", ""); err == nil {
			t.Error("the server is still listening")
		}
	})
}

// TestHooksPanic has the application's hooks panic in handshakes. That is told
// as a handler's panic is, takes nobody's place, and is nothing that a later
// shutdown waits for.
func TestHooksPanic(t *testing.T) {
	for name, hook := range map[string]func(o *Options, may func()){
		"ProcessRequest": func(o *Options, may func()) {
			o.Process = func(_ http.ResponseWriter, r *http.Request) *http.Request { may(); return r }
		},
		"SelectSubprotocol": func(o *Options, may func()) {
			o.Select = func(*http.Request, []string) (string, error) { may(); return "", nil }
		},
		"ProcessResponse": func(o *Options, may func()) {
			o.Respond = func(*http.Request, int, http.Header) { may() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				var log Log
				var calm bool
				opts := Options{Log: &log, MaxConnections: 1, MaxPerAddress: 1}
				opts.Process = func(_ http.ResponseWriter, r *http.Request) *http.Request {
					r.RemoteAddr = "192.0.2.1:1"
					return r
				}
				hook(&opts, func() {
					if !calm {
						panic("no soap")
					}
				})
				server, network := inNetwork(t, face, opts)
				for range 3 {
					if _, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial}); err == nil {
						t.Error("connected")
					}
				}
				if text := log.String(); strings.Count(text, "level=ERROR") != 3 || !strings.Contains(text, "no soap") || !strings.Contains(text, "TestHooksPanic") {
					t.Errorf("log %s", text)
				}
				calm = true
				conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
				ok(t, err)
				ok(t, conn.Close())
				synctest.Wait()
				begun := time.Now()
				ok(t, server.Shutdown(time.Minute))
				took(t, begun, 0)
			})
		})
	}
}

// A watched listener counts the connections that were accepted and not closed.
type watched struct {
	net.Listener
	open *atomic.Int32
}

func (l watched) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.open.Add(1)
		conn = &watchedConn{Conn: conn, closed: sync.OnceFunc(func() { l.open.Add(-1) })}
	}
	return conn, err
}

type watchedConn struct {
	net.Conn
	closed func()
}

func (c *watchedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// TestGoneBeforeAnswer: of a client that is gone before it is let in, nothing
// stays open.
func TestGoneBeforeAnswer(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var client net.Conn
		var open atomic.Int32
		network := NewNetwork()
		server, err := face.Serve(echoing, "", &Options{
			Listener: watched{network, &open},
			Respond:  func(*http.Request, int, http.Header) { client.Close() },
		})
		ok(t, err)
		client, err = network.Dial(t.Context(), "", "")
		ok(t, err)
		_, err = io.WriteString(client, wireHandshake+"\r\n")
		ok(t, err)
		synctest.Wait()
		if open.Load() != 0 || server.Len() != 0 {
			t.Errorf("%d connections are open, %d tracked", open.Load(), server.Len())
		}
		ok(t, server.Close())
	})
}

// TestFallbackPanics: of a panic with http.ErrAbortHandler nothing is told.
func TestFallbackPanics(t *testing.T) {
	for value, told := range map[any]bool{"no soap": true, http.ErrAbortHandler: false} {
		EachFace(t, func(t *testing.T, face Face) {
			var log Log
			page := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(value) })
			server, network := inNetwork(t, face, Options{Log: &log, Fallback: page})
			conn, err := network.Dial(t.Context(), "", "")
			ok(t, err)
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			ok(t, err)
			if answer, err := io.ReadAll(conn); err != nil || len(answer) > 0 {
				t.Errorf("%q, %v", answer, err)
			}
			if strings.Contains(log.String(), "level=ERROR") != told {
				t.Errorf("%v: log %s", value, log.String())
			}
			conn.Close()
			ok(t, server.Close())
		})
	}
}

// TestShutdownRace shuts servers down the moment they begin, over and over: no
// listener that was closed for it counts as failed.
func TestShutdownRace(t *testing.T) {
	for _, face := range Faces {
		t.Run(face.Name(), func(t *testing.T) {
			for range 200 {
				server, err := face.Serve(echoing, "127.0.0.1:0", nil)
				ok(t, err)
				ok(t, server.Close())
				ok(t, server.Wait())
			}
		})
	}
}

// TestListenerFails has a listener fail: the server ends and says why, to whoever
// waits and in the log, for who runs a server may be waiting for a signal instead.
func TestListenerFails(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var log Log
		server, network := inNetwork(t, face, Options{Log: &log})
		network.Close()
		is(t, server.Wait(), net.ErrClosed)
		if text := log.String(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "listener failed") {
			t.Errorf("log %s", text)
		}
	})
}

// A starved listener accepts nobody at first.
type starved struct {
	net.Listener
	errs []error
}

func (l *starved) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	}
	return l.Listener.Accept()
}

// TestAcceptFails: a server that is out of file descriptors tries again, and says
// aloud that nobody gets in meanwhile. That a client was gone before is no matter.
func TestAcceptFails(t *testing.T) {
	for _, test := range []struct {
		errs []error
		told int
	}{
		{[]error{syscall.EMFILE, syscall.ENFILE}, 2},
		{[]error{syscall.ECONNABORTED, syscall.ECONNRESET}, 0},
	} {
		EachFace(t, func(t *testing.T, face Face) {
			var log Log
			network := NewNetwork()
			server, err := face.Serve(echoing, "", &Options{Log: &log, Listeners: []net.Listener{&starved{network, test.errs}}})
			ok(t, err)
			conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
			ok(t, err)
			ok(t, conn.Close())
			text := log.String()
			if n := strings.Count(text, "level=ERROR"); n != test.told || n > 0 && !strings.Contains(text, "too many open files") {
				t.Errorf("told %d times, want %d: %s", n, test.told, text)
			}
			ok(t, server.Close())
			ok(t, server.Wait())
		})
	}
}

// TestListenerFailsOpen: with one listener all end, and connections are closed as
// at a shutdown.
func TestListenerFailsOpen(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		failing, other := NewNetwork(), NewNetwork()
		server, err := face.Serve(echoing, "", &Options{Listeners: []net.Listener{failing, other}})
		ok(t, err)
		var conns []Conn
		for _, network := range []Network{failing, other} {
			conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
			ok(t, err)
			conns = append(conns, conn)
		}
		failing.Close()
		for _, conn := range conns {
			if told := expectClosed(t, conn); told.Rcvd == nil || told.Rcvd.Code != protocol.GoingAway {
				t.Errorf("%v", told)
			}
		}
		is(t, server.Wait(), net.ErrClosed)
		if conn, err := other.Dial(t.Context(), "", ""); err == nil {
			t.Error("the other one is still listening")
			conn.Close()
		}
	})
}

// TestListenerFailsIdle: then nothing is left of a client that has been answered
// and may ask again, either.
func TestListenerFailsIdle(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{OpenTimeout: -1, Fallback: http.NotFoundHandler()})
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		ok(t, err)
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		ok(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		ok(t, err)
		network.Close()
		is(t, server.Wait(), net.ErrClosed)
		ok(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
		_, err = in.ReadByte()
		is(t, err, io.EOF)
	})
}

// TestListen listens on addresses of all kinds, and not where it cannot.
func TestListen(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		path := filepath.Join(t.TempDir(), "socket")
		server, err := s.Server.Serve(echoing, "unix:"+path, nil)
		ok(t, err)
		client, err := s.Client.Connect("ws://tandem.test/", &Options{Unix: path})
		ok(t, err)
		send(t, client, "hello")
		expect(t, client, "hello")
		if server.Addr().String() != path {
			t.Errorf("address %v", server.Addr())
		}
		ok(t, client.Close())
		ok(t, server.Close())

		server, err = s.Server.Serve(echoing, "127.0.0.1:0", nil)
		ok(t, err)
		_, err = s.Server.Serve(echoing, server.Addr().String(), nil) // in use
		if as[*net.OpError](err) == nil {
			t.Errorf("error %v", err)
		}
		ok(t, server.Close())
		_, err = s.Server.Serve(echoing, "127.0.0.1:0", &Options{Origins: []string{"no origin"}})
		is(t, err, protocol.ErrOrigin)
		_, err = s.Server.Serve(echoing, "127.0.0.1:0", &Options{TLS: new(tls.Config)})
		if err == nil || !strings.Contains(err.Error(), "no certificate") {
			t.Errorf("error %v", err)
		}
		for _, config := range []*tls.Config{
			{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }},
			{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }},
		} {
			server, err = s.Server.Serve(echoing, "127.0.0.1:0", &Options{TLS: config})
			ok(t, err)
			ok(t, server.Close())
		}
		_, err = s.Server.NewHandler(echoing, &Options{Protocol: []string{"a", "a"}})
		is(t, err, protocol.ErrSubprotocol)
	})
}

// TestAbandonedSocket listens where a killed program has left its socket, but
// not where somebody listens, or where there is something else.
func TestAbandonedSocket(t *testing.T) {
	for _, face := range Faces {
		t.Run(face.Name(), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "socket")
			l, err := net.Listen("unix", path)
			ok(t, err)
			if server, err := face.Serve(echoing, "unix:"+path, nil); err == nil {
				server.Close()
				t.Error("took the socket of somebody who listens")
			}
			l.(*net.UnixListener).SetUnlinkOnClose(false) // as when it is killed
			ok(t, l.Close())
			server, err := face.Serve(echoing, "unix:"+path, nil)
			ok(t, err)
			client, err := face.Connect("ws://tandem.test/", &Options{Unix: path})
			ok(t, err)
			ok(t, client.Close())
			ok(t, server.Close())

			file := filepath.Join(dir, "file")
			ok(t, os.WriteFile(file, []byte("precious"), 0o600))
			if server, err := face.Serve(echoing, "unix:"+file, nil); err == nil {
				server.Close()
				t.Error("listens on a file")
			}
			if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
				t.Errorf("the file has %q, %v", text, err)
			}
		})
	}
}

// TestHeaderWhileAgreeing: what a hook sets in the response's header while the
// subprotocol is chosen is sent, also when nobody asks for the header afterwards.
func TestHeaderWhileAgreeing(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			var answer http.ResponseWriter
			s.ServerOptions.DiscardRequest = true
			s.ServerOptions.Select = func(*http.Request, []string) (string, error) {
				answer.Header().Set("X-Selected", "none")
				return "", nil
			}
			handler, err := s.Server.NewHandler(echoing, &s.ServerOptions)
			ok(t, err)
			network := NewNetwork()
			web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer = w
				handler.ServeHTTP(w, r)
			})}
			go web.Serve(network)

			s.ClientOptions.Dial = network.Dial
			client, err := s.Client.Connect("ws://tandem.test/", &s.ClientOptions)
			ok(t, err)
			if got := client.Response().Header.Get("X-Selected"); got != "none" {
				t.Errorf("the hook's header is %q", got)
			}
			ok(t, client.Close())
			ok(t, handler.Shutdown(time.Second))
			ok(t, web.Close())
		})
	})
}

// TestHandlerInServer runs a Handler inside somebody else's HTTP server, behind
// a ServeMux with wildcards and middleware that sets a header.
func TestHandlerInServer(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			for _, discard := range []bool{false, true} {
				s.ServerOptions.DiscardRequest = discard
				handler, err := s.Server.NewHandler(func(conn Conn) error {
					if (conn.Request() == nil) != discard || (conn.Response() == nil) != discard {
						t.Errorf("request %v, response %v", conn.Request(), conn.Response())
					}
					send(t, conn, fmt.Sprintf("%s: %q %q %q", conn.Path(), conn.PathValue("room"), conn.PathValue("rest"), conn.PathValue("none")))
					return echoing(conn)
				}, &s.ServerOptions)
				ok(t, err)
				mux := http.NewServeMux()
				mux.Handle("GET /rooms/{room}/{rest...}", handler)
				network := NewNetwork()
				returned := make(chan struct{}, 1)
				web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Middleware", "was here")
					mux.ServeHTTP(w, r)
					returned <- struct{}{}
				}), ReadTimeout: time.Second, WriteTimeout: time.Second}
				go web.Serve(network)

				s.ClientOptions.Dial = network.Dial
				client, err := s.Client.Connect("ws://tandem.test/rooms/caf%C3%A9%2Fbar/a/b", &s.ClientOptions)
				ok(t, err)
				expect(t, client, `/rooms/café/bar/a/b: "café/bar" "a/b" ""`)
				if got := client.Response().Header.Get("X-Middleware"); got != "was here" {
					t.Errorf("middleware's header is %q", got)
				}
				time.Sleep(time.Minute) // the HTTP server's time-outs are not for us
				send(t, client, "still here")
				expect(t, client, "still here")
				select {
				case <-returned:
					t.Error("ServeHTTP has returned before the handler")
				default:
				}
				var receiving sync.WaitGroup
				receiving.Go(func() {
					if told := expectClosed(t, client); told.Rcvd.Code != protocol.GoingAway {
						t.Errorf("%v", told)
					}
				})
				ok(t, handler.Shutdown(time.Second))
				receiving.Wait()
				<-returned
				_, err = s.Client.Connect("ws://tandem.test/rooms/x/y", &s.ClientOptions)
				<-returned
				if refused := as[*protocol.InvalidStatusError](err); refused == nil || refused.Response.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("error %v, want status 503", err)
				}
				ok(t, web.Close())
			}
		})
	})
}

// TestServerHeaders has both sides send header fields and agree on a
// subprotocol.
func TestServerHeaders(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			s.ClientOptions.Header = http.Header{"X-Client": {"c1", "c2"}}
			s.ClientOptions.Protocol = []string{"soap", "chat"}
			s.ClientOptions.Host = "other.test"
			s.ServerOptions.Header = http.Header{"X-Server": {"s"}}
			s.ServerOptions.Protocol = []string{"superchat", "chat"}
			client, server, _, _ := s.Over(t)
			for _, conn := range []Conn{client, server} {
				if conn.Subprotocol() != "chat" || conn.Response().Header.Get("X-Server") != "s" ||
					fmt.Sprint(conn.Request().Header["X-Client"]) != "[c1 c2]" || conn.Request().Host != "other.test" {
					t.Errorf("%q, %v, %v", conn.Subprotocol(), conn.Request(), conn.Response())
				}
				id := conn.ID()
				if again := conn.ID(); conn.Response().StatusCode != http.StatusSwitchingProtocols || id == "" || again != id {
					t.Errorf("%v %v %v", conn.Response().Status, id, again)
				}
			}
			if client.LocalAddr().String() != server.RemoteAddr().String() || server.LocalAddr().String() != client.RemoteAddr().String() {
				t.Errorf("addresses %v %v, %v %v", client.LocalAddr(), client.RemoteAddr(), server.LocalAddr(), server.RemoteAddr())
			}
		})
	})
}

// TestRefusals looks at how a server refuses clients, as our own client sees
// it: with a status, and a body that says why.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name   string
		client Options
		server Options
		status int
		body   string
	}{
		{
			name:   "origin",
			client: Options{Header: http.Header{"Origin": {"https://evil.test"}}},
			status: 403, body: "evil.test",
		}, {
			name:   "other origin",
			client: Options{Header: http.Header{"Origin": {"https://evil.test"}}},
			server: Options{Origins: []string{"https://good.test"}},
			status: 403, body: "not allowed",
		}, {
			name:   "no common subprotocol",
			client: Options{Protocol: []string{"soap"}},
			server: Options{Protocol: []string{"chat"}},
			status: 400, body: "chat",
		}, {
			name:   "selected none",
			client: Options{Protocol: []string{"soap"}},
			server: Options{Select: func(*http.Request, []string) (string, error) { return "", errors.New("out of soap") }},
			status: 400, body: "out of soap",
		}, {
			name:   "selected another",
			client: Options{Protocol: []string{"soap"}},
			server: Options{Select: func(*http.Request, []string) (string, error) { return "secret", nil }},
			status: 500, body: "Internal Server Error",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			Each(t, func(t *testing.T, s Setting) {
				synctest.Test(t, func(t *testing.T) {
					server, network := inNetwork(t, s.Server, test.server)
					test.client.Dial = network.Dial
					_, err := s.Client.Connect("ws://tandem.test/", &test.client)
					is(t, err, protocol.ErrHandshake)
					is(t, err, protocol.ErrUpgrade)
					refused := as[*protocol.InvalidStatusError](err)
					if refused == nil || refused.Response.StatusCode != test.status || !strings.Contains(string(refused.Body), test.body) {
						t.Errorf("%v: %+v", err, refused)
					}
					ok(t, server.Close())
				})
			})
		})
	}
}

// TestOriginPatterns lets in the pages that the options have, and their own, as
// far as a server knows its scheme.
func TestOriginPatterns(t *testing.T) {
	allowed := []string{"https://example.com", "https://*.example.org", "http://localhost:*", "null"}
	for _, secure := range []bool{false, true} {
		EachFace(t, func(t *testing.T, face Face) {
			served, trusting := Certificate(t)
			opts, scheme := Options{Origins: allowed}, "ws"
			if secure {
				opts.TLS, scheme = served, "wss"
			}
			server, network := inNetwork(t, face, opts)
			for origin, in := range map[string]bool{
				"https://tandem.test": true, "https://tandem.test:8443": false, "http://tandem.test": !secure,
				"https://example.com": true, "https://EXAMPLE.com:443": true, "http://example.com": false,
				"https://sub.example.com": false, "https://example.com.evil.test": false,
				"https://a.example.org": true, "https://a.b.example.org": true, "https://example.org": false, "https://evilexample.org": false,
				"http://localhost:8080": true, "http://localhost": true, "https://localhost": false,
				"null": true, "": false, "https://user@example.com": false, "https://example.com/": false,
			} {
				conn, err := face.Connect(scheme+"://tandem.test/", &Options{
					Dial: network.Dial, TLS: trusting, Header: http.Header{"Origin": {origin}},
				})
				if in {
					if err != nil {
						t.Errorf("%q over %s: %v", origin, scheme, err)
						continue
					}
					ok(t, conn.Close())
					continue
				}
				refusedWith(t, err, http.StatusForbidden, "is not allowed")
			}
			ok(t, server.Close())
			synctest.Wait()
		})
	}
}

// TestUnsendableHeader: a header that no client would accept is found before
// one comes.
func TestUnsendableHeader(t *testing.T) {
	for _, header := range []http.Header{
		{"X-Bad": {"two\r\nlines"}},
		{"Connection": {"close"}},
	} {
		for _, face := range Faces {
			_, err := face.Serve(echoing, "", &Options{Listener: NewNetwork(), Header: header})
			is(t, err, protocol.ErrHandshake)
			_, err = face.NewHandler(echoing, &Options{Header: header})
			is(t, err, protocol.ErrHandshake)
		}
	}
}

// TestPlainHTTP has a client that is no WebSocket client ask a server.
func TestPlainHTTP(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{})
		transport := &http.Transport{DialContext: network.Dial}
		for _, test := range []struct {
			method string
			header http.Header
			status int
			tells  string
		}{
			{"GET", http.Header{}, 426, "Upgrade"},
			{"POST", http.Header{}, 405, "Allow"},
			{"GET", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}, 400, ""},
			{"GET", http.Header{
				"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
				"Sec-Websocket-Version": {"8"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
			}, 426, "Sec-Websocket-Version"},
		} {
			req, err := http.NewRequestWithContext(t.Context(), test.method, "http://tandem.test/", nil)
			ok(t, err)
			req.Header = test.header
			resp, err := transport.RoundTrip(req)
			ok(t, err)
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != test.status || test.tells != "" && resp.Header.Get(test.tells) == "" || len(body) == 0 {
				t.Errorf("%s %v: %v %v %q", test.method, test.header, resp.Status, resp.Header, body)
			}
		}
		transport.CloseIdleConnections()
		ok(t, server.Close())
	})
}

// TestRefusedBody refuses requests that declare a body which never comes: the
// answer does not wait for it, and the connection ends behind the answer.
func TestRefusedBody(t *testing.T) {
	for _, face := range Faces {
		for name, head := range map[string]string{
			"upgrade":      "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n",
			"plain":        "GET / HTTP/1.1\r\nContent-Length: 5\r\n",
			"chunked":      "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
			"other method": "POST / HTTP/1.1\r\nContent-Length: 1000000000000\r\n",
		} {
			t.Run(face.Name()+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					network := NewNetwork()
					server, err := face.Serve(echoing, "", &Options{Listener: network})
					ok(t, err)
					conn, err := network.Dial(t.Context(), "", "")
					ok(t, err)
					begun := time.Now()
					_, err = io.WriteString(conn, head+"Host: tandem.test\r\n\r\n")
					ok(t, err)
					answer, err := io.ReadAll(conn)
					ok(t, err)
					if !strings.HasPrefix(string(answer), "HTTP/1.1 4") || !strings.Contains(string(answer), "Connection: close") || time.Since(begun) > time.Second {
						t.Errorf("after %v: %.80q", time.Since(begun), answer)
					}
					ok(t, conn.Close())
					ok(t, server.Close())
				})
			})
		}
	}
}

// TestOpenTimeoutServerTLS: so it is with clients that do not get through the TLS
// handshake.
func TestOpenTimeoutServerTLS(t *testing.T) {
	for name, hello := range map[string]string{"silent": "", "half a record": "\x16\x03\x01\x02\x00\x01"} {
		t.Run(name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				serving, _ := Certificate(t)
				server, network := inNetwork(t, face, Options{OpenTimeout: 3 * time.Second, TLS: serving})
				conn, err := network.Dial(t.Context(), "", "")
				ok(t, err)
				_, err = io.WriteString(conn, hello)
				ok(t, err)
				begun := time.Now()
				_, err = io.ReadAll(conn)
				ok(t, err)
				took(t, begun, 3*time.Second)
				conn.Close()
				ok(t, server.Close())
			})
		})
	}
}

// TestOpenTimeoutServer has clients keep a server waiting: one says nothing, one
// dribbles its request, and one was refused and stays.
func TestOpenTimeoutServer(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{OpenTimeout: 3 * time.Second})
		for name, dribble := range map[string]func(conn net.Conn){
			"silent": func(net.Conn) {},
			"dribbling": func(conn net.Conn) {
				for {
					time.Sleep(100 * time.Millisecond)
					if _, err := io.WriteString(conn, "G"); err != nil {
						return
					}
				}
			},
			"refused": func(conn net.Conn) { io.WriteString(conn, "GET / HTTP/1.1\r\nHost: tandem.test\r\n\r\n") },
		} {
			conn, err := network.Dial(context.Background(), "", "")
			ok(t, err)
			go dribble(conn) // ends with the connection
			begun := time.Now()
			io.ReadAll(conn)
			if d := time.Since(begun); d > 4*time.Second {
				t.Errorf("%s: the server waited for %v", name, d)
			}
			conn.Close()
		}
		time.Sleep(time.Second)
		ok(t, server.Close())
	})
}
