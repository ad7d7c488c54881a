//go:build race

package keepalive

// many is how many connections a Thread is tested with; with the race detector
// each takes twenty times as long.
const many = 10000
