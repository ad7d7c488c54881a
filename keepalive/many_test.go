//go:build !race

package keepalive

// many is how many connections a Thread is tested with.
const many = 100000
