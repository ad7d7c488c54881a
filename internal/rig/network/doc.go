// Package network makes small networks of Linux network namespaces, for rigs
// that need a router which forgets, a cable that breaks or a link that is slow.
package network
