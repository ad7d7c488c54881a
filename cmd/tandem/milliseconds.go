package main

import (
	"strconv"
	"time"
)

// milliseconds writes a round-trip time as ping(8) does.
func milliseconds(d time.Duration) string { return inMilliseconds(d) + " ms" }

func inMilliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 3, 64)
}
