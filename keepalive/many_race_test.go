//go:build race

package keepalive

// With the race detector everything takes twenty times as long.
const (
	many        = 10000 // connections on a Thread
	simulations = 300   // of each sort
)
