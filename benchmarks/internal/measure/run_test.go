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

// Every server answers in every case: the figures are not looked at.
func TestRun(t *testing.T) {
	servers := append([]string{"gobwas-plain"}, All...)
	if HasPython() {
		servers = append(servers, "python")
	}
	for _, c := range []Case{
		{Kind: Echo, Conns: 2, Size: 32, Depth: 1},
		{Kind: Echo, Conns: 2, Size: 70000, Depth: 3},
		{Kind: Echo, Conns: 1, Size: 1 << 20, Depth: 1},
		{Kind: Idle, Conns: 2},
	} {
		c.Servers = servers
		o, err := Run(c, 1, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, server := range servers {
			if len(o.Rounds[server]) != 1 {
				t.Errorf("%s, %s: %d rounds", c.Title(), server, len(o.Rounds[server]))
			}
		}
	}
}
