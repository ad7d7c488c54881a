package doccheck

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeRuns: the functions of the README stand in the examples of the
// faces too, letter by letter, and those are run.
func TestReadmeRuns(t *testing.T) {
	readme, err := readPage(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, b := range readme.blocks {
		if b.language != "go" {
			continue
		}
		face := "sync"
		if strings.Contains(b.text, "wsasync.") {
			face = "async"
		}
		run := functions(t, readFile(t, filepath.Join(root, face, "example_test.go")))
		for name, text := range functions(t, b.text) {
			if name == "main" {
				continue
			}
			checked++
			if run[name] != text {
				t.Errorf("README.md:%d: %s is another one in the examples of %s", b.line, name, face)
			}
		}
	}
	if checked != 4 {
		t.Errorf("%d functions were compared, want a client and a server of each face", checked)
	}
}

// functions returns the functions of a file, formatted, with their comments.
func functions(t *testing.T, src string) map[string]string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			var text strings.Builder
			if err := format.Node(&text, fset, f); err != nil {
				t.Fatal(err)
			}
			found[f.Name.Name] = text.String()
		}
	}
	return found
}
