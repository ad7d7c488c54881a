//go:build linux

package measure

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"

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
	program, name, err := programOf(name)
	if err != nil {
		return nil, err
	}
	arg, err := json.Marshal(setup)
	if err != nil {
		return nil, err
	}
	command := []string{program, serveFlag, name, string(arg)}
	if name == "python" {
		command = []string{pythonPath, "-c", pythonEcho}
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

// programOf returns the program that a server or client is started with: this one,
// or of sync@program another build of it, from before a change.
func programOf(server string) (program, name string, err error) {
	if name, program, other := strings.Cut(server, "@"); other {
		return program, name, nil
	}
	self, err := os.Executable()
	return self, server, err
}

// BeServer makes the program a server, or what else it was started as, and ends
// it then. A command calls it before it does anything else.
func BeServer() {
	if len(os.Args) < 2 {
		return
	}
	var err error
	switch args := os.Args[2:]; os.Args[1] {
	case serveFlag:
		err = beServer(args[0], args[1])
	case clientFlag:
		err = beClient(args[0], args[1], args[2], args[3])
	case holderFlag:
		err = beHolder(args[0], args[1], args[2], args[3])
	default:
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, os.Args[1:], err)
		os.Exit(1)
	}
	os.Exit(0)
}

func beServer(name, arg string) error {
	var setup peers.Setup
	if err := json.Unmarshal([]byte(arg), &setup); err != nil {
		return err
	}
	addr, err := peers.Start(name, setup)
	if err != nil {
		return err
	}
	stop, err := profile(name)
	if err == nil {
		process.Main(addr, func(string) string { return "" })
		stop()
	}
	return err
}

// profileFolder is the variable of the environment that says where servers leave
// profiles of their CPU time, one a process.
const profileFolder = "TANDEM_BENCH_PROFILES"

// profile begins a profile if one is asked for, and returns what ends it.
func profile(name string) (stop func(), err error) {
	folder := os.Getenv(profileFolder)
	if folder == "" {
		return func() {}, nil
	}
	file, err := os.Create(filepath.Join(folder, fmt.Sprintf("%s-%d.prof", name, os.Getpid())))
	if err != nil {
		return nil, err
	}
	return pprof.StopCPUProfile, pprof.StartCPUProfile(file)
}
