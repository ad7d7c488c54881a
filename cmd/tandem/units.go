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

// seconds writes a time that is no round trip.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s"
}
