// Package doccheck holds the tests of the documentation: that its Go compiles,
// its links lead somewhere and its names exist; and that the Makefile does what
// is said of it.
package doccheck
