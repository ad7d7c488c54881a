package rig

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A ProbeVerdict is the last line that "tandem probe --json" prints. Times are
// in seconds.
type ProbeVerdict struct {
	Type        string
	Complete    bool
	Timeout     float64 // 0: none was found
	Survived    float64
	Fate        string
	Noise       float64
	Recommended float64
}

// ReadVerdict returns the verdict in the output of the command.
func ReadVerdict(t testing.TB, output string) (v ProbeVerdict) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(output), "\n")
	last := lines[len(lines)-1]
	if err := json.Unmarshal([]byte(last), &v); err != nil || v.Type != "summary" {
		t.Fatalf("%v in the last line of\n%s", err, output)
	}
	return v
}

// Check fails the test unless the probe has found the idle timeout within a
// tenth and saw it end so, or found none and has survived all of longest; and
// unless what it recommends keeps the path open.
func (v *ProbeVerdict) Check(t testing.TB, timeout time.Duration, fates []string, longest time.Duration) {
	t.Helper()
	want := timeout.Seconds()
	switch {
	case !v.Complete:
		t.Errorf("the probe did not come to its end: %+v", *v)
	case timeout == 0:
		if v.Timeout != 0 || v.Survived < longest.Seconds() {
			t.Errorf("%+v; want no timeout up to %v", *v, longest)
		}
		return
	case v.Timeout < 0.9*want || v.Timeout > 1.1*want:
		t.Errorf("timeout of %.2f s found, want %v within a tenth", v.Timeout, timeout)
	case v.Recommended <= 0 || v.Recommended > want/2*1.1:
		t.Errorf("an interval of %.2f s is recommended for a timeout of %v", v.Recommended, timeout)
	}
	if !strings.Contains(" "+strings.Join(fates, " ")+" ", " "+v.Fate+" ") {
		t.Errorf("ended by %s, want %v", v.Fate, fates)
	}
}
