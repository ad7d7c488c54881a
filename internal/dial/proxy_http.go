package dial

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/tandemws/tandem/protocol"
)

// connectToServer asks an HTTP proxy for a tunnel to the server, and again if
// the proxy has a challenge that can be answered.
func (p *proxy) connectToServer(ctx context.Context) (net.Conn, []byte, error) {
	var d *digest
	for {
		conn, early, err := p.tunnel(ctx, d)
		if d = p.answer(err, d); d == nil {
			return conn, early, err
		}
	}
}

// answer returns what answers the challenge of a proxy that has refused a
// tunnel, nil if nothing does.
func (p *proxy) answer(err error, before *digest) *digest {
	var refused *protocol.ProxyError
	if p.opts.ProxyDigestAuth == nil || !errors.As(err, &refused) || refused.Response == nil ||
		refused.Response.StatusCode != http.StatusProxyAuthRequired {
		return nil
	}
	return newDigest(p.opts.ProxyDigestAuth, refused.Response.Header.Values("Proxy-Authenticate"), before)
}

// tunnel asks once (RFC 9110, section 9.3.6).
func (p *proxy) tunnel(ctx context.Context, d *digest) (net.Conn, []byte, error) {
	req, err := p.connectRequest(d)
	if err != nil {
		return nil, nil, err
	}
	conn, err := p.reach(ctx)
	if err != nil {
		return nil, nil, err
	}
	early, err := p.connect(ctx, conn, req)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, early, nil
}

// connectRequest returns the request for the tunnel, which tells the proxy
// nothing of the handshake's request but the server and the user agent. The
// answer to a challenge replaces all other credentials.
func (p *proxy) connectRequest(d *digest) (*http.Request, error) {
	header := http.Header{"User-Agent": p.req.Header["User-Agent"]}
	if user := p.url.User; user != nil {
		password, _ := user.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		header.Set("Proxy-Authorization", "Basic "+credentials)
	}
	for name, values := range p.opts.ProxyConnectHeader {
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, p.error(fmt.Sprintf("header name %q for it is no token", name), nil)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return nil, p.error("control character in the value of the "+name+" header for it", nil)
			}
		}
		header[http.CanonicalHeaderKey(name)] = values
	}
	server := hostPort(p.req.URL)
	if d != nil {
		header.Set("Proxy-Authorization", d.authorization(http.MethodConnect, server))
	}
	return &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: server}, Host: server, Header: header}, nil
}

// connect sends the request and returns what came behind an answer that grants
// it: nothing of that may be lost.
func (p *proxy) connect(ctx context.Context, conn net.Conn, req *http.Request) (early []byte, err error) {
	defer interruptible(ctx, conn)()
	limited := &io.LimitedReader{R: carrier{conn}, N: maxResponseHeader}
	br := bufio.NewReader(limited)
	resp, sent, err := ask(ctx, conn, br, req)
	switch {
	case sent != nil:
		return nil, p.fail("sending it CONNECT", sent)
	case err != nil:
		return nil, p.noResponse(err, limited)
	}
	// A successful answer has no body, whatever its header says.
	if opensTunnel(resp) {
		return br.Peek(br.Buffered())
	}
	limited.N = maxResponseBody + maxResponseHeader // with what frames its chunks
	return nil, p.refused(resp)
}

// opensTunnel reports whether an answer is that of a proxy that grants CONNECT.
func opensTunnel(resp *http.Response) bool {
	return resp.Request.Method == http.MethodConnect && resp.StatusCode >= 200 && resp.StatusCode < 300
}

// noResponse says what is wrong with an answer that could not be read.
func (p *proxy) noResponse(err error, limited *io.LimitedReader) error {
	switch {
	case limited.N <= 0:
		return p.error(fmt.Sprintf("its answer has a header of more than %d bytes", maxResponseHeader), nil)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return p.fail("it closed the connection without an answer", err)
	}
	return p.fail("its answer is no valid HTTP response", err)
}

// refused returns the error for an answer that does not grant the tunnel.
func (p *proxy) refused(resp *http.Response) error {
	failed := p.error("it answered CONNECT with status "+resp.Status+wantedBy(resp), nil)
	failed.Response = resp
	failed.Body, _ = readBody(resp)
	switch resp.StatusCode {
	case http.StatusProxyAuthRequired, http.StatusUnauthorized: // tinyproxy says the latter of a bad password
		failed.Err = protocol.ErrProxyAuth
	}
	return failed
}

// wantedBy tells which kinds of credentials a proxy asks for, if it asks: what
// we have may be of another kind.
func wantedBy(resp *http.Response) string {
	var schemes []string
	for _, c := range challengesIn(resp.Header.Values("Proxy-Authenticate")) {
		if !slices.Contains(schemes, c.scheme) {
			schemes = append(schemes, c.scheme)
		}
	}
	if resp.StatusCode != http.StatusProxyAuthRequired || len(schemes) == 0 {
		return ""
	}
	return fmt.Sprintf("; it asks for credentials of kind %q", strings.Join(schemes, ", "))
}
