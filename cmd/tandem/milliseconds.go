package main

import (
	"fmt"
	"time"
)

// milliseconds writes a round-trip time as ping(8) does.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond))
}
