package doccheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// homes says where the packages lie that the documentation talks about.
var homes = map[string]string{
	"wssync":    "sync",
	"wsasync":   "async",
	"keepalive": "keepalive",
	"protocol":  "protocol",
	"reconnect": "reconnect",
}

// name finds package.Name and package.Type.Member.
var name = regexp.MustCompile(`\b(wssync|wsasync|keepalive|protocol|reconnect)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)

// TestNames looks up what the prose calls by its name. Blocks are compiled.
func TestNames(t *testing.T) {
	declared := make(map[string]map[string]bool)
	for pkg, dir := range homes {
		declared[pkg] = exported(t, filepath.Join(root, dir))
	}
	checked := 0
	for _, p := range pages(t) {
		for i, line := range p.prose {
			for _, match := range name.FindAllStringSubmatch(line, -1) {
				pkg, what := match[1], match[2]
				if match[3] != "" {
					what += "." + match[3]
				}
				checked++
				if !declared[pkg][what] {
					t.Errorf("%s:%d: there is no %s.%s", p.path, i+1, pkg, what)
				}
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d names were checked", checked)
	}
}

// exported returns the names that the package in dir declares, and those of its
// types' methods and fields behind the type's.
func exported(t *testing.T, dir string) map[string]bool {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			declare(names, decl)
		}
	}
	return names
}

func declare(names map[string]bool, decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		names[receiver(decl)+decl.Name.Name] = true
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names[n.Name] = true
				}
			case *ast.TypeSpec:
				names[spec.Name.Name] = true
				declareFields(names, spec)
			}
		}
	}
}

// receiver returns "Type." for a method, else "".
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "?."
}

func declareFields(names map[string]bool, spec *ast.TypeSpec) {
	if s, ok := spec.Type.(*ast.StructType); ok {
		for _, field := range s.Fields.List {
			for _, n := range field.Names {
				names[spec.Name.Name+"."+n.Name] = true
			}
		}
	}
}

// TestDependenciesAreExplained: docs/design.md has a reason for each module
// that go.mod requires directly.
func TestDependenciesAreExplained(t *testing.T) {
	gomod := readFile(t, filepath.Join(root, "go.mod"))
	design := readFile(t, filepath.Join(root, "docs", "design.md"))
	required := regexp.MustCompile(`(?m)^(?:require)?\s+([a-z0-9./-]+) v\S+$`)
	modules := required.FindAllStringSubmatch(gomod, -1)
	if len(modules) == 0 {
		t.Error("go.mod was not understood")
	}
	for _, match := range modules {
		if !strings.Contains(design, "| `"+match[1]+"` |") {
			t.Errorf("docs/design.md does not say what %s is for", match[1])
		}
	}
}
