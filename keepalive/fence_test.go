package keepalive

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestFence parses the files of the package that are not tests. The schedule
// knows of pings and of bytes that were seen, not of sockets or of WebSocket,
// so that it serves any connection.
func TestFence(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range fenced(t, path, src) {
			t.Errorf("%s imports %s", path, name)
		}
		checked++
	}
	if checked < 10 {
		t.Errorf("only %d files were checked", checked)
	}
}

// fenced returns what a file imports that it must not.
func fenced(t *testing.T, path string, src []byte) (found []string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		// The standard library has no dot in the first part of a path. Of
		// it, whatever has to do with the network stays outside.
		first, _, _ := strings.Cut(name, "/")
		if strings.Contains(first, ".") || first == "net" || name == "syscall" {
			found = append(found, name)
		}
	}
	return found
}

// TestFenceHolds shows the fence what it must not let through.
func TestFenceHolds(t *testing.T) {
	for src, want := range map[string]string{
		`import "net"`:          "net",
		`import h "net/http"`:   "net/http",
		`import _ "syscall"`:    "syscall",
		`import "time"`:         "",
		`import "math/rand/v2"`: "",
		`import "github.com/tandemws/tandem/protocol"`:                "github.com/tandemws/tandem/protocol",
		`import ("sync"; "github.com/tandemws/tandem/internal/link")`: "github.com/tandemws/tandem/internal/link",
		`import "golang.org/x/sys/unix"`:                              "golang.org/x/sys/unix",
	} {
		if got := strings.Join(fenced(t, "x.go", []byte("package x; "+src)), " "); got != want {
			t.Errorf("%s: found %q, want %q", src, got, want)
		}
	}
}
