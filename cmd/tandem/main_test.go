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
		{"demo now", statusUsage, "", "1 operands; usage: tandem demo [flags]"},
		{"demo --fast", statusUsage, "", "flag provided but not defined"},
		{"connect", statusUsage, "", "0 operands; usage: tandem connect [flags] URL"},
		{"connect --timeout 0 ws://localhost", statusUsage, "", "a time is not more than 0"},
		{"connect --reconnect --max-delay 0 ws://localhost", statusUsage, "", "a time is not more than 0"},
		{"connect --header nothing ws://localhost", statusUsage, "", "not of the form"},
		{"connect ftp://localhost", statusFailed, "", "instead of ws or wss"},
		{"serve --sync --async 127.0.0.1:0", statusUsage, "", "exclude each other"},
		{"serve --tls-cert cert.pem 127.0.0.1:0", statusUsage, "", "need each other"},
		{"serve 127.0.0.1:0 --tls-cert no.pem --tls-key no.pem", statusFailed, "", "no such file"},
		{"serve 127.0.0.1:nothing", statusFailed, "", "unknown port"},
		{"ping --count -1 ws://localhost", statusUsage, "", "--count is negative"},
		{"ping --interval 1us ws://localhost", statusUsage, "", "--interval is less than 1ms"},
		{"ping --timeout -1s ws://localhost", statusUsage, "", "--timeout is not more than 0"},
		{"probe --max 10ms ws://localhost", statusUsage, "", "--max is less than 1s"},
		{"probe --precision 0 ws://localhost", statusUsage, "", "--precision is not between 1 and 50"},
		{"probe --precision NaN ws://localhost", statusUsage, "", "--precision is not between 1 and 50"},
		{"probe --parallel 0 ws://localhost", statusUsage, "", "--parallel is not between 1 and 64"},
		{"probe --timeout 0 ws://localhost", statusUsage, "", "--timeout is not more than 0"},
		{"probe --tcp-keepalive -1s ws://localhost", statusUsage, "", "--tcp-keepalive is negative"},
		{"ping ftp://localhost", statusPingError, "", "instead of ws or wss"},
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
