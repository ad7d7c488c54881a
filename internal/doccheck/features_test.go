package doccheck

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// featuresPage is where each feature of other libraries has a row.
const featuresPage = "docs/features.md"

// TestFeaturesAreTested: each cell of the features' tables links to a test that
// the linked file has, or says why there is none.
func TestFeaturesAreTested(t *testing.T) {
	p, err := readPage(filepath.Join(root, featuresPage))
	if err != nil {
		t.Fatal(err)
	}
	tests, rows := declaredTests(t), 0
	for i, line := range p.prose {
		cells := strings.Split(line, "|") // the first and the last are outside
		if len(cells) != 7 || strings.HasPrefix(line, "| feature") || strings.HasPrefix(line, "|--") {
			continue
		}
		rows++
		for _, cell := range cells[3:5] {
			if problem := checkCell(strings.TrimSpace(cell), strings.TrimSpace(cells[5])); problem != "" {
				t.Errorf("%s:%d: %s", p.path, i+1, problem)
			}
		}
		for _, name := range testName.FindAllString(cells[5], -1) {
			if !tests[name] {
				t.Errorf("%s:%d: there is no %s", p.path, i+1, name)
			}
		}
	}
	if rows < 57 { // so many does Python have
		t.Errorf("only %d features were found", rows)
	}
}

// testLink is a link with the name of a test in it.
var testLink = regexp.MustCompile(`^\[(?:[^\]]*: )?((?:Test|Example)\w*)\]\(\.\./([^)]+_test\.go)\)$`)

// checkCell says what is wrong with a cell, "" if nothing is.
func checkCell(cell, remark string) string {
	if cell == "planned" || cell == "no" && remark != "" {
		return ""
	}
	match := testLink.FindStringSubmatch(cell)
	if match == nil {
		return cell + ": neither a test nor a reason"
	}
	src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(match[2])))
	if err != nil {
		return err.Error()
	}
	if !strings.Contains(string(src), "\nfunc "+match[1]+"(") {
		return "there is no " + match[1] + " in " + match[2]
	}
	return ""
}

// TestCells shows checkCell what it must not let through.
func TestCells(t *testing.T) {
	for cell, fine := range map[string]bool{
		"[TestCells](../internal/doccheck/features_test.go)":     true,
		"[TestCell](../internal/doccheck/features_test.go)":      false,
		"[it: TestCells](../internal/doccheck/features_test.go)": true,
		"[TestCells](../internal/doccheck/no_such_test.go)":      false,
		"[features](../internal/doccheck/features_test.go)":      false,
		"yes":     false,
		"":        false,
		"planned": true,
		"no":      false,
	} {
		if problem := checkCell(cell, ""); (problem == "") != fine {
			t.Errorf("%q: %q", cell, problem)
		}
	}
	if checkCell("no", "because") != "" {
		t.Error("a reason is not enough")
	}
}
