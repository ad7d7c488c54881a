//go:build linux

package measure

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/tandemws/tandem/benchmarks/internal/peers"
	"github.com/tandemws/tandem/benchmarks/internal/process"
)

// server is one of the peers in a process of its own.
type server struct {
	*process.Process
	addr   string
	framed bool
}

// serveFlag is the first argument of a process that is a server.
const serveFlag = "-be-server"

//go:embed echo.py
var pythonEcho string

// pythonPath is Debian's Python, whose packages are Debian's: those of another
// that comes first in PATH need not be there.
const pythonPath = "/usr/bin/python3"

// HasPython tells whether Python websockets is installed.
func HasPython() bool { return exec.Command(pythonPath, "-c", "import websockets").Run() == nil }

func startServer(name string, setup peers.Setup) (*server, error) {
	command := []string{pythonPath, "-c", pythonEcho}
	if name != "python" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		arg, err := json.Marshal(setup)
		if err != nil {
			return nil, err
		}
		command = []string{self, serveFlag, name, string(arg)}
	}
	p, err := process.Start(command...)
	if err != nil {
		return nil, err
	}
	addr, err := p.Line()
	if err != nil {
		p.Stop()
		return nil, fmt.Errorf("server %s: %w", name, err)
	}
	return &server{p, addr, name != "raw"}, nil
}

// BeServer makes the program a server if it was started as one, and ends it
// then. A command calls it before it does anything else.
func BeServer() {
	if len(os.Args) < 4 || os.Args[1] != serveFlag {
		return
	}
	var setup peers.Setup
	err := json.Unmarshal([]byte(os.Args[3]), &setup)
	addr := ""
	if err == nil {
		addr, err = peers.Start(os.Args[2], setup)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
	process.Main(addr, func(question string) string { return "no answer to " + question })
	os.Exit(0)
}
