package protocol

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

//go:generate go test -run ^TestConformanceDocument$ . -update

// conformanceDocument tells readers which rule of the RFC is shown by which
// vector. It is made of the vectors, so that it cannot promise too much.
const conformanceDocument = "../docs/conformance.md"

var update = flag.Bool("update", false, "write docs/conformance.md")

func TestConformanceDocument(t *testing.T) {
	want := conformance(t)
	if *update {
		if err := os.WriteFile(conformanceDocument, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(conformanceDocument)
	if err != nil {
		t.Fatal(err)
	}
	// A checkout may have lines end as Windows likes it.
	if strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Errorf("%s is stale: run go generate ./protocol", conformanceDocument)
	}
}

// A conformanceRow is one line of the table: a vector, or the two that show
// the same to a client and to a server.
type conformanceRow struct {
	rfc                             int
	section, rule, name, role, file string
}

const conformanceIntro = `# Conformance to RFC 6455 and RFC 7692

<!-- Made by "go generate ./protocol" from testdata/conformance; do not edit. -->

Each row is one vector: bytes that arrive or calls that are made, and what must
come of them. A vector for "both" exists twice, for a client and for a server.
All are run by ` + "`go test ./protocol`" + `, each with its input in one piece, byte by
byte, and cut in two at each place (where it has more than a kilobyte, at the places
near both ends only). What they hold is described in
[testdata/conformance](../testdata/conformance/README.md), and any implementation can
run them.

MUST and SHOULD are those of the RFCs; the rules are in our own words. Sections
without a number of an RFC are those of RFC 6455.
`

// conformance writes the document.
func conformance(t *testing.T) string {
	var b strings.Builder
	rows := conformanceRows(t)
	b.WriteString(conformanceIntro)
	fmt.Fprintf(&b, "There are %d rows.\n", len(rows))
	writeContents(&b, rows)
	section := ""
	for _, row := range rows {
		if at := row.heading(); at != section {
			section = at
			fmt.Fprintf(&b, "\n## %s\n\n| Requirement | Vector | Role | File |\n|---|---|---|---|\n", section)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", inCell(row.rule), inCell(row.name), row.role, row.file)
	}
	b.WriteString("\n## What no vector shows\n\n| Section | Requirement | Why |\n|---|---|---|\n")
	for _, rule := range loadElsewhere(t) {
		at := rule.Section
		if rule.RFC != 0 {
			at = fmt.Sprintf("RFC %d, %s", rule.RFC, at)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", at, inCell(rule.Rule), inCell(rule.Why))
	}
	return b.String()
}

// writeContents writes links to the sections, those of an RFC on a line.
func writeContents(b *strings.Builder, rows []conformanceRow) {
	rfc, section := 0, ""
	for _, row := range rows {
		switch at := row.heading(); {
		case row.rfc != rfc:
			fmt.Fprintf(b, "\n- RFC %d:", row.rfc)
		case at == section:
			continue
		}
		rfc, section = row.rfc, row.heading()
		anchor := strings.NewReplacer(" ", "-", ",", "", ".", "").Replace(strings.ToLower(section))
		fmt.Fprintf(b, "\n  [%s](#%s)", row.section, anchor)
	}
	b.WriteString("\n- [What no vector shows](#what-no-vector-shows)\n")
}

// heading is where the rule stands.
func (r conformanceRow) heading() string {
	if r.rfc == 6455 {
		return "Section " + r.section
	}
	return fmt.Sprintf("RFC %d, section %s", r.rfc, r.section)
}

// inCell escapes what would end a cell of a table.
func inCell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// conformanceRows returns the rows by RFC and section, and within one rule by rule, in
// the order in which the rules first come up in the files.
func conformanceRows(t *testing.T) (rows []conformanceRow) {
	for _, file := range frameVectorFiles(t) {
		for _, v := range loadFrameVectors(t, file) {
			rows = addRow(rows, v.vectorHead, v.Role, "frames/"+file)
		}
	}
	for _, v := range loadVectors(t, "handshake/offers.json", func(v offerVector) vectorHead { return v.vectorHead }) {
		rows = addRow(rows, v.vectorHead, "client", "handshake/offers.json")
	}
	for _, v := range loadRequestVectors(t) {
		rows = addRow(rows, v.vectorHead, "server", "handshake/requests.json")
	}
	for _, v := range loadResponseVectors(t) {
		rows = addRow(rows, v.vectorHead, "client", "handshake/responses.json")
	}
	first := make(map[string]int)
	for i, row := range rows {
		if _, seen := first[row.rule]; !seen {
			first[row.rule] = i
		}
	}
	slices.SortStableFunc(rows, func(a, b conformanceRow) int {
		return cmp.Or(cmp.Compare(a.rfc, b.rfc), compareSections(a.section, b.section), cmp.Compare(first[a.rule], first[b.rule]))
	})
	return rows
}

// addRow adds a vector, to the row of its twin if that is the last.
func addRow(rows []conformanceRow, v vectorHead, role, file string) []conformanceRow {
	name, twin := strings.CutSuffix(v.Name, ", "+role)
	row := conformanceRow{cmp.Or(v.RFC, 6455), v.Section, v.Rule, name, role, file}
	if len(rows) > 0 && twin {
		last := &rows[len(rows)-1]
		both := row
		both.role = last.role
		if *last == both && last.role != role {
			last.role = "both"
			return rows
		}
	}
	return append(rows, row)
}

// compareSections orders 5.5.1 behind 5.5 and 10.4 behind 9.1.
func compareSections(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		return cmp.Compare(m, n)
	})
}

// An elsewhereRule is a rule that no vector can show, and who sees to it.
type elsewhereRule struct {
	RFC                int // 0: 6455
	Section, Rule, Why string
}

// loadElsewhere reads these rules and checks that the tests exist that they
// name.
func loadElsewhere(t *testing.T) []elsewhereRule {
	b, err := os.ReadFile(filepath.Join(vectorDir, "elsewhere.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		About string
		Rules []elsewhereRule
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, rule := range file.Rules {
		for _, name := range regexp.MustCompile(`\bTest\w+`).FindAllString(rule.Why, -1) {
			if !testExists(t, name) {
				t.Errorf("section %s: there is no %s", rule.Section, name)
			}
		}
	}
	return file.Rules
}

func testExists(t *testing.T, name string) (found bool) {
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || found || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		found = strings.Contains(string(src), "func "+name+"(")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
