//go:build unix

package rig

import (
	"os"
	"os/exec"
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
