package doccheck

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// looksLikeLink finds what was meant as a link to a name, and stayed text in
// brackets because there is no such name, or its package is not imported.
var looksLikeLink = regexp.MustCompile(`\[\*?[A-Za-z][\w./]*\]`)

// TestDocLinks: each link in the documentation of a package leads to a name.
func TestDocLinks(t *testing.T) {
	checked := 0
	for _, dir := range homes {
		pkg := documented(t, dir)
		check := func(name, text string) {
			for _, s := range plainText(pkg.Parser().Parse(text)) {
				checked++
				if found := looksLikeLink.FindString(s); found != "" {
					t.Errorf("%s, at %s: %s leads nowhere", dir, name, found)
				}
			}
		}
		check("package", pkg.Doc)
		checkValues(pkg.Consts, check)
		checkValues(pkg.Vars, check)
		checkFuncs(pkg.Funcs, check)
		for _, typ := range pkg.Types {
			check(typ.Name, typ.Doc)
			checkValues(typ.Consts, check)
			checkValues(typ.Vars, check)
			checkFuncs(typ.Funcs, check)
			checkFuncs(typ.Methods, check)
		}
	}
	if checked < 100 {
		t.Errorf("only %d pieces of text were checked", checked)
	}
}

func checkValues(values []*doc.Value, check func(name, text string)) {
	for _, v := range values {
		check(v.Names[0], v.Doc)
	}
}

func checkFuncs(funcs []*doc.Func, check func(name, text string)) {
	for _, f := range funcs {
		check(f.Name, f.Doc)
	}
}

// documented returns the documentation of the package in dir.
func documented(t *testing.T, dir string) *doc.Package {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fset, files, module+"/"+dir)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// plainText returns the text of a comment that is neither a link nor code.
func plainText(d *comment.Doc) (texts []string) {
	var blocks func(content []comment.Block)
	blocks = func(content []comment.Block) {
		for _, block := range content {
			switch block := block.(type) {
			case *comment.Paragraph:
				texts = append(texts, joined(block.Text))
			case *comment.Heading:
				texts = append(texts, joined(block.Text))
			case *comment.List:
				for _, item := range block.Items {
					blocks(item.Content)
				}
			}
		}
	}
	blocks(d.Content)
	return texts
}

func joined(text []comment.Text) string {
	var all strings.Builder
	for _, t := range text {
		if plain, ok := t.(comment.Plain); ok {
			all.WriteString(string(plain))
		}
	}
	return all.String()
}

// TestPlainText shows what is left of a comment, and that a link to what there is
// not stays in it.
func TestPlainText(t *testing.T) {
	p := &comment.Parser{LookupSym: func(_, name string) bool { return name == "Here" }}
	text := strings.Join(plainText(p.Parse("See [Here], [There].\n\n  - an [item]\n\nText.\n\n\t[code]")), "|")
	if found := looksLikeLink.FindAllString(text, -1); len(found) != 2 || found[0] != "[There]" || found[1] != "[item]" {
		t.Errorf("in %q these look like links: %q", text, found)
	}
}
