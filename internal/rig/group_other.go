//go:build !unix

package rig

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func killGroup(leader *os.Process) { leader.Kill() }
