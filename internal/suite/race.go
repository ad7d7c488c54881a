//go:build race

package suite

// Race reports that the race detector is on: everything is slower, and
// allocations and stacks are not what they are without it.
const Race = true
