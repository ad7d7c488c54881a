//go:build unix

package rig

import (
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// ownGroup has the program lead a process group of its own, so that what it
// starts, as browsers do, can be ended with it.
func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
}

// killGroup kills the group that the program leads.
func killGroup(leader *os.Process) { syscall.Kill(-leader.Pid, syscall.SIGKILL) }

// A guard is a shell that kills a program's group when this process ends first,
// be it by SIGKILL: then its standard input ends without a line.
type guard struct {
	shell *exec.Cmd
	input io.WriteCloser
}

func (g *guard) begin(leader *os.Process) (err error) {
	g.shell = exec.Command("/bin/sh", "-c", `read -r line || kill -s KILL -- "-$0"`, strconv.Itoa(leader.Pid))
	ownGroup(g.shell) // who kills the tests' group is not to kill the guard
	if g.input, err = g.shell.StdinPipe(); err != nil {
		return err
	}
	return g.shell.Start()
}

// end tells the guard that there is nothing left to kill.
func (g *guard) end() error {
	if g.input == nil { // it has not begun
		return nil
	}
	io.WriteString(g.input, "\n")
	return g.shell.Wait()
}
