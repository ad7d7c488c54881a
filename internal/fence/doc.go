// Package fence holds the test of who may import whom, in the whole module.
// Packages protocol and keepalive have stricter fences of their own, about
// the standard library.
package fence
