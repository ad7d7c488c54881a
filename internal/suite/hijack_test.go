package suite

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// Response writers as middleware wraps them.
type (
	// unwrapper is what net/http asks of a wrapper since ResponseController.
	unwrapper struct {
		http.ResponseWriter
		status int
	}

	// hijacker is how it was done before: with a method of its own.
	hijacker struct {
		http.ResponseWriter
		hijacked *bool
	}

	// rereader gives away what it has read already as its own buffer.
	rereader struct {
		http.ResponseWriter
	}

	// hider is neither.
	hider struct{ http.ResponseWriter }
)

func (w *unwrapper) WriteHeader(status int)      { w.status = status; w.ResponseWriter.WriteHeader(status) }
func (w *unwrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	*w.hijacked = true
	return w.ResponseWriter.(http.Hijacker).Hijack()
}

func (w rereader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := w.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return nil, nil, err
	}
	in := bufio.NewReaderSize(rw.Reader, 64)
	_, err = in.Peek(1)
	return conn, bufio.NewReadWriter(in, rw.Writer), err
}

// TestWrappedWriters runs a Handler behind middleware that wraps the response
// writer, in all the ways that leave it a way to the connection.
func TestWrappedWriters(t *testing.T) {
	hijacked := false
	for name, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"not wrapped": func(w http.ResponseWriter) http.ResponseWriter { return w },
		"Unwrap":      func(w http.ResponseWriter) http.ResponseWriter { return &unwrapper{ResponseWriter: w} },
		"Unwrap twice": func(w http.ResponseWriter) http.ResponseWriter {
			return &unwrapper{ResponseWriter: &unwrapper{ResponseWriter: w}}
		},
		"Hijack": func(w http.ResponseWriter) http.ResponseWriter { return hijacker{w, &hijacked} },
		"Unwrap over Hijack": func(w http.ResponseWriter) http.ResponseWriter {
			return &unwrapper{ResponseWriter: hijacker{w, &hijacked}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			hijacked = false
			behind(t, wrap, func(t *testing.T, network Network, handler Handler, face Face) {
				conn, err := face.Connect("ws://tandem.test/", &Options{Dial: network.Dial})
				ok(t, err)
				send(t, conn, "through")
				expect(t, conn, "through")
				ok(t, conn.Close())
				if want := strings.Contains(name, "Hijack"); hijacked != want {
					t.Errorf("the wrapper's Hijack was called: %v", hijacked)
				}
			})
		})
	}
}

// TestWrapperHasRead: what a wrapper has read of the frames behind the request
// is not lost.
func TestWrapperHasRead(t *testing.T) {
	behind(t, func(w http.ResponseWriter) http.ResponseWriter { return rereader{w} }, func(t *testing.T, network Network, _ Handler, face Face) {
		conn, err := network.Dial(t.Context(), "", "")
		ok(t, err)
		raw := newRaw(conn, protocol.Client)
		raw.Send(t, []byte(wireHandshake+"\r\n"), raw.Text("early"), raw.Text("bird"))
		resp, err := http.ReadResponse(raw.in, nil)
		ok(t, err)
		if resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatal(resp.Status)
		}
		raw.Expect(t, protocol.OpText, "early")
		raw.Expect(t, protocol.OpText, "bird")
		raw.Send(t, raw.CloseFrame(protocol.NormalClosure, ""))
		raw.ExpectClose(t, protocol.NormalClosure, "")
		raw.Close()
	})
}

// TestNoWayToHijack: middleware from which the connection cannot be had makes
// an error that says so to us, and nothing to the client. A later shutdown has
// nothing to wait for.
func TestNoWayToHijack(t *testing.T) {
	behind(t, func(w http.ResponseWriter) http.ResponseWriter { return hider{w} }, func(t *testing.T, network Network, _ Handler, _ Face) {
		resp, body := ask(t, network, wireHandshake+"\r\n")
		if resp.StatusCode != http.StatusInternalServerError || strings.Contains(body, "Unwrap") {
			t.Errorf("%v %q", resp.Status, body)
		}
	})
}

// TestTimeoutHandler: package net/http's own middleware hides the connection.
func TestTimeoutHandler(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var log Log
		handler, err := face.NewHandler(echoing, &Options{Log: &log})
		ok(t, err)
		network := NewNetwork()
		web := &http.Server{Handler: http.TimeoutHandler(handler, time.Second, "")}
		go web.Serve(network)
		if resp, _ := ask(t, network, wireHandshake+"\r\n"); resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("%v", resp.Status)
		}
		if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "timeoutWriter") || !strings.Contains(text, "Unwrap") {
			t.Errorf("log %s", text)
		}
		begun := time.Now()
		ok(t, handler.Shutdown(time.Minute))
		took(t, begun, 0)
		ok(t, web.Close())
	})
}

// behind runs a test with a Handler of each face behind middleware.
func behind(t *testing.T, wrap func(http.ResponseWriter) http.ResponseWriter, test func(*testing.T, Network, Handler, Face)) {
	for _, face := range Faces {
		t.Run(face.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler, err := face.NewHandler(echoing, nil)
				ok(t, err)
				network := NewNetwork()
				web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					handler.ServeHTTP(wrap(w), r)
				})}
				go web.Serve(network)
				test(t, network, handler, face)
				ok(t, handler.Shutdown(time.Minute))
				<-handler.Done()
				ok(t, web.Close())
			})
		})
	}
}

// TestConcurrentHijack refuses a request whose connection was taken already.
func TestConcurrentHijack(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		var log Log
		handler, err := face.NewHandler(echoing, &Options{Log: &log})
		ok(t, err)
		network := NewNetwork()
		web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			ok(t, err)
			handler.ServeHTTP(w, r)
			fmt.Fprint(conn, "HTTP/1.1 418 Taken\r\n\r\n")
			conn.Close()
		})}
		go web.Serve(network)
		if resp, _ := ask(t, network, wireHandshake+"\r\n"); resp.StatusCode != http.StatusTeapot {
			t.Errorf("%v", resp.Status)
		}
		if !strings.Contains(log.String(), "hijacked") {
			t.Errorf("log %s", log.String())
		}
		ok(t, handler.Shutdown(time.Minute))
		ok(t, web.Close())
	})
}
