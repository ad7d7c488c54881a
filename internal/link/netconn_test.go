package link

import (
	"strings"
	"testing"
	"time"
)

// TestNetDeadlineIsMonotonic: a deadline may be a time of the wall clock alone, which
// may be set, or run slower, before the timer rings: that is on time all the same.
func TestNetDeadlineIsMonotonic(t *testing.T) {
	var d netDeadline
	defer d.stop()
	wall := time.Now().Add(time.Hour).Round(0)
	d.set(wall)
	if at := d.at.String(); !strings.Contains(at, " m=") || d.at.Sub(wall).Abs() > time.Minute {
		t.Errorf("%v, want %v as the runtime's timers count", at, wall)
	}
}
