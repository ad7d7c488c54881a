// Package howto runs what the how-to pages say: the configurations of proxies
// with the real programs, and the programs in Go.
package howto
