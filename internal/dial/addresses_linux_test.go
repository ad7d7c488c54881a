package dial

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Sockets are the subject of these tests, and Linux has all of 127.0.0.0/8.

// TestAddresses: a name may have several addresses, not all of which lead to the
// server; as net.Dialer does we find the one that does. Between IPv6 and IPv4 an
// attempt that is not answered is not waited for (RFC 8305).
func TestAddresses(t *testing.T) {
	v4, other, v6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("::1")
	nobody := netip.Addr{}
	for name, test := range map[string]struct {
		addrs  []netip.Addr
		server netip.Addr
		silent netip.Addr // where connecting is neither accepted nor refused
		ok     bool
	}{
		"one":                 {[]netip.Addr{v4}, v4, nobody, true},
		"first is refused":    {[]netip.Addr{other, v4}, v4, nobody, true},
		"IPv6 is refused":     {[]netip.Addr{v6, v4}, v4, nobody, true},
		"IPv4 is refused":     {[]netip.Addr{v4, v6}, v6, nobody, true},
		"IPv6 is silent":      {[]netip.Addr{v6, v4}, v4, v6, true},
		"all of them refused": {[]netip.Addr{other, v6}, v4, nobody, false},
	} {
		t.Run(name, func(t *testing.T) {
			resolveTo(t, test.addrs)
			address := serveOnce(t, test.server)
			if test.silent.IsValid() {
				silence(t, netip.AddrPortFrom(test.silent, address.Port()))
			}
			server := fmt.Sprintf("ws://tandem.test:%d/", address.Port())
			result, err := Dial(context.Background(), server, &Options{Proxy: http.ProxyURL(nil)})
			switch {
			case err != nil && (test.ok || !errors.Is(err, syscall.ECONNREFUSED)):
				t.Error(err)
			case err == nil:
				if got := result.Conn.RemoteAddr().String(); got != address.String() {
					t.Errorf("connected to %s, want %v", got, address)
				}
				result.Conn.Close()
			}
		})
	}
}

// TestLookupTimeout: the open timeout bounds looking up the name.
func TestLookupTimeout(t *testing.T) {
	resolver(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	_, err := Dial(context.Background(), "ws://tandem.test/", &Options{
		Proxy: http.ProxyURL(nil), OpenTimeout: 50 * time.Millisecond,
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want %v", err, context.DeadlineExceeded)
	}
}

// serveOnce answers one handshake on a port of the address.
func serveOnce(t *testing.T, addr netip.Addr) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", netip.AddrPortFrom(addr, 0).String())
	if err != nil {
		t.Skipf("no such address here: %v", err)
	}
	done := make(chan struct{})
	go func() { // ends with the listener, or with its answer
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			io.WriteString(conn, accepted(req))
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// silence listens on an address, accepts nothing, and has as many wait as the
// system lets: whoever comes after them gets no answer.
func silence(t *testing.T, at netip.AddrPort) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		conn, err := net.DialTimeout("tcp", at.String(), 200*time.Millisecond)
		if err != nil {
			return
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("connections that nobody accepts are still opened")
}

// resolveTo has every name stand for the addresses.
func resolveTo(t *testing.T, addrs []netip.Addr) {
	resolver(t, func(conn net.Conn) {
		for answerQuery(conn, addrs) == nil {
		}
	})
}

// resolver has names looked up with a server of ours, to which each connection
// is one in memory. What is still being asked at the end of the test is not
// answered any more: net goes on asking when nobody wants to know.
func resolver(t *testing.T, serve func(conn net.Conn)) {
	before := net.DefaultResolver
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		ours, theirs := net.Pipe()
		context.AfterFunc(ctx, func() { theirs.Close() })
		go func() { // ends with the connection
			defer theirs.Close()
			serve(theirs)
		}()
		return ours, nil
	}}
}

// answerQuery answers one query, in the form that DNS has on a stream: behind
// its length (RFC 1035, section 4.2.2).
func answerQuery(conn net.Conn, addrs []netip.Addr) error {
	var length uint16
	if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
		return err
	}
	packet := make([]byte, length)
	if _, err := io.ReadFull(conn, packet); err != nil {
		return err
	}
	var query dnsmessage.Message
	if err := query.Unpack(packet); err != nil {
		return err
	}
	answer := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true},
		Questions: query.Questions, Answers: answersTo(query.Questions[0], addrs),
	}
	packet, err := answer.AppendPack(make([]byte, 2))
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(packet, uint16(len(packet)-2))
	_, err = conn.Write(packet)
	return err
}

// answersTo has the addresses of the kind that is asked for.
func answersTo(q dnsmessage.Question, addrs []netip.Addr) (list []dnsmessage.Resource) {
	for _, addr := range addrs {
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}
		switch {
		case q.Type == dnsmessage.TypeA && addr.Is4():
			list = append(list, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case q.Type == dnsmessage.TypeAAAA && addr.Is6():
			list = append(list, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return list
}
