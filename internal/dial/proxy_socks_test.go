package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandemws/tandem/protocol"
)

// A talk is what a SOCKS proxy hears and says, in turn.
type talk []string

// The parts of talks (RFC 1928 and 1929).
const (
	hello     = "\x05\x01\x00"     // our methods: none
	helloAuth = "\x05\x02\x00\x02" // none, or user and password
	noAuth    = "\x05\x00"         // the proxy's choice
	withAuth  = "\x05\x02"         // its other choice
	toName    = "\x05\x01\x00\x03\x0eserver.example\x00\x50"
	toAddress = "\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"
	password  = "\x01\x04user\x06secret"
	granted   = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
)

// proxy follows the talk, and serves a handshake if it was granted.
func (talk talk) proxy(t *testing.T, conn net.Conn) {
	for i := 0; i+1 < len(talk); i += 2 {
		got := make([]byte, len(talk[i]))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != talk[i] {
			t.Errorf("heard %q, %v; want %q", got, err, talk[i])
			return
		}
		io.WriteString(conn, talk[i+1])
	}
	if strings.HasPrefix(talk[len(talk)-1], granted) {
		serveScripted(t, conn, "early")
	}
}

// TestSOCKS asks for names and addresses, with a password and without.
func TestSOCKS(t *testing.T) {
	for name, test := range map[string]struct {
		proxy, server string
		talk          talk
	}{
		"name":            {"socks5h://proxy.example", "ws://server.example/", talk{hello, noAuth, toName, granted}},
		"address":         {"socks5h://proxy.example", "ws://192.0.2.1/", talk{hello, noAuth, toAddress, granted}},
		"address, socks5": {"socks5://proxy.example", "ws://192.0.2.1/", talk{hello, noAuth, toAddress, granted}},
		"password":        {"socks5h://user:secret@proxy.example", "ws://server.example/", talk{helloAuth, withAuth, password, "\x01\x00", toName, granted}},
		"no need of it":   {"socks5h://user:secret@proxy.example", "ws://server.example/", talk{helloAuth, noAuth, toName, granted}},
		"bound to a name": {"socks5h://proxy.example", "ws://server.example/", talk{hello, noAuth, toName, "\x05\x00\x00\x03\x04host\x00\x50"}},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := Dial(context.Background(), test.server, &Options{
				Proxy: through(t, test.proxy),
				DialContext: line(t, func(conn net.Conn) {
					test.talk.proxy(t, conn)
					if name == "bound to a name" {
						serveScripted(t, conn, "early")
					}
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer result.Conn.Close()
			if string(result.Early) != "early" {
				t.Errorf("early data %q", result.Early)
			}
			if _, wrapped := result.Conn.(*transcript); wrapped {
				t.Error("the connection is not the one that was dialled")
			}
		})
	}
}

// TestSOCKSRefused tells the proxy's reply.
func TestSOCKSRefused(t *testing.T) {
	for name, test := range map[string]struct {
		proxy string
		talk  talk
		reply byte
		tells string
		cause error
		ends  bool // the proxy closes the connection
	}{
		"refused":      {"socks5h://proxy.example", talk{hello, noAuth, toName, "\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"}, 5, "connection refused", nil, false},
		"not allowed":  {"socks5h://proxy.example", talk{hello, noAuth, toName, "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"}, 2, "not allowed", nil, false},
		"unassigned":   {"socks5h://proxy.example", talk{hello, noAuth, toName, "\x05\xf0\x00\x01\x00\x00\x00\x00\x00\x00"}, 0xf0, "unknown code", nil, false},
		"wants more":   {"socks5h://proxy.example", talk{hello, "\x05\xff"}, 0, "authentication", protocol.ErrProxyAuth, false},
		"bad password": {"socks5h://user:secret@proxy.example", talk{helloAuth, withAuth, password, "\x01\x01"}, 0, "authentication", protocol.ErrProxyAuth, false},
		"after it":     {"socks5h://user:secret@proxy.example", talk{helloAuth, withAuth, password, "\x01\x00", toName, "\x05\x04\x00\x01"}, 4, "host unreachable", nil, true},
		"and no more":  {"socks5h://proxy.example", talk{hello, noAuth, toName, "\x05\x05"}, 5, "EOF", nil, true},
		"nothing":      {"socks5h://proxy.example", talk{hello, ""}, 0, "EOF", io.EOF, true},
		"half":         {"socks5h://proxy.example", talk{hello, noAuth, toName, "\x05\x00\x00"}, 0, "EOF", io.ErrUnexpectedEOF, true},
		"HTTP":         {"socks5h://proxy.example", talk{hello, "HTTP/1.1 400 Bad Request\r\n\r\n"}, 0, "unexpected protocol version", nil, false},
		"SOCKS 4":      {"socks5h://proxy.example", talk{hello, noAuth, toName, "\x04\x05\x00\x01"}, 0, "unexpected protocol version", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan error, 1)
			_, err := Dial(context.Background(), "ws://server.example/", &Options{
				Proxy: through(t, test.proxy),
				DialContext: line(t, func(conn net.Conn) {
					test.talk.proxy(t, conn)
					if test.ends {
						return
					}
					_, err := conn.Read(make([]byte, 1)) // ends when the client closes
					closed <- err
				}),
			})
			if !test.ends && <-closed != io.EOF {
				t.Error("the client has said more")
			}
			failed := proxyError(t, err)
			if failed.SOCKSReply != test.reply || !strings.Contains(err.Error(), test.tells) || strings.Contains(err.Error(), "secret") {
				t.Errorf("reply %d: %v", failed.SOCKSReply, err)
			}
			if test.cause != nil && !errors.Is(err, test.cause) || errors.Is(err, protocol.ErrProxyAuth) != (test.cause == protocol.ErrProxyAuth) {
				t.Errorf("%v wraps %v, want %v", err, failed.Err, test.cause)
			}
		})
	}
}

// TestSOCKSLongName refuses what has no room in the request.
func TestSOCKSLongName(t *testing.T) {
	name := strings.Repeat("a", 256)
	_, err := Dial(context.Background(), "ws://"+name+"/", &Options{
		Proxy: through(t, "socks5h://proxy.example"), DialContext: line(t, talk{hello, noAuth}.proxyOf(t)),
	})
	proxyError(t, err)
	_, err = Dial(context.Background(), "ws://server.example/", &Options{
		Proxy: through(t, "socks5h://"+name+":secret@proxy.example"), DialContext: line(t, talk{helloAuth, withAuth}.proxyOf(t)),
	})
	proxyError(t, err)
}

func (talk talk) proxyOf(t *testing.T) func(net.Conn) {
	return func(conn net.Conn) { talk.proxy(t, conn) }
}

// TestSOCKSAddresses tries one address after the other while the reason may be
// the address, as net.Dialer does.
func TestSOCKSAddresses(t *testing.T) {
	const granted = "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50" // and the test goes no further
	const refused = "\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"
	const silent = ""
	addrs := []netip.Addr{
		netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::ffff:192.0.2.1"),
	}
	asked := []string{toAddress, "\x05\x01\x00\x04" + string(addrs[1].AsSlice()) + "\x00\x50", toAddress}
	for name, test := range map[string]struct {
		replies []string // to the request of each attempt
		reply   byte     // in the error; 0: none, or it succeeds
		ok      bool
		took    time.Duration
		dials   int
	}{
		"first":          {[]string{granted}, 0, true, 0, 1},
		"second":         {[]string{refused, granted}, 0, true, 0, 2},
		"third":          {[]string{refused, silent, granted}, 0, true, 4500 * time.Millisecond, 3},
		"none":           {[]string{refused, refused, refused}, 5, false, 0, 3},
		"out of reach":   {[]string{refused}, 5, false, 0, 2},
		"not understood": {[]string{"\x04\x05\x00\x01"}, 0, false, 0, 1},
		"silent":         {[]string{silent, silent, silent}, 0, false, 9 * time.Second, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempt, dials := 0, 0
				p := &proxy{url: &url.URL{Scheme: "socks5", Host: "proxy.example"}, req: new(http.Request), opts: new(Options)}
				p.opts.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					dials++
					if attempt == len(test.replies) {
						return unreachable(ctx, network, address)
					}
					talk := talk{hello, noAuth, asked[attempt], test.replies[attempt]}
					attempt++
					return line(t, func(conn net.Conn) {
						talk.proxy(t, conn)
						io.Copy(io.Discard, conn)
					})(ctx, network, address)
				}
				ctx, cancel := context.WithTimeout(context.Background(), 9*time.Second)
				defer cancel()
				begun := time.Now()
				conn, err := p.socksToOne(ctx, addrs, "80")
				if (err == nil) != test.ok || conn == nil == test.ok || time.Since(begun) != test.took {
					t.Errorf("after %v: %v, %v", time.Since(begun), conn, err)
				}
				if attempt != len(test.replies) || dials != test.dials {
					t.Errorf("%d attempts of %d, want %d of %d", attempt, dials, len(test.replies), test.dials)
				}
				if !test.ok {
					if failed := proxyError(t, err); failed.SOCKSReply != test.reply {
						t.Errorf("%v, want reply %d", err, test.reply)
					}
				}
			})
		})
	}
}

// TestSOCKSShare: an attempt has all the time that there is for it, and no bound
// where there is none.
func TestSOCKSShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bounded, cancel := context.WithTimeout(context.Background(), 9*time.Second)
		defer cancel()
		for _, test := range []struct {
			of   context.Context
			n    int
			want time.Duration
		}{
			{bounded, 1, 9 * time.Second}, {bounded, 2, 4500 * time.Millisecond}, {bounded, 9, 2 * time.Second},
			{context.Background(), 1, 0}, {context.Background(), 3, 0},
		} {
			ctx, cancel := share(test.of, test.n)
			deadline, has := ctx.Deadline()
			if has != (test.want > 0) || has && time.Until(deadline) != test.want {
				t.Errorf("one of %d: until %v, want %v", test.n, deadline, test.want)
			}
			cancel()
		}
	})
}

// TestSOCKSUnknownName: with the scheme socks5 we look the name up, and say so
// when there is none.
func TestSOCKSUnknownName(t *testing.T) {
	_, err := Dial(context.Background(), "ws://server.invalid/", &Options{
		Proxy: through(t, "socks5://proxy.example"), DialContext: unreachable,
	})
	var unknown *net.DNSError
	if !errors.As(err, &unknown) || errors.Is(err, protocol.ErrProxy) {
		t.Errorf("%v, want a *net.DNSError", err)
	}
}
