package doccheck

import (
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// module is ours.
const module = "github.com/tandemws/tandem"

// known are the packages that a block without a package clause may use: it
// would be all imports otherwise.
var known = map[string]string{
	"context":   "context",
	"cookiejar": "net/http/cookiejar",
	"errors":    "errors",
	"expvar":    "expvar",
	"fmt":       "fmt",
	"http":      "net/http",
	"log":       "log",
	"net":       "net",
	"os":        "os",
	"signal":    "os/signal",
	"slog":      "log/slog",
	"time":      "time",
	"tls":       "crypto/tls",
	"url":       "net/url",
	"x509":      "crypto/x509",
	"keepalive": module + "/keepalive",
	"protocol":  module + "/protocol",
	"reconnect": module + "/reconnect",
	"wsasync":   module + "/async",
	"wssync":    module + "/sync",
}

// TestBlocks has the go command vet every block of Go (whole programs, tests,
// or declarations) and run those that are tests. Each is a package in a module
// of somebody who uses ours.
func TestBlocks(t *testing.T) {
	dir := t.TempDir()
	writeModule(t, dir)
	found := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language == "go" {
				checkFormat(t, p.path, &b)
				writeBlock(t, dir, p.path, &b)
				found++
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d blocks were found", found)
	}
	for _, verb := range []string{"vet", "test"} {
		cmd := exec.Command("go", verb, "./...")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", verb, err, out)
		}
	}
}

// writeModule writes a go.mod that requires ours as it lies here, and what ours
// requires, so that nothing needs to be looked up.
func writeModule(t *testing.T, dir string) {
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	gomod := readFile(t, filepath.Join(root, "go.mod"))
	gomod = strings.Replace(gomod, "module "+module, "module example.com/docs", 1)
	gomod += fmt.Sprintf("\nrequire %s v0.0.0\nreplace %[1]s => %q\n", module, here)
	writeFile(t, filepath.Join(dir, "go.mod"), gomod)
	writeFile(t, filepath.Join(dir, "go.sum"), readFile(t, filepath.Join(root, "go.sum")))
}

// writeBlock writes a block to a package of its own.
func writeBlock(t *testing.T, dir, path string, b *block) {
	name := "block.go"
	if strings.Contains(b.text, `"testing"`) {
		name = "block_test.go"
	}
	place := fmt.Sprintf("%s-%d", notLetters.ReplaceAllString(path, "-"), b.line)
	writeFile(t, filepath.Join(dir, place, name), whole(b, path))
}

var notLetters = regexp.MustCompile(`[^A-Za-z]+`)

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// whole returns a block as a file, in which errors are told by their place on
// the page.
func whole(b *block, path string) string {
	place := fmt.Sprintf("//line %s:%d\n", path, b.line)
	if strings.HasPrefix(b.text, "package ") {
		return place + b.text
	}
	head := "package block\n"
	for name, path := range known {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(b.text) {
			head += fmt.Sprintf("import %s %q\n", name, path)
		}
	}
	return head + place + b.text
}

func checkFormat(t *testing.T, path string, b *block) {
	formatted, err := format.Source([]byte(b.text))
	if err != nil {
		t.Errorf("%s:%d: %v", path, b.line, err)
	} else if string(formatted) != b.text {
		t.Errorf("%s:%d: gofmt would change it", path, b.line)
	}
}
