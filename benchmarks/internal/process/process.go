//go:build unix

// Package process runs what is measured in a process of its own: the same
// program, started again. The two talk over its standard input and output, a
// line each.
package process

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

// A Process is one that was started.
type Process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Start runs this program with the arguments, or with a command of its own.
func Start(command ...string) (*Process, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	p := &Process{cmd: cmd}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, cmd.Start()
}

// Line returns the next line that the process prints.
func (p *Process) Line() (string, error) {
	line, err := p.out.ReadString('\n')
	return strings.TrimSpace(line), err
}

// Ask sends the process a line and returns its answer.
func (p *Process) Ask(line string) (string, error) {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return "", err
	}
	return p.Line()
}

// CPU returns the time of the processor that the process has used.
func (p *Process) CPU() (time.Duration, error) {
	n, err := p.number("cpu")
	return time.Duration(n), err
}

// Memory returns the resident size in bytes, after a collection.
func (p *Process) Memory() (int64, error) { return p.number("memory") }

func (p *Process) number(question string) (n int64, err error) {
	answer, err := p.Ask(question)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(answer, &n)
	return n, err
}

// Stop ends the process with its standard input.
func (p *Process) Stop() {
	p.in.Close()
	p.cmd.Wait()
}

// Main is the other side of a Process: it prints the first line and answers
// questions until its standard input ends. Those that it does not know itself
// go to other.
func Main(first string, other func(question string) string) {
	fmt.Println(first)
	for in := bufio.NewReader(os.Stdin); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.TrimSpace(line); line {
		case "cpu":
			fmt.Println(OwnCPU().Nanoseconds())
		case "memory":
			debug.FreeOSMemory() // what counts is what is in use:
			debug.FreeOSMemory() // a sync.Pool lets go only at the second collection
			fmt.Println(resident())
		default:
			fmt.Println(other(line))
		}
	}
}

// OwnCPU returns the time of the processor that this process has used.
func OwnCPU() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err) // there is no system that refuses it
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// resident returns the resident size of this process in bytes, or 0 where the
// system does not tell.
func resident() int64 {
	var total, resident int64
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fmt.Sscan(string(statm), &total, &resident)
	return resident * int64(os.Getpagesize())
}
