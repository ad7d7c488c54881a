package doccheck

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTargets: what the documentation says of make, make knows.
func TestTargets(t *testing.T) {
	makefile := readFile(t, filepath.Join(root, "Makefile"))
	command := regexp.MustCompile("(?:`|^)make ([a-z0-9-]+)")
	checked := 0
	for _, p := range pages(t) {
		for i, line := range p.lines {
			for _, match := range command.FindAllStringSubmatch(line, -1) {
				checked++
				if !strings.Contains(makefile, "\n"+match[1]+":") {
					t.Errorf("%s:%d: make has no target %s", p.path, i+1, match[1])
				}
			}
		}
	}
	if checked < 3 {
		t.Errorf("only %d targets were checked", checked)
	}
}

// TestMeasuringTestsRun: what is not built under the race detector is run by
// "make measure", which chooses tests by their names.
func TestMeasuringTestsRun(t *testing.T) {
	pattern := regexp.MustCompile(`(?m)^MEASURING = (\S+)$`).FindStringSubmatch(readFile(t, filepath.Join(root, "Makefile")))
	if pattern == nil {
		t.Fatal("the Makefile has no MEASURING")
	}
	measuring, test := regexp.MustCompile(pattern[1]), regexp.MustCompile(`(?m)^func (Test\w+)`)
	checked := 0
	for _, name := range withoutRace(t) {
		for _, match := range test.FindAllStringSubmatch(readFile(t, name), -1) {
			checked++
			if !measuring.MatchString(match[1]) {
				t.Errorf("%s: %s is in no run: the race detector excludes it, and so does MEASURING in the Makefile", name, match[1])
			}
		}
	}
	if checked == 0 {
		t.Error("no test was found")
	}
}

// withoutRace returns the files of tests that the race detector excludes.
func withoutRace(t *testing.T) (files []string) {
	excluded := regexp.MustCompile(`(?m)^//go:build .*!race`)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(entry.Name()):
			return fs.SkipDir
		case strings.HasSuffix(name, "_test.go"):
			text, err := os.ReadFile(name)
			if excluded.Match(text) {
				files = append(files, name)
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
