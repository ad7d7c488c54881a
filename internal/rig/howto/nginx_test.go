package howto

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/proxy"
	"github.com/tandemws/tandem/internal/suite"
)

// nginxMain is what stands around a page's block in an nginx of ours.
const nginxMain = `
daemon off;
master_process off;
pid DIR/pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path DIR/body;
    proxy_temp_path DIR/proxy;
    fastcgi_temp_path DIR/fastcgi;
    uwsgi_temp_path DIR/uwsgi;
    scgi_temp_path DIR/scgi;
    ssl_certificate DIR/certificate.pem;
    ssl_certificate_key DIR/certificate.pem;
    BLOCK
}
`

// startNginx starts nginx with a page's block before a server.
func startNginx(t *testing.T, block string) gateway {
	t.Helper()
	served, trusting := suite.Certificate(t)
	dir, address := t.TempDir(), freeAddress(t)
	proxy.WritePEM(t, filepath.Join(dir, "certificate.pem"), served.Certificates[0])
	block = rig.Replaced(t, block, "listen 443 ssl;", "listen "+address+" ssl;")
	file := filepath.Join(dir, "nginx.conf")
	config := strings.NewReplacer("DIR", dir, "BLOCK", block).Replace(nginxMain)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	rig.Start(t, exec.Command("nginx", "-c", file), rig.Listens(address))
	return newGateway(address, trusting)
}

// TestNginx runs the configuration of behind-nginx.md before the program of that
// page, and tries what it says of those who connect.
func TestNginx(t *testing.T) {
	rig.Need(t, "nginx")
	t.Parallel()
	path := program(t, rig.Replaced(t, rig.Block(t, "behind-nginx.md", "go", 0),
		`"127.0.0.1:8765"`, "os.Args[2]", "MaxConnectionsPerAddress: 50", "MaxConnectionsPerAddress: 1"), serving)
	address := freeAddress(t)
	rig.Start(t, exec.Command(path, "chat", address), rig.Listens(address))
	block := rig.Replaced(t, rig.Block(t, "behind-nginx.md", "nginx", 0), "127.0.0.1:8765", address)
	nginx := startNginx(t, block)
	for _, f := range face.Both {
		t.Run(f.Name(), func(t *testing.T) { whoConnects(t, f, nginx) })
	}
	for _, without := range []struct {
		name, line string
		status     int
	}{
		{"version", "proxy_http_version 1.1;", 505},
		{"Upgrade", "proxy_set_header Upgrade           $http_upgrade;", 426},
		{"Connection", "proxy_set_header Connection        $connection_upgrade;", 426},
		{"Host", "proxy_set_header Host              $http_host;", 403},
	} {
		t.Run("without "+without.name, func(t *testing.T) {
			nginx := startNginx(t, rig.Replaced(t, block, without.line, ""))
			for _, f := range face.Both {
				refused(t, f, nginx.url, asPage(nginx.client, "https://"+nginx.host), without.status)
			}
		})
	}
}

// whoConnects: the server knows the client, lets in pages of its own origin
// alone, and one connection from each address.
func whoConnects(t *testing.T, f face.Face, nginx gateway) {
	conn, greeting := greeted(t, f, nginx.url, asPage(nginx.client, "https://"+nginx.host))
	if want := "chat 127.0.0.1 https " + nginx.host; greeting != want {
		t.Errorf("the server knows %q, want %q", greeting, want)
	}
	refused(t, f, nginx.url, nginx.client, 503)
	second, _ := greeted(t, f, nginx.url, toProxy(nginx.address, "127.0.0.2", nginx.client.TLS))
	for _, origin := range []string{"https://evil.test", "http://" + nginx.host, "https://tandem.test"} {
		refused(t, f, nginx.url, asPage(nginx.client, origin), 403)
	}
	for _, conn := range []face.Conn{conn, second} {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestNginxUnix has both meet at a Unix socket, which a killed server has left
// behind.
func TestNginxUnix(t *testing.T) {
	rig.Need(t, "nginx")
	t.Parallel()
	path := program(t, rig.Replaced(t, rig.Block(t, "behind-nginx.md", "go", 1), `"unix:/run/chat.sock"`, "os.Args[2]"), serving)
	socket := filepath.Join(t.TempDir(), "chat.sock")
	killed := rig.Start(t, exec.Command(path, "killed", "unix:"+socket), rig.Accepts("unix", socket))
	killed.Kill()
	<-killed.Ended()
	rig.Start(t, exec.Command(path, "chat", "unix:"+socket), rig.Accepts("unix", socket))
	nginx := startNginx(t, rig.Replaced(t, rig.Block(t, "behind-nginx.md", "nginx", 0),
		"server 127.0.0.1:8765;", "server unix:"+socket+";"))
	for _, f := range face.Both {
		if _, greeting := greeted(t, f, nginx.url, nginx.client); !strings.HasPrefix(greeting, "chat ") {
			t.Errorf("greeted with %q", greeting)
		}
	}
}
