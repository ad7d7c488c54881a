package reconnect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"

	"github.com/tandemws/tandem/protocol"
)

// status is the error of a server that answers so.
func status(code int) error {
	return &protocol.InvalidStatusError{Response: &http.Response{StatusCode: code}}
}

// broken is the error of a handshake that this has happened to.
func broken(err error) error {
	return &protocol.HandshakeError{Reason: "no valid HTTP response", Section: "4.1", Err: err}
}

// noWay is the error of a proxy that this has happened to.
func noWay(err error) error { return &protocol.ProxyError{Reason: "no way", Err: err} }

// TestProcessError: errors of the network are worth another attempt, what the
// server or the caller has said is not.
func TestProcessError(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, test := range []struct {
		name  string
		err   error
		again bool
	}{
		{"connection refused", refused, true},
		{"wrapped", fmt.Errorf("websocket: %w", refused), true},
		{"name not found", &net.DNSError{Err: "no such host", IsNotFound: true}, true},
		{"no Unix socket yet", &fs.PathError{Op: "connect", Err: syscall.ENOENT}, true},
		{"a dialer's own error", errors.New("the tunnel is down"), true},
		{"open timeout", fmt.Errorf("websocket: open timeout: %w", context.DeadlineExceeded), true},
		{"open timeout during the handshake", fmt.Errorf("%w: %w", context.DeadlineExceeded, broken(os.ErrDeadlineExceeded)), true},
		{"TLS ended", fmt.Errorf("websocket: TLS handshake: %w", io.EOF), true},
		{"TLS alert", &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, true},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, true},
		{"end before the answer", broken(io.EOF), true},
		{"end inside the answer", broken(io.ErrUnexpectedEOF), true},
		{"reset before the answer", broken(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), true},
		{"500", status(500), true},
		{"502", status(502), true},
		{"503", fmt.Errorf("wrapped: %w", status(503)), true},
		{"504", status(504), true},

		{"proxy refuses the connection", noWay(refused), true},
		{"proxy ends the connection", noWay(io.EOF), true},
		{"proxy's certificate", noWay(&net.OpError{Op: "handshake", Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}), true},
		{"proxy cannot reach it", &protocol.ProxyError{Response: &http.Response{StatusCode: 503}}, true},
		{"SOCKS proxy fails", &protocol.ProxyError{SOCKSReply: 1}, true},
		{"SOCKS proxy cannot reach it", &protocol.ProxyError{SOCKSReply: 4, Err: errors.New("host unreachable")}, true},

		{"proxy's credentials", &protocol.ProxyError{Response: &http.Response{StatusCode: 407}, Err: protocol.ErrProxyAuth}, false},
		{"SOCKS proxy's credentials", noWay(protocol.ErrProxyAuth), false},
		{"proxy forbids", &protocol.ProxyError{Response: &http.Response{StatusCode: 403}}, false},
		{"SOCKS proxy forbids", &protocol.ProxyError{SOCKSReply: 2}, false},
		{"SOCKS proxy does not know how", &protocol.ProxyError{SOCKSReply: 7}, false},
		{"proxy is none", noWay(errors.New("malformed HTTP response")), false},
		{"proxy's URL", noWay(nil), false},

		{"200", status(200), false},
		{"301", status(301), false},
		{"401", status(401), false},
		{"403", status(403), false},
		{"404", status(404), false},
		{"429", status(429), false},
		{"501", status(501), false},
		{"505", status(505), false},
		{"no response", &protocol.InvalidStatusError{}, false},
		{"404 that took too long", fmt.Errorf("%w: %w", context.DeadlineExceeded, status(404)), false},
		{"not HTTP", broken(errors.New("malformed HTTP response")), false},
		{"wrong accept", broken(nil), false},
		{"URL", fmt.Errorf("%w: %w", protocol.ErrURL, errors.New("missing protocol scheme")), false},
		{"subprotocol", broken(protocol.ErrSubprotocol), false},
		{"extension", broken(protocol.ErrExtension), false},
		{"own header", &protocol.HandshakeError{Local: true}, false},
	} {
		got := ProcessError(test.err)
		if test.again && got != nil || !test.again && got != test.err {
			t.Errorf("%s: %v; want it to be tried again: %v", test.name, got, test.again)
		}
	}
}
