package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"time"
)

func listen(setup Setup) net.Listener {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	if setup.TLS {
		return tls.NewListener(listener, tlsConfig())
	}
	return listener
}

// tlsConfig has a certificate of its own making, which clients must not check.
func tlsConfig() *tls.Config {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// must panics: a benchmark that goes wrong has no result.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
