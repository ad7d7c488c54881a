package proxy

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/witness"
	"github.com/tandemws/tandem/protocol"
)

// startWeb starts a web server before one of ours, and returns its address and
// the folder of its files.
func startWeb(t *testing.T, config, server string, files map[string]string, command func(file string) []string) (address, dir string) {
	t.Helper()
	port := rig.FreePort(t)
	address = fmt.Sprintf("127.0.0.1:%d", port)
	file := writeConfig(t, config, port, never, map[string]any{"Server": server, "Modules": apacheModules})
	dir = filepath.Dir(file)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	argv := command(file)
	rig.Start(t, exec.Command(argv[0], argv[1:]...), rig.Listens(address))
	return address, dir
}

// arrives connects, sees that messages pass and which path the server was asked
// for, and closes.
func arrives(t *testing.T, f face.Face, url string, opts face.Options, acceptor *witness.Acceptor, path string) {
	t.Helper()
	conn := witness.Dial(t, f, url, opts)
	client, server := witness.Attend("client", conn), witness.Attend("server", acceptor.Next(t))
	if got := conn.Request().URL.Path; got != path {
		t.Errorf("%s: arrived at %s, want %s", url, got, path)
	}
	witness.Alive(t, client, server)
	if err := client.Close(); err != nil {
		t.Errorf("%s: Close: %v", url, err)
	}
	if !server.AwaitEnd(patience) || !errors.Is(server.Why, protocol.ErrClosedOK) {
		t.Errorf("%s: server: %v; want a normal close", url, server.Why)
	}
}

// TestRedirectsOfNginx: each face goes where nginx says, over TCP and over its
// Unix socket, which leads to this server alone. A server may be behind nginx on
// a Unix socket too.
func TestRedirectsOfNginx(t *testing.T) {
	nginx := Kinds[0]
	nginx.Need(t)
	for _, f := range face.Both {
		t.Run(f.Name(), func(t *testing.T) {
			acceptor := witness.Accept(t, f, noIdle)
			address, dir := startWeb(t, "nginx-web.conf", acceptor.Addr().String(), nil, nginx.command)
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			opts := noIdle
			opts.Jar = jar
			arrives(t, f, "ws://"+address+"/old", opts, acceptor, "/new/place")
			if got := jar.Cookies(&url.URL{Scheme: "http", Host: address, Path: "/"}); len(got) != 1 || got[0].Name != "moved" {
				t.Errorf("cookies %v", got)
			}
			arrives(t, f, "ws://"+address+"/away", noIdle, acceptor, "/new/place")
			notFollowed(t, f, "ws://"+address+"/circle", noIdle)

			opts = noIdle
			opts.Unix = filepath.Join(dir, "socket")
			arrives(t, f, "ws://tandem.test/new/place", opts, acceptor, "/new/place")
			notFollowed(t, f, "ws://tandem.test/away", opts)

			listener, err := net.Listen("unix", filepath.Join(dir, "server"))
			if err != nil {
				t.Fatal(err)
			}
			behind := noIdle
			behind.Listener = listener
			arrives(t, f, "ws://tandem.test/unix", opts, witness.Accept(t, f, behind), "/unix")
		})
	}
}

// notFollowed fails to connect because of a redirect.
func notFollowed(t *testing.T, f face.Face, url string, opts face.Options) {
	t.Helper()
	conn, err := f.Connect(url, &opts)
	if err == nil {
		conn.CloseNow()
	}
	if !errors.Is(err, protocol.ErrRedirect) {
		t.Errorf("%s: %v, want %v", url, err, protocol.ErrRedirect)
	}
}

// TestDigestOfApache: each face proves a password to mod_auth_digest, which
// refuses another one.
func TestDigestOfApache(t *testing.T) {
	rig.Need(t, "apache2", apacheModules+"/mod_auth_digest.so")
	apache := Kinds[2]
	secret := md5.Sum([]byte(user + ":the lab:" + password))
	files := map[string]string{"passwords": user + ":the lab:" + hex.EncodeToString(secret[:]) + "\n"}
	for _, f := range face.Both {
		t.Run(f.Name(), func(t *testing.T) {
			acceptor := witness.Accept(t, f, noIdle)
			address, _ := startWeb(t, "apache-digest.conf", acceptor.Addr().String(), files, apache.command)
			opts := noIdle
			opts.Digest = url.UserPassword(user, password)
			arrives(t, f, "ws://"+address+"/chat?room=1", opts, acceptor, "/chat")
			for _, wrong := range []*url.Userinfo{nil, url.UserPassword(user, "wrong"), url.UserPassword("other", password)} {
				opts.Digest = wrong
				conn, err := f.Connect("ws://"+address+"/chat", &opts)
				if err == nil {
					conn.CloseNow()
				}
				var refused *protocol.InvalidStatusError
				if !errors.As(err, &refused) || refused.Response.StatusCode != http.StatusUnauthorized {
					t.Errorf("%v: %v, want status 401", wrong, err)
				}
			}
		})
	}
}
