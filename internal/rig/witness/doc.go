// Package witness watches the ends of connections in the rigs: what they
// receive, when they end and why, and whether the machine let them be in time.
package witness
