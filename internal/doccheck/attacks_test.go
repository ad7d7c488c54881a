package doccheck

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAttacksAreTested looks for the tests that the table of attacks names, so
// that it cannot promise what nobody checks.
func TestAttacksAreTested(t *testing.T) {
	tests := declaredTests(t)
	rows := 0
	for _, p := range pages(t) {
		if p.path != "docs/topics/security.md" {
			continue
		}
		for i, line := range p.prose {
			cells := strings.Split(line, "|") // the first and the last are outside
			if len(cells) != 6 || strings.HasPrefix(line, "| Attack") || strings.HasPrefix(line, "|--") {
				continue
			}
			rows++
			named := testName.FindAllString(cells[4], -1)
			if len(named) == 0 {
				t.Errorf("%s:%d: an attack without a test", p.path, i+1)
			}
			for _, name := range named {
				if !tests[name] {
					t.Errorf("%s:%d: there is no %s", p.path, i+1, name)
				}
			}
		}
	}
	if rows < 15 {
		t.Errorf("only %d attacks were found", rows)
	}
}

var testName = regexp.MustCompile(`\bTest\w+`)

// declaredTests returns the names of all tests.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	names := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for _, match := range declared.FindAllSubmatch(src, -1) {
			names[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
