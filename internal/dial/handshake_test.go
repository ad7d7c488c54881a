package dial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// dialScripted dials a server that reads one request and answers with what
// answer makes of it.
func dialScripted(t *testing.T, answer func(*http.Request) string) (*Result, error) {
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() { // ends when it has answered, or when the client has closed
		defer close(done)
		defer server.Close()
		req, err := http.ReadRequest(bufio.NewReader(server))
		if err != nil {
			t.Errorf("no request: %v", err)
			return
		}
		server.Write([]byte(answer(req))) // an error: the client has read enough
	}()
	result, err := Dial(context.Background(), "ws://server.example.com/", &Options{NetConn: client})
	client.Close()
	<-done
	return result, err
}

// accepted is what our own server answers.
func accepted(req *http.Request) string {
	_, header, err := new(protocol.Acceptor).Accept(req)
	if err != nil {
		return fmt.Sprintf("HTTP/1.1 500 %v\r\n\r\n", err)
	}
	var b strings.Builder
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	header.Write(&b)
	return b.String() + "\r\n"
}

// TestInterimResponses come before the answer and mean nothing.
func TestInterimResponses(t *testing.T) {
	const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
	result, err := dialScripted(t, func(req *http.Request) string { return interim + accepted(req) + "early" })
	if err != nil {
		t.Fatal(err)
	}
	if result.Response.StatusCode != 101 || string(result.Early) != "early" {
		t.Errorf("status %d, early data %q", result.Response.StatusCode, result.Early)
	}

	_, err = dialScripted(t, func(*http.Request) string { return interim + "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno" })
	var refused *protocol.InvalidStatusError
	if !errors.As(err, &refused) || refused.Response.StatusCode != 404 || string(refused.Body) != "no" {
		t.Errorf("%v, want status 404 with its body", err)
	}
}

// TestNoStatus: what is no status at all announces no other response, which would
// be waited for.
func TestNoStatus(t *testing.T) {
	for _, status := range []int{0, 99} {
		_, err := dialScripted(t, func(req *http.Request) string {
			return fmt.Sprintf("HTTP/1.1 %03d What\r\nContent-Length: 0\r\n\r\n", status) + accepted(req)
		})
		var refused *protocol.InvalidStatusError
		if !errors.As(err, &refused) || refused.Response.StatusCode != status {
			t.Errorf("%03d: %v", status, err)
		}
	}
}

// TestInterimResponsesWithoutEnd are read up to the limit and no further.
func TestInterimResponsesWithoutEnd(t *testing.T) {
	_, err := dialScripted(t, func(*http.Request) string {
		return strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxResponseHeader/20)
	})
	if !errors.Is(err, protocol.ErrHandshake) || !strings.Contains(err.Error(), "more than 262144 bytes") {
		t.Errorf("%v, want an error about the size", err)
	}
}

// A deaf connection takes no more than some bytes of a request, and has an answer
// to be read all the same: so it is with TCP when a server has answered and closed.
type deaf struct {
	net.Conn
	takes int
}

func (d *deaf) Write(p []byte) (n int, err error) {
	if n = min(len(p), d.takes); n < len(p) {
		err = &net.OpError{Op: "write", Err: syscall.EPIPE}
	}
	d.takes -= n
	return n, err
}

// TestRefusedBeforeRead: who answers before it has read the request, and closes,
// may have the rest of it fail. What it said is what there is to tell, if it said
// that it refuses (RFC 9112, section 9.5).
func TestRefusedBeforeRead(t *testing.T) {
	const large = 100 << 10
	for _, test := range []struct {
		name    string
		says    func(conn net.Conn)
		status  int // 0: the write's error
		proxied int // that of a proxy
		after   time.Duration
	}{
		{"too large", saying("HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 3\r\n\r\nno!"), 431, 431, 0},
		{"busy", saying("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nno!"), 503, 503, 0},
		{"gone", func(net.Conn) {}, 0, 0, 0},
		{"half an answer", saying("HTTP/1.1 431 Request"), 0, 0, 0},
		{"let in", saying("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 0, 0, 0},
		{"let through", saying("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno!"), 200, 0, 0},
		{"silent", silent, 0, 0, maxLastAnswer},
	} {
		for _, proxied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", test.name, proxied), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					dial := line(t, test.says)
					opts := &Options{OpenTimeout: -1, Header: http.Header{"X": {strings.Repeat("x", large)}}, Proxy: http.ProxyURL(nil)}
					if proxied {
						opts.Header, opts.ProxyConnectHeader, opts.Proxy = nil, opts.Header, through(t, "http://proxy.example")
					}
					opts.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
						conn, err := dial(ctx, network, address)
						return &deaf{conn, large / 2}, err
					}
					begun := time.Now()
					_, err := Dial(context.Background(), "ws://server.example/", opts)
					if time.Since(begun) != test.after {
						t.Errorf("it took %v", time.Since(begun))
					}
					want := test.status
					if proxied {
						want = test.proxied
					}
					status, body := answered(err)
					if status != want || status != 0 && body != "no!" || errors.Is(err, syscall.EPIPE) != (status == 0) {
						t.Errorf("status %d, body %q, %v", status, body, err)
					}
					if errors.As(err, new(*protocol.ProxyError)) != proxied {
						t.Errorf("%v blames somebody else", err)
					}
				})
			})
		}
	}
}

// TestRedirectedBeforeRead: a connection that was given and takes nothing any more
// leads nowhere.
func TestRedirectedBeforeRead(t *testing.T) {
	conn, err := line(t, saying("HTTP/1.1 302 Found\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n"))(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Dial(t.Context(), "ws://server.example/", &Options{NetConn: &deaf{conn, 50}})
	if failed := redirectError(t, err); !strings.Contains(failed.Reason, "has ended") {
		t.Errorf("%v", err)
	}
}

// saying is a server that says something and closes.
func saying(text string) func(net.Conn) {
	return func(conn net.Conn) { io.WriteString(conn, text) }
}

// answered returns the status and the body with which a server or a proxy refused.
func answered(err error) (status int, body string) {
	var refused *protocol.InvalidStatusError
	var noWay *protocol.ProxyError
	switch {
	case errors.As(err, &refused):
		return refused.Response.StatusCode, string(refused.Body)
	case errors.As(err, &noWay) && noWay.Response != nil:
		return noWay.Response.StatusCode, string(noWay.Body)
	}
	return 0, ""
}

// A timeless connection knows no deadlines, as a channel of SSH.
type timeless struct{ net.Conn }

var errTimeless = errors.New("deadline not supported")

func (timeless) SetDeadline(time.Time) error      { return errTimeless }
func (timeless) SetReadDeadline(time.Time) error  { return errTimeless }
func (timeless) SetWriteDeadline(time.Time) error { return errTimeless }

// TestOpenTimeoutTimeless: the open timeout, and the context, hold on connections
// without deadlines too, at each step.
func TestOpenTimeoutTimeless(t *testing.T) {
	for name, test := range map[string]struct{ url, proxy string }{
		"handshake": {"ws://192.0.2.1/", ""},
		"TLS":       {"wss://192.0.2.1/", ""},
		"CONNECT":   {"ws://192.0.2.1/", "http://proxy.example"},
		"SOCKS":     {"ws://192.0.2.1/", "socks5h://proxy.example"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial := line(t, silent)
				opts := &Options{OpenTimeout: 3 * time.Second, Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}
				if test.proxy != "" {
					opts.Proxy = through(t, test.proxy)
				}
				opts.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := dial(ctx, network, address)
					time.AfterFunc(time.Minute, func() { conn.Close() }) // so that the test ends
					return timeless{conn}, err
				}
				begun := time.Now()
				_, err := Dial(context.Background(), test.url, opts)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
					t.Errorf("after %v: %v", time.Since(begun), err)
				}
			})
		})
	}
}

// TestOpenTimeoutBelowTLS: to close TLS is to say something more, for which a connection
// without deadlines may have no room. The open timeout does not wait for that.
func TestOpenTimeoutBelowTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := line(t, func(conn net.Conn) {
			http.ReadRequest(bufio.NewReader(conn))
			time.Sleep(time.Minute)
		})
		opts := &Options{OpenTimeout: 3 * time.Second, Proxy: http.ProxyURL(nil)}
		opts.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return &talkative{timeless{conn}}, err
		}
		begun := time.Now()
		_, err := Dial(context.Background(), "wss://server.example/", opts)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
	})
}

// A talkative connection says something when it is closed, as TLS does.
type talkative struct{ timeless }

func (c *talkative) NetConn() net.Conn { return c.Conn }

func (c *talkative) Close() error {
	io.WriteString(c.Conn, "close_notify")
	return c.Conn.Close()
}
