// Package differential compares what Tandem makes of a peer's bytes with what
// other libraries make of them. It is a module of its own, so that they do not
// become dependencies.
package differential
