package suite

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/internal/link"
	"github.com/tandemws/tandem/protocol"
)

// TestConnectURL refuses URLs that name no WebSocket server, and closes the
// connection that it was given for them.
func TestConnectURL(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		for _, url := range []string{
			"", "tandem.test", "/path", "ftp://tandem.test/", "ws:tandem.test", "ws://", "ws:///path", "ws://tandem.test/#fragment",
			"ws://tandem.test:99999/", "ws://tandem.test:x/", "ws://%zz/", "ws://tan dem.test/",
		} {
			ours, theirs := link.NewPipe()
			_, err := face.Connect(url, &Options{NetConn: ours})
			if !errors.Is(err, protocol.ErrURL) {
				t.Errorf("%q: %v", url, err)
			}
			if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%q: the given connection was left open: %v", url, err)
			}
			theirs.Close()
		}
	})
}

// TestIRI has characters beyond ASCII in the host, the path and the query, as a
// person writes them (RFC 3987). The certificate is asked for by the name that
// goes over the wire.
func TestIRI(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			served, trusting := Certificate(t)
			var servedName string
			served.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				servedName = hello.ServerName
				return nil, nil
			}
			trusting.InsecureSkipVerify, trusting.ServerName = true, ""
			s.ServerOptions.TLS = served
			network := s.in(t, func(conn Conn) error {
				send(t, conn, conn.Path()+" "+conn.Request().URL.RawQuery)
				return echoing(conn)
			})
			var dialed string
			client, err := s.Client.Connect("wss://Bücher.example/grüße wohl?wort=größe", &Options{
				TLS: trusting, Header: http.Header{"Origin": {"https://xn--bcher-kva.example"}},
				Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
					dialed = address
					return network.Dial(ctx, "", "")
				},
			})
			ok(t, err)
			expect(t, client, "/grüße wohl wort=gr%C3%B6%C3%9Fe")
			const name = "xn--bcher-kva.example"
			if dialed != name+":443" || servedName != name || client.Request().Host != name {
				t.Errorf("dialed %s, asked for a certificate of %s, Host %s", dialed, servedName, client.Request().Host)
			}
			ok(t, client.Close())
		})
	})
}

// TestConnectHeader refuses header fields that would break the handshake.
func TestConnectHeader(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		for name, value := range map[string]string{
			"Upgrade": "h2c", "Sec-WebSocket-Key": "mine", "X-Lines": "one\r\ntwo", "bad name": "x", "Host": "elsewhere",
		} {
			_, err := face.Connect("ws://tandem.test/", &Options{Header: http.Header{name: {value}}})
			failed := as[*protocol.HandshakeError](err)
			if failed == nil || !failed.Local {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := face.Connect("ws://tandem.test/", &Options{Protocol: []string{"two words"}})
		is(t, err, protocol.ErrSubprotocol)
	})
}

// TestBadCompression: settings that there are not are found before anything is
// sent, and before anybody is listened to.
func TestBadCompression(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		for _, bad := range []protocol.Deflate{{ServerMaxWindowBits: 7}, {ClientMaxWindowBits: 16}, {Level: 10}} {
			ours, theirs := link.NewPipe()
			_, err := face.Connect("ws://tandem.test/", &Options{NetConn: ours, Compression: bad})
			is(t, err, protocol.ErrExtension)
			if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("the given connection was left open: %v", err)
			}
			theirs.Close()
			_, err = face.Serve(echoing, "", &Options{Listener: NewNetwork(), Compression: bad})
			is(t, err, protocol.ErrExtension)
			_, err = face.NewHandler(echoing, &Options{Compression: bad})
			is(t, err, protocol.ErrExtension)
		}
	})
}

// TestConnectErrorText: an error says once what was wrong, in the words of who
// has found it.
func TestConnectErrorText(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		for _, test := range []struct {
			does Dialer
			want string
		}{
			{down, "websocket: connection refused"},
			{unreachable, "websocket: open timeout: websocket: context deadline exceeded"},
			{silent, "websocket: open timeout: websocket: opening handshake failed: no valid HTTP response: i/o timeout (RFC 6455, section 4.1)"},
		} {
			_, err := face.Connect("ws://tandem.test/", &Options{Dial: test.does})
			if err == nil || err.Error() != test.want {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		}
		synctest.Wait()
	})
}

// answering connects a client to a server that answers the request like this,
// and returns Connect's error.
func answering(t *testing.T, face Face, opts Options, answer func(conn net.Conn)) error {
	t.Helper()
	ours, theirs := link.NewPipe()
	opts.NetConn = ours
	go func() { // ends with the answer
		http.ReadRequest(bufio.NewReader(theirs))
		answer(theirs)
	}()
	conn, err := face.Connect("ws://tandem.test/", &opts)
	if err == nil {
		conn.CloseNow()
		t.Fatal("connected")
	}
	_, end := theirs.Read(make([]byte, 1))
	if end != io.EOF {
		t.Errorf("the connection was left open: %v", end)
	}
	theirs.Close()
	synctest.Wait()
	return err
}

// TestServerAnswers connects to servers that are none, and tells what they
// answered.
func TestServerAnswers(t *testing.T) {
	say := func(answer string) func(net.Conn) {
		return func(conn net.Conn) { io.WriteString(conn, answer); conn.(interface{ CloseWrite() error }).CloseWrite() }
	}
	for _, test := range []struct {
		name   string
		answer func(net.Conn)
		tells  string
		status int // of an InvalidStatusError; 0: it is another
	}{
		{"nothing", say(""), "closed the connection", 0},
		{"half a header", say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"), "closed the connection", 0},
		{"garbage", say("\x15\x03\x01\x00\x02\x02\x0a and more\r\n\r\n"), "no valid HTTP", 0},
		{"SMTP", say("220 mail.tandem.test ESMTP\r\n"), "no valid HTTP", 0},
		{"large header", say("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 300<<10) + "\r\n\r\n"), "header of more than", 0},
		{"not found", say("HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nnowhere"), "404", 404},
		{"page", say("HTTP/1.1 200 OK\r\n\r\n<html>"), "200", 200},
		{"cut body", say("HTTP/1.1 500 Oh\r\nContent-Length: 70\r\n\r\nnot all"), "500", 500},
		{"no Upgrade", say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"), "Upgrade", 0},
		{"wrong accept", say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"), "Accept", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			EachFace(t, func(t *testing.T, face Face) {
				err := answering(t, face, Options{}, test.answer)
				is(t, err, protocol.ErrHandshake)
				if !strings.Contains(err.Error(), test.tells) {
					t.Errorf("error %q does not tell of %q", err, test.tells)
				}
				refused := as[*protocol.InvalidStatusError](err)
				if (refused != nil) != (test.status != 0) || refused != nil && refused.Response.StatusCode != test.status {
					t.Errorf("error %v, want status %d", err, test.status)
				}
				if test.status == 404 && string(refused.Body) != "nowhere" {
					t.Errorf("body %q", refused.Body)
				}
			})
		})
	}
}

// TestOpenTimeout connects to servers that keep a client waiting at each step.
func TestOpenTimeout(t *testing.T) {
	const timeout = 3 * time.Second
	EachFace(t, func(t *testing.T, face Face) {
		late := func(begun time.Time, err error) {
			t.Helper()
			is(t, err, context.DeadlineExceeded)
			took(t, begun, timeout)
		}
		opts := Options{OpenTimeout: timeout}
		begun := time.Now()
		late(begun, answering(t, face, opts, func(net.Conn) {}))
		begun = time.Now()
		late(begun, answering(t, face, opts, func(conn net.Conn) {
			for { // one byte a time: a deadline for each read would never pass
				if _, err := io.WriteString(conn, "H"); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}))
		begun = time.Now()
		late(begun, answering(t, face, opts, func(conn net.Conn) {
			io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nthe rest never comes")
		}))

		// TCP is not accepted. A dialer may notice the deadline before the
		// context does.
		for _, dial := range []Dialer{
			func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
			func(context.Context, string, string) (net.Conn, error) {
				time.Sleep(timeout)
				return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
			},
		} {
			opts.Dial = dial
			begun = time.Now()
			_, err := face.Connect("ws://tandem.test/", &opts)
			late(begun, err)
		}

		// TLS is not answered.
		ours, theirs := link.NewPipe()
		begun = time.Now()
		_, err := face.Connect("wss://tandem.test/", &Options{OpenTimeout: timeout, NetConn: ours})
		late(begun, err)
		theirs.Close()
	})
}

// TestConnectFails has the network and TLS fail, with errors that can be told.
func TestConnectFails(t *testing.T) {
	EachFace(t, func(t *testing.T, face Face) {
		broken := errors.New("no network today")
		_, err := face.Connect("ws://tandem.test/", &Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, broken
		}})
		is(t, err, broken)

		// A certificate of nobody we know, and one for another name.
		config, trusting := Certificate(t)
		server, network := inNetwork(t, face, Options{TLS: config})
		_, err = face.Connect("wss://tandem.test/", &Options{Dial: network.Dial})
		if unknown := as[x509.UnknownAuthorityError](err); unknown.Cert == nil {
			t.Errorf("error %v", err)
		}
		trusting.ServerName = ""
		_, err = face.Connect("wss://other.test/", &Options{Dial: network.Dial, TLS: trusting})
		if wrong := as[x509.HostnameError](err); wrong.Host != "other.test" {
			t.Errorf("error %v", err)
		}
		conn, err := face.Connect("wss://tandem.test/", &Options{Dial: network.Dial, TLS: trusting})
		ok(t, err)
		ok(t, conn.Close())
		ok(t, server.Close())
	})
}

// TestEarlyMessages has a server send messages together with its response, and
// a client with its request.
func TestEarlyMessages(t *testing.T) {
	Each(t, func(t *testing.T, s Setting) {
		synctest.Test(t, func(t *testing.T) {
			_, connect := s.serving(t, func(conn Conn) error {
				send(t, conn, "welcome")
				send(t, conn, "to the house")
				return echoing(conn)
			})
			client := connect()
			expect(t, client, "welcome")
			expect(t, client, "to the house")
		})
	})
}
