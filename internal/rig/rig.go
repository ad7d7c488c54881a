// Package rig is what the tests against real programs share: other WebSocket
// libraries, browsers, proxies and networks. The tests are in the folders
// below; each of them calls [Need] first.
//
// The environment variable TANDEM_RIGS says whether they run:
//
//	unset or "off"  they are skipped, so that go test needs Go alone
//	"on"            they run as far as tools and privileges are there
//	"require"       they run, and what is missing is a failure
package rig

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Variable is the environment variable that turns the rigs on.
const Variable = "TANDEM_RIGS"

// Need skips the test unless rigs are on and every tool is there: a program's
// name, to be found in PATH, or the path of a file. When rigs are required a
// missing tool fails the test.
func Need(t testing.TB, tools ...string) {
	t.Helper()
	switch mode := os.Getenv(Variable); mode {
	case "", "off":
		t.Skipf("rigs are off; set %s=on to run this test, or =require to have it fail where a tool is missing", Variable)
	case "on", "require":
	default:
		t.Fatalf("%s=%q; want off, on or require", Variable, mode)
	}
	if missing := absent(tools); len(missing) > 0 {
		Missing(t, strings.Join(missing, ", "))
	}
}

// LifeVariable is the environment variable that says for how long what has to
// live is watched, for example "60s".
const LifeVariable = "TANDEM_RIGS_LIFE"

// Life returns for how long to watch what has to live: 10 s unless the
// environment says otherwise.
func Life(t testing.TB) time.Duration {
	t.Helper()
	value := os.Getenv(LifeVariable)
	if value == "" {
		return 10 * time.Second
	}
	life, err := time.ParseDuration(value)
	if err != nil {
		t.Fatalf("%s: %v", LifeVariable, err)
	}
	return life
}

// NeedRoot is Need for a test that changes the machine's network.
func NeedRoot(t testing.TB, tools ...string) {
	t.Helper()
	Need(t, tools...)
	if os.Geteuid() != 0 {
		Missing(t, "the privileges of root")
	}
}

// Missing ends a test that lacks something that Need cannot look for, such as
// a module of another language.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(Variable) == "require" {
		t.Fatalf("missing: %s (and %s=require)", what, Variable)
	}
	t.Skipf("missing: %s", what)
}

// absent returns the tools that are not there.
func absent(tools []string) []string {
	var missing []string
	for _, tool := range tools {
		if !present(tool) {
			missing = append(missing, tool)
		}
	}
	return missing
}

// present tells whether a tool is there. A path may be that of a file that is
// not a program: a script, or a folder of modules.
func present(tool string) bool {
	if strings.Contains(tool, "/") {
		_, err := os.Stat(tool)
		return err == nil
	}
	_, err := exec.LookPath(tool)
	return err == nil
}
