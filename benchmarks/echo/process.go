package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// process is a server in a process of its own. It answers each line on its
// standard input with its resource usage.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	addr string
}

type usage struct {
	cpu time.Duration // user and system
	rss int64         // bytes
}

func startServer(name string) *process {
	cmd := exec.Command(must(os.Executable()), "-serve", name)
	cmd.Stderr = os.Stderr
	p := &process{cmd: cmd, in: must(cmd.StdinPipe()), out: bufio.NewReader(must(cmd.StdoutPipe()))}
	check(cmd.Start())
	p.addr = strings.TrimSpace(must(p.out.ReadString('\n')))
	return p
}

func (p *process) usage() (u usage) {
	must(io.WriteString(p.in, "usage\n"))
	must(fmt.Sscan(must(p.out.ReadString('\n')), &u.cpu, &u.rss))
	return u
}

func (p *process) stop() {
	p.in.Close()
	p.cmd.Wait()
}

// runServer is the other side of a process. It ends with its standard input.
func runServer(name string) {
	start, ok := servers[name]
	if !ok {
		check(fmt.Errorf("no server is called %q", name))
	}
	fmt.Println(start())
	for in := bufio.NewReader(os.Stdin); ; {
		if _, err := in.ReadString('\n'); err != nil {
			return
		}
		debug.FreeOSMemory() // what counts is what is in use
		var r syscall.Rusage
		check(syscall.Getrusage(syscall.RUSAGE_SELF, &r))
		fmt.Println(r.Utime.Nano()+r.Stime.Nano(), rss())
	}
}

// rss returns the resident size of this process in bytes.
func rss() int64 {
	var total, resident int64
	statm := must(os.ReadFile("/proc/self/statm"))
	must(fmt.Sscan(string(statm), &total, &resident))
	return resident * int64(os.Getpagesize())
}
