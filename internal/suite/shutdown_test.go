package suite

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// shutting is what a Server and a Handler have in common.
type shutting interface {
	Done() <-chan struct{}
	Shutdown(timeout time.Duration) error
	Drain(timeout time.Duration) error
}

// eachServing runs a test with a server of its own and one that is a handler in
// somebody else's, of each face.
func eachServing(t *testing.T, handler func(Conn) error, opts Options, test func(t *testing.T, face Face, server shutting, network Network)) {
	for _, face := range Faces {
		t.Run(face.Name()+"/server", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts.Listener = NewNetwork()
				server, err := face.Serve(handler, "", &opts)
				ok(t, err)
				test(t, face, server, opts.Listener.(Network))
				ok(t, server.Wait())
			})
		})
		t.Run(face.Name()+"/handler", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, err := face.NewHandler(handler, &opts)
				ok(t, err)
				network := NewNetwork()
				web := &http.Server{Handler: h}
				go web.Serve(network)
				test(t, face, h, network)
				<-h.Done()
				ok(t, web.Close())
			})
		})
	}
}

// ended reports whether a server has.
func ended(s shutting) bool {
	synctest.Wait()
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

// TestKeepConnections ends a server whose connections may finish: nobody else
// gets in, they go on, and it has ended when they have.
func TestKeepConnections(t *testing.T) {
	eachServing(t, echoing, Options{}, func(t *testing.T, face Face, server shutting, network Network) {
		conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
		ok(t, err)
		begun := time.Now()
		go func() {
			time.Sleep(3 * time.Minute)
			send(t, conn, "still here")
			expect(t, conn, "still here")
			conn.Close()
		}()
		drained := make(chan error, 1)
		go func() { drained <- server.Drain(time.Hour) }()
		synctest.Wait()
		if other, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial}); err == nil {
			t.Error("somebody else got in")
			other.CloseNow()
		}
		ok(t, <-drained)
		took(t, begun, 3*time.Minute)
		synctest.Wait() // the server may be done before the client is
		is(t, conn.Err(), protocol.ErrClosedOK)
	})
}

// TestKeepConnectionsThenClose: at its bound a patient shutdown cuts nothing,
// and the next one says goodbye.
func TestKeepConnectionsThenClose(t *testing.T) {
	eachServing(t, echoing, Options{}, func(t *testing.T, face Face, server shutting, network Network) {
		conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
		ok(t, err)
		for range 2 {
			begun := time.Now()
			is(t, server.Drain(time.Minute), timeoutOf(face))
			took(t, begun, time.Minute)
			send(t, conn, "still here")
			expect(t, conn, "still here")
			if ended(server) {
				t.Fatal("it has ended")
			}
		}
		done := make(chan error, 1)
		go func() { done <- server.Shutdown(time.Minute) }()
		if told := expectClosed(t, conn); told.Rcvd == nil || told.Rcvd.Code != protocol.GoingAway {
			t.Errorf("%v", told)
		}
		ok(t, <-done)
		if !ended(server) {
			t.Error("it has not ended")
		}
		ok(t, server.Drain(time.Minute)) // at once
	})
}

// TestShutdownCuts: at its bound a shutdown cuts off a connection whose handler
// takes no notice, and waits for that one no longer.
func TestShutdownCuts(t *testing.T) {
	stuck := func(conn Conn) error {
		time.Sleep(time.Minute)
		return nil
	}
	eachServing(t, stuck, Options{}, func(t *testing.T, face Face, server shutting, network Network) {
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		raw := newRaw(conn, protocol.Client)
		raw.connect(t)
		begun := time.Now()
		is(t, server.Shutdown(3*time.Second), timeoutOf(face))
		took(t, begun, 3*time.Second)
		raw.ExpectClose(t, protocol.GoingAway, "")
		raw.ExpectEnd(t)
		raw.Close()
		if ended(server) {
			t.Error("it has ended before the handler")
		}
		<-server.Done()
		took(t, begun, time.Minute)
	})
}

// TestShutdownCutsFallback: so it does with a page that never ends.
func TestShutdownCutsFallback(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		server, network := inNetwork(t, face, Options{Fallback: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		})})
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		ok(t, err)
		synctest.Wait()
		begun := time.Now()
		is(t, server.Shutdown(3*time.Second), timeoutOf(face))
		ok(t, server.Wait())
		took(t, begun, 3*time.Second)
		conn.Close()
	})
}

// TestNotDone: that nobody is connected, at the beginning or later, is no end.
func TestNotDone(t *testing.T) {
	eachServing(t, echoing, Options{}, func(t *testing.T, face Face, server shutting, network Network) {
		for range 3 {
			conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
			ok(t, err)
			ok(t, conn.Close())
			if ended(server) {
				t.Fatal("it has ended with a connection")
			}
		}
		ok(t, server.Shutdown(time.Minute))
	})
}

// TestShutdownOfHandshakes: a handshake that a hook holds up is refused, and one
// that is being answered becomes a connection that is closed.
func TestShutdownOfHandshakes(t *testing.T) {
	for name, test := range map[string]struct {
		hook   func(o *Options, held, free chan struct{})
		status int
	}{
		"ProcessRequest": {func(o *Options, held, free chan struct{}) {
			o.Process = func(_ http.ResponseWriter, r *http.Request) *http.Request { close(held); <-free; return r }
		}, http.StatusServiceUnavailable},
		"SelectSubprotocol": {func(o *Options, held, free chan struct{}) {
			o.Select = func(*http.Request, []string) (string, error) { close(held); <-free; return "", nil }
		}, http.StatusServiceUnavailable},
		"ProcessResponse": {func(o *Options, held, free chan struct{}) {
			o.Respond = func(*http.Request, int, http.Header) { close(held); <-free }
		}, http.StatusSwitchingProtocols},
	} {
		t.Run(name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				held, free := make(chan struct{}), make(chan struct{})
				var opts Options
				test.hook(&opts, held, free)
				server, network := inNetwork(t, face, opts)
				conn, err := network.Dial(t.Context(), "", "")
				ok(t, err)
				raw := newRaw(conn, protocol.Client)
				raw.Send(t, []byte(wireHandshake+"\r\n"))
				<-held
				done := make(chan error, 1)
				go func() { done <- server.Shutdown(time.Minute) }()
				synctest.Wait()
				if server.Len() != 0 || ended(server) {
					t.Error("it has not waited for the handshake")
				}
				close(free)
				resp, err := http.ReadResponse(raw.in, nil)
				ok(t, err)
				if resp.StatusCode != test.status {
					t.Errorf("%v, want %d", resp.Status, test.status)
				}
				if test.status == http.StatusSwitchingProtocols {
					raw.ExpectClose(t, protocol.GoingAway, "")
					raw.Send(t, raw.CloseFrame(protocol.GoingAway, ""))
				} else if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "shutting down") {
					t.Errorf("%q, %v", body, err)
				}
				raw.ExpectEnd(t)
				raw.Close()
				ok(t, <-done)
			})
		})
	}
}

// TestShutdownUnbegun: clients that have connected and said nothing, or not all of
// a request, are waited for, and not for longer than the page about shutting down
// says.
func TestShutdownUnbegun(t *testing.T) {
	for begun, most := range map[string]time.Duration{"": 7 * time.Second, "GET / HT": 9 * time.Second} {
		EachFace(t, func(t *testing.T, face Face) {
			server, network := inNetwork(t, face, Options{OpenTimeout: 8 * time.Second})
			conn, err := network.Dial(t.Context(), "", "")
			ok(t, err)
			_, err = io.WriteString(conn, begun)
			ok(t, err)
			synctest.Wait()
			from := time.Now()
			ok(t, server.Shutdown(time.Minute))
			if took := time.Since(from); took > most {
				t.Errorf("after %q it took %v", begun, took)
			}
			_, err = io.ReadAll(conn)
			ok(t, err)
			conn.Close()
		})
	}
}

// TestHandlerCloseCode ends a Handler with a code and reason of the
// application's, and not with one that cannot be sent.
func TestHandlerCloseCode(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		handler, err := face.NewHandler(echoing, nil)
		ok(t, err)
		network := NewNetwork()
		web := &http.Server{Handler: handler}
		go web.Serve(network)
		conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
		ok(t, err)
		is(t, handler.CloseWith(time.Minute, protocol.AbnormalClosure, ""), protocol.ErrInvalidClose)
		send(t, conn, "still here")
		expect(t, conn, "still here")
		done := make(chan error, 1)
		go func() { done <- handler.CloseWith(time.Minute, protocol.ServiceRestart, "back soon") }()
		if told := expectClosed(t, conn); told.Rcvd == nil || *told.Rcvd != (protocol.Close{Code: protocol.ServiceRestart, Reason: "back soon"}) {
			t.Errorf("%v", told)
		}
		ok(t, <-done)
		ok(t, web.Close())
	})
}

// TestShutdownTogether: several at once, with different goodbyes, all return.
func TestShutdownTogether(t *testing.T) {
	eachServing(t, echoing, Options{}, func(t *testing.T, face Face, server shutting, network Network) {
		conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
		ok(t, err)
		done := make(chan error, 10)
		for i := range 10 {
			go func() {
				if i%2 == 0 {
					done <- server.Drain(time.Minute)
				} else {
					done <- server.Shutdown(time.Minute)
				}
			}()
		}
		expectClosed(t, conn)
		for range 10 {
			ok(t, <-done)
		}
	})
}
