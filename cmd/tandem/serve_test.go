package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	wsasync "github.com/tandemws/tandem/async"
	"github.com/tandemws/tandem/internal/suite"
	"github.com/tandemws/tandem/protocol"
)

// TestServe: with either face, over TCP and TLS, it tells where it listens,
// sends messages back whole, says 1001 when it is interrupted, and logs.
func TestServe(t *testing.T) {
	cert, key, trusting := writeCertificate(t)
	for _, test := range []struct {
		name  string
		flags []string
		url   string // a pattern
	}{
		{"default", nil, `ws://127\.0\.0\.1:\d+/`},
		{"sync", []string{"--sync"}, `ws://127\.0\.0\.1:\d+/`},
		{"async", []string{"--async"}, `ws://127\.0\.0\.1:\d+/`},
		{"TLS", []string{"--tls-cert", cert, "--tls-key", key}, `wss://127\.0\.0\.1:\d+/`},
	} {
		t.Run(test.name, func(t *testing.T) {
			tandem := start(t, append([]string{"serve", "127.0.0.1:0"}, test.flags...)...)
			tandem.out.waitFor(t, "listening on ")
			url := regexp.MustCompile(test.url).FindString(tandem.out.String())
			conn, err := wsasync.Connect(t.Context(), url+"path%1b", &wsasync.ClientOptions{TLSConfig: trusting})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseNow()
			echoes(t, conn, protocol.TextMessage("hello"))
			echoes(t, conn, protocol.BinaryMessage(bytes.Repeat([]byte{0, 255}, 300_000)))
			tandem.interrupt()
			if _, err := conn.Recv(context.Background()); protocolCode(err) != protocol.GoingAway {
				t.Errorf("the connection ended with %v, want %v", err, protocol.GoingAway)
			}
			tandem.wait(t, statusOK)
			client := conn.LocalAddr().String()
			checkContains(t, "the log", tandem.out.String(), client+` opened /path\x1b`+"\n")
			checkContains(t, "the log", tandem.out.String(), client+" closed: 1001 (going away).\n")
		})
	}
}

// echoes checks that the message comes back.
func echoes(t *testing.T, conn *wsasync.ClientConn, m protocol.Message) {
	t.Helper()
	if err := conn.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got, err := conn.Recv(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Type != m.Type || !bytes.Equal(got.Data, m.Data) {
		t.Errorf("%v message of %d bytes came back as %v of %d bytes", m.Type, len(m.Data), got.Type, len(got.Data))
	}
}

func protocolCode(err error) protocol.CloseCode {
	if closed, ok := err.(*protocol.CloseError); ok {
		return closed.Code()
	}
	return 0
}

// writeCertificate writes a certificate for loopback and its key to files. The
// configuration is for clients that trust it.
func writeCertificate(t *testing.T) (certFile, keyFile string, trusting *tls.Config) {
	t.Helper()
	config, trusting := suite.Certificate(t)
	cert := config.Certificates[0]
	keyBytes, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "CERTIFICATE", cert.Certificate[0]), writePEM(t, "PRIVATE KEY", keyBytes), trusting
}

func writePEM(t *testing.T, kind string, data []byte) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
