package protocol

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What the package must not import itself: there is no I/O in it, nothing that
// waits and nothing that needs a lock, and it knows no other package of ours.
// Types of net/http, net/url and time are welcome.
var fenced = []string{"net", "os", "sync", "sync/atomic", "context", "syscall", "os/signal"}

// clocks are the functions of package time that read the clock or wait for it.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// TestFence parses the files of the package that are not tests.
func TestFence(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, path := range paths {
		if !strings.HasSuffix(path, "_test.go") {
			checkFence(t, path)
			checked++
		}
	}
	if checked < 10 {
		t.Errorf("only %d files were checked", checked)
	}
}

func checkFence(t *testing.T, path string) {
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, breach := range breaches(t, path, src) {
		t.Error(breach)
	}
}

// breaches returns what a file does that the package must not do.
func breaches(t *testing.T, path string, src []byte) (found []string) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	add := func(n ast.Node, what string) { found = append(found, fset.Position(n.Pos()).String()+": "+what) }
	clock := ""
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(fenced, name) || strings.HasPrefix(name, "github.com/tandemws/") {
			add(spec, "imports "+name)
		}
		if spec.Name != nil && spec.Name.Name == "." {
			add(spec, "imports all names of "+name)
		}
		if name == "time" {
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			add(n, "starts a goroutine")
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && clock != "" && pkg.Name == clock && slices.Contains(clocks, n.Sel.Name) {
				add(n, "uses time."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}

// TestFenceHolds shows the fence what it must not let through.
func TestFenceHolds(t *testing.T) {
	for src, want := range map[string]string{
		`import "net"`:       "x.go:1:19: imports net",
		`import n "os"`:      "x.go:1:19: imports os",
		`import _ "sync"`:    "x.go:1:19: imports sync",
		`import . "context"`: "x.go:1:19: imports context x.go:1:19: imports all names of context",
		`import "github.com/tandemws/tandem/async"`:                   "x.go:1:19: imports github.com/tandemws/tandem/async",
		`import "time"; var _ = time.Now()`:                           "x.go:1:35: uses time.Now",
		`import "time"; var f = time.Since`:                           "x.go:1:35: uses time.Since",
		`import clk "time"; var _ = clk.Now()`:                        "x.go:1:39: uses time.Now",
		`func f() { go f() }`:                                         "x.go:1:23: starts a goroutine",
		`import ("net/http"; "net/url"; "time"); var _ time.Duration`: "",
		`var time struct{ Now int }; var _ = time.Now`:                "",
	} {
		if got := strings.Join(breaches(t, "x.go", []byte("package x; "+src)), " "); got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}
