package peers

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/tandemws/tandem/internal/rig"
)

// The programs that peers need. Python is Debian's: its modules are where its
// packages put them.
const (
	python        = "/usr/bin/python3"
	pythonModules = "/usr/lib/python3/dist-packages/"
	programs      = "../../../testdata/peers"
	nodeModules   = programs + "/node_modules/" // of npm ci
)

// command returns one that runs where the peers' programs are.
func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = filepath.FromSlash(programs)
	return cmd
}

// A serverPeer is a library that our clients connect to.
type serverPeer struct {
	name  string
	tools []string
	start func(t *testing.T) *server

	compressed func(t *testing.T) *server // the same with compression; nil: it has none
}

var serverPeers = []serverPeer{
	{wsPeer, []string{"node", nodeModules + "ws"}, program("node", "server.js"), program("node", "server.js", "compressed")},
	{websocketsPeer, []string{python, pythonModules + "websockets"}, program(python, "server_websockets.py"), program(python, "server_websockets.py", "compressed")},
	{aiohttpPeer, []string{python, pythonModules + "aiohttp"}, program(python, "server_aiohttp.py"), program(python, "server_aiohttp.py", "compressed")},
	{websocketdPeer, []string{"websocketd"}, startWebsocketd, nil},
}

// A server is one that runs.
type server struct {
	address string
	process *rig.Process
	lines   bool // websocketd: a message is a line of text, and there are no paths
}

// A notice is what a peer's program prints on one line.
type notice struct {
	ID      string
	Event   string
	Payload string
	Code    int
	Reason  string

	Port    int // the first line of a server has these
	Version string
}

// program returns how to start a server that prints its port.
func program(name string, args ...string) func(t *testing.T) *server {
	return func(t *testing.T) *server {
		p := rig.Start(t, command(name, args...), nil)
		hello := awaitNotice(t, p, `\{"port".*\}`)
		t.Logf("%s", hello.Version)
		return &server{address: fmt.Sprintf("127.0.0.1:%d", hello.Port), process: p}
	}
}

// startWebsocketd starts websocketd with a program that sends lines back.
func startWebsocketd(t *testing.T) *server {
	version, _ := exec.Command("websocketd", "--version").Output()
	t.Logf("%s", version)
	port := fmt.Sprint(rig.FreePort(t))
	address := "127.0.0.1:" + port
	p := rig.Start(t, command("websocketd", "--address=127.0.0.1", "--port="+port, "./lines.sh"), rig.Listens(address))
	return &server{address: address, process: p, lines: true}
}

// awaitNotice waits for a line that matches, which is one JSON object.
func awaitNotice(t *testing.T, p *rig.Process, line string) (n notice) {
	t.Helper()
	found, err := p.Await(line)
	if err == nil {
		err = json.Unmarshal([]byte(found[0]), &n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// event waits for what the server says of the connection with the id.
func (s *server) event(t *testing.T, id, event string) notice {
	t.Helper()
	line := fmt.Sprintf(`\{"id": ?%q, ?"event": ?%q.*\}`, regexp.QuoteMeta(id), event)
	return awaitNotice(t, s.process, line)
}
