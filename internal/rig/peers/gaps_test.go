package peers

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestGapsAreDocumented compares the tables of gaps with docs/interop.md, row
// by row. It needs no rigs.
func TestGapsAreDocumented(t *testing.T) {
	const doc = "../../../docs/interop.md"
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| server |") || strings.HasPrefix(line, "| client |") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := gapRows()
	if !slices.Equal(got, want) {
		t.Errorf("the gaps in %s are\n%s\nwant\n%s", doc, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// gapRows returns the rows of the table, in the order of peers and checks.
func gapRows() (rows []string) {
	for _, peer := range serverPeers {
		rows = append(rows, rowsOf("server", peer.name, serverGaps[peer.name])...)
	}
	for _, peer := range clientPeers {
		rows = append(rows, rowsOf("client", peer.name, clientGaps[peer.name])...)
	}
	return rows
}

func rowsOf(role, peer string, gaps map[string]gap) (rows []string) {
	for _, check := range checks {
		g, ok := gaps[check]
		if !ok {
			continue
		}
		extent := "not checked"
		if g.partly {
			extent = "in part"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s |", role, peer, check, extent, g.reason))
	}
	return rows
}

// Each check is done by both sides, and a gap is one in a check of a peer.
func TestTablesAreComplete(t *testing.T) {
	for _, check := range checks {
		if clientChecks[check] == nil || serverChecks[check] == nil {
			t.Errorf("check %q is in the list and is not done", check)
		}
	}
	count := 0
	for _, gaps := range []map[string]map[string]gap{serverGaps, clientGaps} {
		for _, of := range gaps {
			count += len(of)
		}
	}
	if rows := gapRows(); len(rows) != count {
		t.Errorf("%d gaps, of which %d belong to a check of a peer:\n%s", count, len(rows), strings.Join(rows, "\n"))
	}
}
