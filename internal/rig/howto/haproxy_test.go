//go:build unix

package howto

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tandemws/tandem/internal/face"
	"github.com/tandemws/tandem/internal/rig"
	"github.com/tandemws/tandem/internal/rig/proxy"
	"github.com/tandemws/tandem/internal/suite"
)

// TestHAProxy runs the configuration of behind-haproxy.md before two programs of
// that page, of which one is then shut down: clients are sent to the other one
// when the check has failed, and at once with redispatch.
func TestHAProxy(t *testing.T) {
	rig.Need(t, "haproxy")
	server := program(t, rig.Replaced(t, rig.Block(t, "behind-haproxy.md", "go", 0), `"127.0.0.1:8765"`, "os.Args[2]"), serving)
	for _, redispatch := range []bool{false, true} {
		for _, f := range face.Both {
			t.Run(fmt.Sprintf("redispatch %t %s", redispatch, f.Name()), func(t *testing.T) {
				t.Parallel()
				shutDownBehind(t, f, startHAProxy(t, server, redispatch), redispatch)
			})
		}
	}
}

func shutDownBehind(t *testing.T, f face.Face, p *pair, redispatch bool) {
	p.awaitCheck(t, "chat1", "L7OK")
	p.awaitCheck(t, "chat2", "L7OK")
	conns := make(map[string]face.Conn)
	for range 2 {
		conn, greeting := greeted(t, f, p.url, p.client)
		conns[strings.Fields(greeting)[0]] = conn
	}
	if len(conns) != 2 {
		t.Fatalf("one server has both connections: %v", conns)
	}
	stop(t, p.servers["chat1"])
	goneAway(t, conns["chat1"])
	if err := p.servers["chat1"].Wait(); err != nil {
		t.Error(err)
	}
	if !redispatch {
		refused(t, f, p.url, p.client, 503) // the one with the least connections is not there
		p.awaitCheck(t, "chat1", "L4CON")
	}
	conn, greeting := greeted(t, f, p.url, p.client)
	if !strings.HasPrefix(greeting, "chat2 ") {
		t.Errorf("greeted with %q by a server that is not there", greeting)
	}
	for _, conn := range []face.Conn{conn, conns["chat2"]} {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A pair of servers behind HAProxy.
type pair struct {
	gateway
	servers map[string]*rig.Process // by their names
	stats   string                  // HAProxy's socket for those who run it
}

// startHAProxy starts HAProxy and its servers.
func startHAProxy(t *testing.T, server string, redispatch bool) *pair {
	t.Helper()
	served, trusting := suite.Certificate(t)
	dir, address := t.TempDir(), freeAddress(t)
	p := &pair{newGateway(address, trusting), make(map[string]*rig.Process), filepath.Join(dir, "stats")}
	certificate := filepath.Join(dir, "certificate.pem")
	proxy.WritePEM(t, certificate, served.Certificates[0])
	block := rig.Replaced(t, rig.Block(t, "behind-haproxy.md", "haproxy", 0),
		"bind :443 ssl crt /etc/haproxy/example.com.pem", "bind "+address+" ssl crt "+certificate)
	for name, written := range map[string]string{"chat1": "127.0.0.1:8765", "chat2": "127.0.0.1:8766"} {
		behind := freeAddress(t)
		p.servers[name] = rig.Start(t, exec.Command(server, name, behind), rig.Listens(behind))
		block = rig.Replaced(t, block, written, behind)
	}
	if redispatch {
		block += "    option redispatch\n"
	}
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte("global\n    stats socket "+p.stats+"\n\n"+block), 0o600); err != nil {
		t.Fatal(err)
	}
	rig.Start(t, exec.Command("haproxy", "-db", "-f", file), rig.Accepts("unix", p.stats)) // the last to be there
	return p
}

// awaitCheck waits until HAProxy says this of a server's latest check, and, when
// the check has failed, that it takes the server for down.
func (p *pair) awaitCheck(t *testing.T, server, says string) {
	t.Helper()
	line := regexp.MustCompile("(?m)^chat," + server + ",.*$")
	for over := time.Now().Add(patience); time.Now().Before(over); time.Sleep(50 * time.Millisecond) {
		found := line.FindString(ask(t, p.stats, "show stat\n"))
		if strings.Contains(found, ","+says+",") && (says == "L7OK" || strings.Contains(found, ",DOWN,")) {
			return
		}
	}
	t.Fatalf("%s: no check with %s", server, says)
}

// ask asks a program that answers once on a Unix socket.
func ask(t *testing.T, socket, question string) string {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, question)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
