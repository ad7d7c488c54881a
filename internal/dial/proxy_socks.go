package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	netproxy "golang.org/x/net/proxy"

	"github.com/tandemws/tandem/protocol"
)

// socksToServer asks a SOCKS proxy for a connection to the server: to its name,
// or with the scheme socks5 to the addresses that we know for it.
func (p *proxy) socksToServer(ctx context.Context) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort(p.req.URL))
	if err != nil {
		return nil, err
	}
	if p.url.Scheme == "socks5h" {
		return p.socksTo(ctx, host, port)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("websocket: %w", err)
	}
	return p.socksToOne(ctx, addrs, port)
}

// socksToOne tries one address after the other, each with a share of the time
// that is left, as net.Dialer does. The first error is the one to tell.
func (p *proxy) socksToOne(ctx context.Context, addrs []netip.Addr, port string) (conn net.Conn, first error) {
	for i, addr := range addrs {
		mine, cancel := share(ctx, len(addrs)-i)
		conn, err := p.socksTo(mine, addr.Unmap().String(), port)
		over := expired(mine)
		cancel()
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		var failed *protocol.ProxyError
		if answered := errors.As(err, &failed) && failed.SOCKSReply != 0; expired(ctx) || !answered && !over {
			break // it is no matter of the address
		}
	}
	return nil, first
}

// share returns a context for the first of n attempts.
func share(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	const enough = 2 * time.Second
	deadline, bounded := ctx.Deadline()
	if !bounded || n <= 1 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, max(enough, time.Until(deadline)/time.Duration(n)))
}

// socksTo asks for a connection to one host (RFC 1928 and 1929).
func (p *proxy) socksTo(ctx context.Context, host, port string) (net.Conn, error) {
	var auth *netproxy.Auth
	if user := p.url.User; user != nil {
		password, _ := user.Password()
		auth = &netproxy.Auth{User: user.Username(), Password: password}
	}
	conn, err := p.reach(ctx)
	if err != nil {
		return nil, err
	}
	done := interruptible(ctx, conn) // x/net counts on deadlines
	said := &transcript{Conn: carrier{conn}}
	dialer, err := netproxy.SOCKS5("tcp", p.url.Host, auth, said)
	if err == nil {
		_, err = dialer.(netproxy.ContextDialer).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	}
	if done(); err == nil {
		err = ctx.Err() // with which it may have been closed
	}
	if err != nil {
		conn.Close()
		return nil, p.socksError(err, said)
	}
	return conn, nil
}

// socksError tells what x/net found, and what the proxy answered.
func (p *proxy) socksError(err error, said *transcript) error {
	var op *net.OpError
	if errors.As(err, &op) { // it names the proxy and the server again
		err = op.Err
	}
	failed := p.error("SOCKS: "+strings.TrimPrefix(err.Error(), "unknown error "), err)
	reply, auth := said.refusal()
	failed.SOCKSReply = reply
	if auth {
		failed.Err = protocol.ErrProxyAuth
	}
	return failed
}

// A transcript keeps what a SOCKS proxy says, a few hundred bytes at most,
// while a connection is asked for: x/net tells of it in words only. It is the
// dialer of itself.
type transcript struct {
	net.Conn
	said []byte
}

func (t *transcript) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.said = append(t.said, p[:n]...)
	return n, err
}

func (t *transcript) Dial(string, string) (net.Conn, error) { return t, nil }

func (t *transcript) DialContext(context.Context, string, string) (net.Conn, error) { return t, nil }

// refusal returns the proxy's reply to the request, or whether it refused the
// credentials before that.
func (t *transcript) refusal() (reply byte, auth bool) {
	const version, withPassword, noMethod = 5, 2, 0xff
	said := t.said
	if len(said) < 2 || said[0] != version {
		return 0, false
	}
	method := said[1]
	said = said[2:]
	if method == noMethod {
		return 0, true
	}
	if method == withPassword {
		if len(said) < 2 || said[1] != 0 {
			return 0, len(said) >= 2
		}
		said = said[2:]
	}
	if len(said) < 2 || said[0] != version {
		return 0, false
	}
	return said[1], false
}
