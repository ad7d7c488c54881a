//go:build linux

package measure

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	BeServer()
	os.Exit(m.Run())
}

// Every kind of case can be measured on each of its servers, with a few
// connections and for a moment: the figures are not looked at.
func TestRun(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range Cases(HasPython()) {
		c.Conns = min(c.Conns, 3)
		if !seen[kindOf(c)] {
			seen[kindOf(c)] = true
			testCase(t, c)
		}
	}
}

// kindOf returns what tells cases apart in which something else happens.
func kindOf(c Case) string {
	same := Case{Kind: c.Kind, Depth: c.Depth, Deflate: c.Deflate, Takeover: c.Takeover, TLS: c.TLS, Size: c.Size >> 20}
	return same.name()
}

func testCase(t *testing.T, c Case) {
	o, err := Run(c, 1, time.Millisecond)
	if err != nil {
		t.Error(err)
		return
	}
	for _, server := range c.Servers {
		if len(o.Rounds[server]) != 1 {
			t.Errorf("%s, %s: %d rounds", c.Title(), server, len(o.Rounds[server]))
		}
	}
}
