package main

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that no command leaves a goroutine behind when it returns,
// although the process ends then anyhow: one that does could not be tested.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call runs the tool and returns its exit status and what it wrote.
func call(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(t.Context(), args, stdio{strings.NewReader(""), &stdout, &stderr})
	return status, stdout.String(), stderr.String()
}

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		args      string
		status    int
		out, errs string // parts of what is written; "": nothing is
	}{
		{"", statusUsage, "", "usage: tandem COMMAND"},
		{"help", statusOK, "usage: tandem COMMAND", ""},
		{"--help", statusOK, "usage: tandem COMMAND", ""},
		{"help demo", statusOK, "usage: tandem demo", ""},
		{"demo -h", statusOK, "usage: tandem demo", ""},
		{"help nothing", statusUsage, "", `no command "nothing"`},
		{"nothing", statusUsage, "", `no command "nothing"`},
		{"demo now", statusUsage, "", "wants 0 operands, got 1"},
		{"demo --fast", statusUsage, "", "flag provided but not defined"},
	} {
		t.Run(test.args, func(t *testing.T) {
			status, out, errs := call(t, strings.Fields(test.args)...)
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			checkContains(t, "standard output", out, test.out)
			checkContains(t, "standard error", errs, test.errs)
		})
	}
}

// checkContains checks that text has the part; it is to be empty if part is.
func checkContains(t *testing.T, what, text, part string) {
	t.Helper()
	if part == "" && text != "" || !strings.Contains(text, part) {
		t.Errorf("%s is %q, want %q", what, text, part)
	}
}

// TestHelpTellsExitStatus: scripts need to know what to expect of a command.
func TestHelpTellsExitStatus(t *testing.T) {
	for _, cmd := range commands() {
		_, out, _ := call(t, "help", cmd.name)
		checkContains(t, "the help of "+cmd.name, out, "Exit status: 0 ")
	}
}
