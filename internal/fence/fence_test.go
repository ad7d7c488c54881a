package fence

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path that imports of our own begin with, root where it lies.
const (
	module = "github.com/tandemws/tandem/"
	root   = "../.."
)

// The layers of the house. A package imports those below it only, so that the
// protocol can be had without a socket, and a face changed without the other.
var (
	ground = []string{"protocol", "keepalive"}
	joint  = append(slices.Clone(ground), "internal/link")
	doors  = append(slices.Clone(joint), "internal/dial", "internal/serve", "reconnect")
	public = append(slices.Clone(ground), "async", "sync", "reconnect")
)

// places says what each package may import of the module. "..." stands for
// what lies below.
var places = map[string][]string{
	"protocol":       {},
	"keepalive":      {},
	"reconnect":      {"protocol"},
	"internal/link":  ground,
	"internal/dial":  append(slices.Clone(joint), "reconnect"),
	"internal/serve": joint,
	"async":          doors,
	"sync":           doors,

	// A user could write these: they have what a user has.
	"cmd/...":          public,
	"internal/face":    public,
	"internal/rig":     public,
	"internal/rig/...": append(slices.Clone(public), "internal/face", "internal/rig", "internal/rig/..."),

	// The tests of both faces at once look behind them too.
	"internal/suite": append(slices.Clone(doors), "async", "sync", "internal/face"),

	"internal/fence":    {},
	"internal/doccheck": {},
}

// tenants says which packages import what is neither ours nor the standard
// library's. docs/design.md gives the reasons.
var tenants = map[string][]string{
	"github.com/klauspost/compress/flate": {"protocol"},

	"golang.org/x/net":     {"internal/dial"},
	"golang.org/x/sys":     {"internal/link", "internal/rig/..."},
	"golang.org/x/sys/cpu": {"protocol"},
	"golang.org/x/sync":    {"internal/serve"},
	"golang.org/x/term":    {"cmd/..."},

	// What the rigs' tests share is no test itself.
	"go.uber.org/goleak": {"internal/rig/..."},
}

// inTests are for every test, and for nothing else.
var inTests = []string{
	"go.uber.org/goleak",
	"golang.org/x/sync",
	"golang.org/x/sys",
	"golang.org/x/term",
	"nhooyr.io/websocket",
	"github.com/coder/websocket",
}

// inSomeTests are for the tests of the packages that are named. Gorilla is in an
// example of how to watch it, and nowhere else.
var inSomeTests = map[string][]string{
	"github.com/gorilla/websocket": {"keepalive"},
	"golang.org/x/net":             {"internal/suite"},
}

// TestFence looks at every file of the module.
func TestFence(t *testing.T) {
	checked := 0
	for _, file := range goFiles(t) {
		for _, imported := range imports(t, file) {
			if breach := breach(file, imported); breach != "" {
				t.Error(breach)
			}
		}
		checked++
	}
	if checked < 100 {
		t.Errorf("only %d files were checked", checked)
	}
}

// goFiles returns the module's Go files, with paths from its root. The
// benchmarks, and the comparison with other libraries, are modules of their own.
func goFiles(t *testing.T) (files []string) {
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(name):
			return fs.SkipDir
		case !entry.IsDir() && path.Ext(name) == ".go":
			rel, err := filepath.Rel(root, name)
			files = append(files, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func skipped(dir string) bool {
	switch base := filepath.Base(dir); base {
	case "benchmarks", "differential", "testdata", "node_modules":
		return true
	default:
		return strings.HasPrefix(base, ".") && base != ".."
	}
}

func imports(t *testing.T, file string) (paths []string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, name)
	}
	return paths
}

// breach says what is wrong with a file that imports the package, "" if
// nothing is.
func breach(file, imported string) string {
	dir, test := path.Dir(file), strings.HasSuffix(file, "_test.go")
	ours, isOurs := strings.CutPrefix(imported, module)
	switch {
	case isOurs && test:
		return testBreach(file, dir, ours)
	case isOurs:
		return ourBreach(file, dir, ours)
	case !strings.Contains(strings.Split(imported, "/")[0], "."):
		return "" // the standard library
	case test && slices.ContainsFunc(inTests, func(m string) bool { return belongs(imported, m) }):
		return ""
	case test && hosted(imported, dir, inSomeTests), hosted(imported, dir, tenants):
		return ""
	}
	return fmt.Sprintf("%s imports %s, which has no place there", file, imported)
}

// testBreach: a test may import what its package may not, but the faces know
// nothing of each other even there.
func testBreach(file, dir, ours string) string {
	if dir == "async" && ours == "sync" || dir == "sync" && ours == "async" {
		return file + ": the faces must not import each other"
	}
	return ""
}

func ourBreach(file, dir, ours string) string {
	for place, allowed := range places {
		if within(dir, []string{place}) && within(ours, allowed) {
			return ""
		}
	}
	return fmt.Sprintf("%s imports %s, which is not below it", file, ours)
}

// hosted reports whether one of the modules has the package and dir may use it.
func hosted(imported, dir string, modules map[string][]string) bool {
	for module, hosts := range modules {
		if belongs(imported, module) && within(dir, hosts) {
			return true
		}
	}
	return false
}

// belongs reports whether a package is part of another module.
func belongs(imported, module string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

// within reports whether dir is one of the patterns, or lies below one that
// ends in "/...".
func within(dir string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if above, ok := strings.CutSuffix(pattern, "..."); ok {
			return strings.HasPrefix(dir, above)
		}
		return dir == pattern
	})
}

// TestFenceHolds shows the fence what it must not let through, and what it must.
func TestFenceHolds(t *testing.T) {
	const (
		pass = ""
		stop = "stop"
	)
	for _, c := range []struct{ file, imported, want string }{
		{"async/conn.go", module + "internal/link", pass},
		{"async/conn.go", module + "sync", stop},
		{"async/conn_test.go", module + "sync", stop},
		{"sync/conn.go", module + "async", stop},
		{"sync/conn.go", "sync", pass},
		{"internal/link/read.go", module + "protocol", pass},
		{"internal/link/read.go", module + "internal/serve", stop},
		{"internal/link/read.go", module + "sync", stop},
		{"internal/dial/dial.go", module + "internal/serve", stop},
		{"protocol/conn.go", module + "keepalive", stop},
		{"keepalive/run.go", module + "protocol", stop},
		{"keepalive/run_test.go", module + "protocol", pass},
		{"reconnect/process.go", module + "protocol", pass},
		{"reconnect/process.go", module + "internal/link", stop},
		{"internal/dial/reconnect.go", module + "reconnect", pass},
		{"internal/link/conn.go", module + "reconnect", stop},
		{"cmd/tandem/main.go", module + "sync", pass},
		{"cmd/tandem/main.go", module + "internal/link", stop},
		{"internal/rig/nat/nat_test.go", module + "internal/rig", pass},
		{"internal/new/new.go", module + "protocol", stop},
		{"internal/link/inspect_linux.go", "golang.org/x/sys/unix", pass},
		{"protocol/conn.go", "golang.org/x/sys/unix", stop},
		{"cmd/tandem/connect.go", "golang.org/x/term", pass},
		{"sync/conn.go", "go.uber.org/goleak", stop},
		{"sync/main_test.go", "go.uber.org/goleak", pass},
		{"keepalive/watch.go", "nhooyr.io/websocket", stop},
		{"keepalive/watch_test.go", "nhooyr.io/websocket", pass},
		{"keepalive/watch_test.go", "github.com/coder/websocket/wsjson", pass},
		{"keepalive/watch.go", "github.com/gorilla/websocket", stop},
		{"keepalive/watch_test.go", "github.com/gorilla/websocket", pass},
		{"sync/conn_test.go", "github.com/gorilla/websocket", stop},
		{"sync/conn.go", "golang.org/x/system", stop},
	} {
		got := breach(c.file, c.imported)
		if (got == "") != (c.want == pass) {
			t.Errorf("%s imports %s: %q, want it to %s", c.file, c.imported, got, c.want)
		}
	}
}
