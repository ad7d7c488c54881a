package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/rig"
)

// A Forward is a program that opens ways to servers for its clients.
type Forward struct {
	Name   string
	Scheme string // of its URL
	Auth   bool   // whether it wants a password

	tools   []string
	config  string // its file in testdata/proxies; "": it has none
	command func(file, port string) (argv []string)
}

// Forwards are the proxies that can be started.
var Forwards = []Forward{
	{"tinyproxy", "http", true, []string{"tinyproxy"}, "tinyproxy.conf", func(file, _ string) []string {
		return []string{"tinyproxy", "-d", "-c", file}
	}},
	{"squid", "http", true, []string{"squid"}, "squid.conf", func(file, _ string) []string {
		return []string{"squid", "-N", "-f", file}
	}},
	{"Dante", "socks5h", false, []string{"danted"}, "danted.conf", func(file, _ string) []string {
		return []string{"danted", "-N", "1", "-f", file}
	}},
	{"microsocks", "socks5h", true, []string{"microsocks"}, "", func(_, port string) []string {
		return []string{"microsocks", "-i", "127.0.0.1", "-p", port, "-u", user, "-P", password}
	}},
}

// What the proxies that want a password want.
const user, password = "tandem", "secret"

// Need is rig.Need for what the proxy needs. Dante changes users, so it needs
// root.
func (f Forward) Need(t testing.TB) {
	t.Helper()
	if f.Name == "Dante" {
		rig.NeedRoot(t, f.tools...)
		return
	}
	rig.Need(t, f.tools...)
}

// Start starts the proxy with an idle timeout of whole seconds, which
// microsocks does not have, and returns its URL, with the password if it wants
// one. It ends with the test.
func (f Forward) Start(t testing.TB, idle time.Duration) *url.URL {
	t.Helper()
	port := rig.FreePort(t)
	file := ""
	if f.config != "" {
		file = writeConfig(t, f.config, port, idle, map[string]any{"User": user, "Password": password})
	}
	argv := f.command(file, fmt.Sprint(port))
	u := &url.URL{Scheme: f.Scheme, Host: fmt.Sprintf("127.0.0.1:%d", port)}
	rig.Start(t, exec.Command(argv[0], argv[1:]...), rig.Listens(u.Host))
	if f.Auth {
		u.User = url.UserPassword(user, password)
	}
	return u
}

// StartDigest starts squid with Digest in place of Basic, and returns its URL,
// without the password, which is never sent.
func StartDigest(t testing.TB) *url.URL {
	t.Helper()
	rig.Need(t, "squid", "/usr/lib/squid/digest_file_auth")
	passwords := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(passwords, []byte(user+":"+password+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	// The helper is not root, if we are.
	if err := os.Chmod(filepath.Dir(filepath.Dir(passwords)), 0o755); err != nil {
		t.Fatal(err)
	}
	port := rig.FreePort(t)
	file := writeConfig(t, "squid.conf", port, time.Hour, map[string]any{"Digest": passwords})
	u := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	rig.Start(t, exec.Command("squid", "-N", "-f", file), rig.Listens(u.Host))
	return u
}

// StartTLS starts HAProxy before an HTTP proxy that runs, with a certificate,
// and returns the URL of the HTTPS proxy that they make.
func StartTLS(t testing.TB, behind *url.URL, certificate tls.Certificate) *url.URL {
	t.Helper()
	port := rig.FreePort(t)
	file := writeConfig(t, "haproxy-tls.cfg", port, time.Hour, map[string]any{"Behind": behind.Host})
	WritePEM(t, filepath.Join(filepath.Dir(file), "certificate.pem"), certificate)
	front := *behind
	front.Scheme, front.Host = "https", fmt.Sprintf("127.0.0.1:%d", port)
	rig.Start(t, exec.Command("haproxy", "-db", "-f", file), rig.Listens(front.Host))
	return &front
}

// WritePEM writes a certificate and its key to one file, as HAProxy and nginx
// want them.
func WritePEM(t testing.TB, path string, certificate tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	both := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	both = append(both, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(path, both, 0o600); err != nil {
		t.Fatal(err)
	}
}
