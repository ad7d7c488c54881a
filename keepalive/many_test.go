//go:build !race

package keepalive

const (
	many        = 100000 // connections on a Thread
	simulations = 3000   // of each sort
)
